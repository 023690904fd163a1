// The values of config and request keys, parsed; used by stream/config_keys and request/params. Errors say what is
// expected; they never repeat the value, which may be a secret. Pure, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/expected.hpp"
#include "base/instant.hpp"

namespace ksr {

// The error of a value that is not `what`.
Error expected(std::string what);

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

// The parsed value goes to `place`, which an error leaves as it was.
template <class T>
Expected<void> assign(Expected<T> parsed, T& place) {
  if (!parsed) return std::move(parsed).error();
  place = std::move(parsed).value();
  return {};
}

// What `text`, one of `words`, means.
template <class T, std::size_t count>
Expected<void> assign_word(std::string_view text, const std::array<std::pair<std::string_view, T>, count>& words,
                           T& place) {
  std::string known;
  for (const auto& [word, meaning] : words) {
    if (word == text) {
      place = meaning;
      return {};
    }
    if (!known.empty()) known += ", ";
    known += word;
  }
  return expected("one of " + known);
}

}  // namespace ksr
