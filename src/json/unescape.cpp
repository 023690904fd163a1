#include "json/unescape.hpp"

namespace ksr::json {

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
