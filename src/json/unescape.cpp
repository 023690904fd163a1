#include "json/unescape.hpp"

#include "base/text.hpp"

namespace ksr::json {
namespace {

// Of one escape sequence, or a pair of them.
bool is_lone_surrogate(std::string_view written) noexcept {
  return written.size() == 6 && hex_value(written[2]) == 0xd && hex_value(written[3]) >= 8 &&
         hex_value(written[4]) >= 0 && hex_value(written[5]) >= 0;
}

}  // namespace

void unescape(std::string_view raw, std::string& out) {
  unescape_pieces(raw, [&out](std::string_view piece) { out += piece; });
}

std::string as_unicode(std::string_view json) {
  constexpr std::string_view kEscaped = "\\ufffd";
  std::string text;
  text.reserve(json.size());
  while (!json.empty()) {
    const std::size_t plain = std::min(json.find('\\'), json.size());
    text.append(json, 0, plain);
    json.remove_prefix(plain);
    if (json.size() < 2) {
      text += json;
      break;
    }
    const Unescaped one = unescape_json(json);
    const std::string_view written = json.substr(0, one.raw_size);
    text.append(is_lone_surrogate(written) ? kEscaped : written);
    json.remove_prefix(written.size());
  }
  if (!is_utf8(text)) text = as_utf8(text);
  return text;
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
