#include "json/unescape.hpp"

#include <algorithm>
#include <cstdint>

namespace ksr::json {
namespace {

// Valid text has four digits here; anything else yields some number, never a read past the end.
std::uint32_t hex4(std::string_view raw, std::size_t at) {
  std::uint32_t unit = 0;
  for (std::size_t i = at; i < std::min(at + 4, raw.size()); ++i) {
    const auto c = static_cast<unsigned char>(raw[i]);
    unit = unit * 16 + (c <= '9' ? c - '0' : (c | 0x20U) - 'a' + 10);
  }
  return unit & 0xffff;
}

std::size_t put_utf8(std::uint32_t code_point, char* to) {
  std::size_t size = 0;
  const auto tail = [&](unsigned shift) { to[size++] = static_cast<char>(0x80 | (code_point >> shift & 0x3f)); };
  if (code_point < 0x80) {
    to[size++] = static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    to[size++] = static_cast<char>(0xc0 | code_point >> 6);
    tail(0);
  } else if (code_point < 0x10000) {
    to[size++] = static_cast<char>(0xe0 | code_point >> 12);
    tail(6);
    tail(0);
  } else {
    to[size++] = static_cast<char>(0xf0 | (code_point >> 18 & 7));
    tail(12);
    tail(6);
    tail(0);
  }
  return size;
}

bool is_surrogate(std::uint32_t unit, std::uint32_t half) {
  return (unit & 0xfc00) == half;
}

char short_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

}  // namespace

Unescaped unescape_one(std::string_view raw) noexcept {
  constexpr std::uint32_t kReplacement = 0xfffd;
  constexpr std::uint32_t kHigh = 0xd800;
  constexpr std::uint32_t kLow = 0xdc00;
  Unescaped one{};
  if (raw[1] != 'u') {
    one.bytes[0] = short_escape(raw[1]);
    one.size = 1;
    one.raw_size = 2;
    return one;
  }
  one.raw_size = 6;
  std::uint32_t code_point = hex4(raw, 2);
  if (is_surrogate(code_point, kHigh) && raw.substr(std::min<std::size_t>(6, raw.size()), 2) == "\\u" &&
      is_surrogate(hex4(raw, 8), kLow)) {
    code_point = 0x10000 + ((code_point & 0x3ff) << 10) + (hex4(raw, 8) & 0x3ff);
    one.raw_size = 12;
  } else if (is_surrogate(code_point, kHigh) || is_surrogate(code_point, kLow)) {
    code_point = kReplacement;
  }
  one.size = put_utf8(code_point, one.bytes);
  return one;
}

void unescape(std::string_view raw, std::string& out) {
  unescape_pieces(raw, [&out](std::string_view piece) { out += piece; });
}

bool stands_for(std::string_view raw, bool escaped, std::string_view plain) {
  if (!escaped) return raw == plain;
  if (raw.size() > plain.size() * 6) return false;
  std::string text;
  unescape(raw, text);
  return text == plain;
}

void append_json_string(std::string_view plain, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : plain) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[c & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace ksr::json
