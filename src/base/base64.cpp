#include "base/base64.hpp"

#include <cstddef>
#include <cstdint>

namespace ksr {
namespace {

constexpr std::string_view kStandardDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Without padding. Returns where it ends.
char* encode(std::string_view bytes, std::string_view digits, char* to) noexcept {
  const auto digit = [digits](std::uint32_t bits, int shift) { return digits[(bits >> shift) & 0x3f]; };
  const auto byte = [&bytes](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(bytes[i])}; };
  for (; bytes.size() >= 3; bytes.remove_prefix(3)) {
    const std::uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (int shift = 18; shift >= 0; shift -= 6) *to++ = digit(bits, shift);
  }
  if (bytes.empty()) return to;
  const std::uint32_t bits = byte(0) << 16 | (bytes.size() == 2 ? byte(1) << 8 : 0);
  *to++ = digit(bits, 18);
  *to++ = digit(bits, 12);
  if (bytes.size() == 2) *to++ = digit(bits, 6);
  return to;
}

bool is_white_space(char c) noexcept {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

}  // namespace

void base64_encode(std::string_view bytes, char* to) noexcept {
  const char* const end = to + base64_size(bytes.size());
  for (to = encode(bytes, kStandardDigits, to); to != end; ++to) *to = '=';
}

std::string base64_encode(std::string_view bytes) {
  std::string text(base64_size(bytes.size()), '\0');
  base64_encode(bytes, text.data());
  return text;
}

std::string base64url_encode(std::string_view bytes) {
  std::string text(base64_size(bytes.size()), '\0');
  text.resize(static_cast<std::size_t>(encode(bytes, kUrlDigits, text.data()) - text.data()));
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  int pending = 0;
  std::size_t digits = 0;
  std::size_t padding = 0;
  for (const char c : text) {
    if (is_white_space(c)) continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const std::size_t value = kStandardDigits.find(c);
    if (value == std::string_view::npos || padding > 0) return std::nullopt;
    ++digits;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    pending += 6;
    if (pending >= 8) {
      pending -= 8;
      bytes += static_cast<char>((bits >> pending) & 0xff);
    }
  }
  if (padding > 2 || (digits + padding) % 4 != 0) return std::nullopt;
  return bytes;
}

}  // namespace ksr
