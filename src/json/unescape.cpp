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

void append_utf8(std::uint32_t code_point, std::string& out) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | (code_point >> shift & 0x3f)); };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xc0 | code_point >> 6);
    tail(0);
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xe0 | code_point >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | (code_point >> 18 & 7));
    tail(12);
    tail(6);
    tail(0);
  }
}

// Returns the index after the escape that starts at `at` with "\u".
std::size_t append_code_point(std::string_view raw, std::size_t at, std::string& out) {
  const std::uint32_t unit = hex4(raw, at + 2);
  if ((unit & 0xfc00) != 0xd800) {
    append_utf8(unit, out);
    return at + 6;
  }
  const std::uint32_t low = hex4(raw, at + 8);
  append_utf8(0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff), out);
  return at + 12;
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

void unescape(std::string_view raw, std::string& out) {
  std::size_t at = 0;
  while (at < raw.size()) {
    const std::size_t backslash = std::min(raw.find('\\', at), raw.size());
    out.append(raw, at, backslash - at);
    at = backslash;
    if (at + 1 >= raw.size()) return;
    if (raw[at + 1] == 'u') {
      at = append_code_point(raw, at, out);
    } else {
      out += short_escape(raw[at + 1]);
      at += 2;
    }
  }
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
