#include "base/text.hpp"

#include <algorithm>

namespace ksr {
namespace {

constexpr std::size_t kMaxQuoteSize = 80;
constexpr std::string_view kEllipsis = "...";

// The length of the well-formed UTF-8 sequence that `text` begins with, 0 without one (Unicode, table 3-7).
std::size_t sequence_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool second = continues(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
    return second && continues(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool second = continues(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
    return second && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

// What stands for the well-formed sequence: itself, unless it is a control character (C0, DEL, C1) or a separator of
// lines or paragraphs (U+2028, U+2029).
std::string_view printable(std::string_view sequence) noexcept {
  if (sequence.size() == 1) {
    if (kBlanksAndLineEnds.find(sequence[0]) != std::string_view::npos) return " ";
    return is_control(sequence[0]) ? "?" : sequence;
  }
  const bool c1 = sequence[0] == '\xc2' && static_cast<unsigned char>(sequence[1]) < 0xa0;
  if (sequence == "\xc2\x85" || sequence == "\xe2\x80\xa8" || sequence == "\xe2\x80\xa9") return " ";
  return c1 ? "?" : sequence;
}

std::string printable_line(std::string_view text, std::size_t max_size) {
  std::string line;
  // How much of the line stays where the whole does not fit: there is room for the ellipsis then.
  std::size_t kept = 0;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const std::string_view shown = length == 0 ? "?" : printable(text.substr(0, length));
    if (line.size() + shown.size() > max_size) {
      line.resize(kept);
      return line.append(kEllipsis.substr(0, max_size));
    }
    line += shown;
    if (line.size() + kEllipsis.size() <= max_size) kept = line.size();
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return line;
}

}  // namespace

bool has_control_characters(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), is_control);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = lower_case(c);
  return lower;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower_case(x) == lower_case(y); });
}

std::string_view trimmed(std::string_view text, std::string_view characters) noexcept {
  const std::size_t first = text.find_first_not_of(characters);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(characters) - first + 1);
}

std::string_view without_byte_order_mark(std::string_view text) noexcept {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  return text.substr(0, kMark.size()) == kMark ? text.substr(kMark.size()) : text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string as_utf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    valid += length == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return valid;
}

std::string percent_encode(std::string_view text) {
  static constexpr char kHexDigits[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kHexDigits[byte >> 4];
    encoded += kHexDigits[byte & 0x0f];
  }
  return encoded;
}

std::string one_line(std::string_view text, std::size_t max_size) {
  const std::string line = printable_line(trimmed(text), max_size);
  // Separators of Unicode at its ends have become blanks.
  return std::string(trimmed(line));
}

std::string in_quotes(std::string_view text) {
  std::string quote = printable_line(text, kMaxQuoteSize);
  std::replace(quote.begin(), quote.end(), '"', '?');
  return '"' + quote + '"';
}

}  // namespace ksr
