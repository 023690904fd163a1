// Values of config keys: text in, typed values out. Errors say what is taken; they never repeat the text, which may be
// a secret.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.hpp"
#include "base/instant.hpp"

namespace ksr {

// "true" or "false".
Expected<bool> parse_boolean(std::string_view text);
// Digits and a unit: "800ms", "30s", "5m", "1h"; "0" alone.
Expected<Milliseconds> parse_duration(std::string_view text);
// Digits and, if wanted, Ki, Mi or Gi.
Expected<std::uint64_t> parse_size(std::string_view text);
// Digits.
Expected<std::uint64_t> parse_count(std::string_view text);
// Split at commas, blanks around the parts and empty parts dropped.
std::vector<std::string> parse_names(std::string_view text);

}  // namespace ksr
