#include "protobuf/json_text.hpp"

#include <charconv>
#include <cmath>
#include <system_error>

#include "base/text.hpp"

namespace ksr::protobuf {
namespace {

constexpr char kHex[] = "0123456789abcdef";

char* put(std::string_view text, char* out) noexcept {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

// ASCII that does not stand for itself.
char* write_escape(unsigned char c, char* out) noexcept {
  *out++ = '\\';
  switch (c) {
    case '"':
    case '\\':
      *out++ = static_cast<char>(c);
      return out;
    case '\b':
      *out++ = 'b';
      return out;
    case '\f':
      *out++ = 'f';
      return out;
    case '\n':
      *out++ = 'n';
      return out;
    case '\r':
      *out++ = 'r';
      return out;
    case '\t':
      *out++ = 't';
      return out;
    default:
      out = put("u00", out);
      *out++ = kHex[c >> 4];
      *out++ = kHex[c & 15];
      return out;
  }
}

// Of the character at the front of `text`, which is not ASCII; 0 when it is no UTF-8.
std::size_t sequence_size(std::string_view text) noexcept {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return text.size() >= size && is_utf8(text.substr(0, size)) ? size : 0;
}

bool is_line_separator(std::string_view sequence) noexcept {
  return sequence == "\u2028" || sequence == "\u2029";
}

// Puts the decimal point into digits of which `before` stand before it, as %f does.
char* write_fixed(std::string_view digits, int before, char* out) noexcept {
  const auto size = static_cast<int>(digits.size());
  if (before <= 0) {
    out = put("0.", out);
    for (int i = before; i < 0; ++i) *out++ = '0';
    return put(digits, out);
  }
  for (int i = 0; i < before; ++i) *out++ = i < size ? digits[static_cast<std::size_t>(i)] : '0';
  if (before >= size) return out;
  *out++ = '.';
  return put(digits.substr(static_cast<std::size_t>(before)), out);
}

// A fraction of `digits` digits without zeros at its end, with its point; nothing when it is zero.
char* write_fraction(std::uint64_t value, int digits, char* out) noexcept {
  if (value == 0) return out;
  for (; value % 10 == 0; value /= 10) --digits;
  *out = '.';
  for (int i = digits; i > 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
  return out + digits + 1;
}

}  // namespace

char* write_escaped(const char*& p, const char* end, char* out) noexcept {
  const auto c = static_cast<unsigned char>(*p);
  if (c < 0x80) {
    ++p;
    return write_escape(c, out);
  }
  const std::string_view rest(p, static_cast<std::size_t>(end - p));
  const std::size_t size = sequence_size(rest);
  if (size == 0) {
    ++p;
    return put("\\ufffd", out);
  }
  p += size;
  if (is_line_separator(rest.substr(0, size))) return put(rest[2] == '\xa8' ? "\\u2028" : "\\u2029", out);
  return put(rest.substr(0, size), out);
}

// encoding/json, floatEncoder: the shortest digits that are read as the same value, with an exponent below 1e-6 and
// from 1e21 on.
char* write_double(double value, char* out) noexcept {
  if (!std::isfinite(value)) return nullptr;
  if (std::signbit(value)) *out++ = '-';
  value = std::fabs(value);
  if (value == 0) return put("0", out);
  // "d.ddde+XX"
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
  if (end.ec != std::errc()) return nullptr;
  const std::string_view shortest(text, static_cast<std::size_t>(end.ptr - text));
  const std::size_t mark = shortest.find('e');
  int exponent = 0;
  const std::string_view magnitude = shortest.substr(mark + 2);
  std::from_chars(magnitude.data(), magnitude.data() + magnitude.size(), exponent);
  if (shortest[mark + 1] == '-') exponent = -exponent;
  if (value < 1e-6 || value >= 1e21) {
    out = put(shortest.substr(0, mark), out);
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    return write_number(static_cast<std::uint64_t>(exponent < 0 ? -exponent : exponent), out);
  }
  char digits[32];
  std::size_t size = 0;
  for (const char c : shortest.substr(0, mark)) {
    if (c != '.') digits[size++] = c;
  }
  return write_fixed(std::string_view(digits, size), exponent + 1, out);
}

char* write_duration(std::int64_t nanoseconds, char* out) noexcept {
  auto value = static_cast<std::uint64_t>(nanoseconds);
  if (nanoseconds < 0) {
    *out++ = '-';
    value = std::uint64_t{0} - value;
  }
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const auto part = [&out, value](std::uint64_t unit, int digits, std::string_view name) {
    out = write_number(value / unit, out);
    out = write_fraction(value % unit, digits, out);
    return put(name, out);
  };
  if (value == 0) return put("0s", out);
  if (value < 1000) return part(1, 0, "ns");
  if (value < 1'000'000) return part(1000, 3, "\u00b5s");
  if (value < kSecond) return part(1'000'000, 6, "ms");
  const std::uint64_t seconds = value / kSecond;
  if (seconds >= 3600) {
    out = write_number(seconds / 3600, out);
    *out++ = 'h';
  }
  if (seconds >= 60) {
    out = write_number(seconds / 60 % 60, out);
    *out++ = 'm';
  }
  out = write_number(seconds % 60, out);
  out = write_fraction(value % kSecond, 9, out);
  *out++ = 's';
  return out;
}

}  // namespace ksr::protobuf
