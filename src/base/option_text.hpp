// The values of config keys, parsed; used by stream/config_keys. Errors say what is expected; they never repeat the
// value, which may be a secret. Pure, any thread.
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
// Digits, and Ki, Mi or Gi or nothing.
Expected<std::uint64_t> parse_size(std::string_view text);
// Digits.
Expected<std::uint64_t> parse_count(std::string_view text);
// Split at commas, without the blanks around the parts and without empty parts.
std::vector<std::string> parse_names(std::string_view text);

}  // namespace ksr
