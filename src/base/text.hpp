// `one_line` makes a string from outside fit for a message, the others classify, compare and cut strings; used by every
// module. ASCII rules, whatever locale the host has set. Pure, any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ksr {

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool is_lower(char c) noexcept {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_upper(char c) noexcept {
  return c >= 'A' && c <= 'Z';
}
constexpr bool is_alphanumeric(char c) noexcept {
  return is_lower(c) || is_upper(c) || is_digit(c);
}
// Bytes below 0x20, and DEL.
constexpr bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}
constexpr char lower_case(char c) noexcept {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}
// Of a hexadecimal digit; -1 for any other character.
constexpr int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  const char lower = lower_case(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool has_control_characters(std::string_view text) noexcept;
std::string lower_case(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;
inline constexpr std::string_view kBlanks = " \t";
inline constexpr std::string_view kBlanksAndLineEnds = " \t\r\n\v\f";
// Without those characters at both ends.
std::string_view trimmed(std::string_view text, std::string_view characters = kBlanksAndLineEnds) noexcept;
// Without the byte order mark of UTF-8, which some editors and programs put first.
std::string_view without_byte_order_mark(std::string_view text) noexcept;
// "a,,b" has three parts, the second one empty.
std::vector<std::string_view> split(std::string_view text, char separator);
// Well-formed as a whole.
bool is_utf8(std::string_view text) noexcept;
// U+FFFD for each byte that is not part of a character.
std::string as_utf8(std::string_view text);
// RFC 3986, section 2.3: letters, digits and "-._~" stay, every other byte becomes %XX. base/url.hpp decodes.
std::string percent_encode(std::string_view text);

// What a message repeats of any string from outside is at most this long.
inline constexpr std::size_t kMaxForeignText = 500;

// A string that a server, a plugin, a file or the host made, fit for a message: one line of valid UTF-8 without control
// characters, at most `max_size` bytes, cut at a character ("..." at the end shows that it was cut). Blanks stand for
// tabs and line ends, '?' for every other byte that may not stay.
std::string one_line(std::string_view text, std::size_t max_size = kMaxForeignText);
// The same between double quotes, for names and values; a double quote within it becomes '?'.
std::string in_quotes(std::string_view text);

}  // namespace ksr
