#include "base/escapes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace ksr {
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

constexpr std::uint32_t kMaxCodePoint = 0x10ffff;

Unescaped no_sequence() noexcept {
  return {{}, 0, 0};
}

Unescaped character(std::uint32_t code_point, std::size_t raw_size) noexcept {
  Unescaped one{};
  one.size = put_utf8(code_point, one.bytes);
  one.raw_size = raw_size;
  return one;
}

bool is_hex(std::string_view text, std::size_t at, std::size_t size) noexcept {
  const std::string_view digits = text.substr(std::min(at, text.size()), size);
  return digits.size() == size && std::all_of(digits.begin(), digits.end(), [](char c) { return hex_value(c) >= 0; });
}

Unescaped valid_json_escape(std::string_view raw) noexcept {
  constexpr std::string_view kShort = "\"\\/bfnrt";
  if (raw.size() < 2) return no_sequence();
  const bool valid = raw[1] == 'u' ? is_hex(raw, 2, 4) : kShort.find(raw[1]) != std::string_view::npos;
  return valid ? unescape_json(raw) : no_sequence();
}

std::optional<std::uint32_t> named_reference(std::string_view name) noexcept {
  constexpr std::array<std::pair<std::string_view, char>, 5> kNames{
      {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}}};
  const auto* const found =
      std::find_if(kNames.begin(), kNames.end(), [&](const auto& known) { return known.first == name; });
  if (found == kNames.end()) return std::nullopt;
  return static_cast<unsigned char>(found->second);
}

// "#60" and "#x3c".
std::optional<std::uint32_t> numeric_reference(std::string_view name) noexcept {
  if (name.substr(0, 1) != "#") return std::nullopt;
  name.remove_prefix(1);
  const bool hex = name.substr(0, 1) == "x" || name.substr(0, 1) == "X";
  if (hex) name.remove_prefix(1);
  std::uint32_t code_point = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), code_point, hex ? 16 : 10);
  if (failure != std::errc() || end != name.data() + name.size() || code_point > kMaxCodePoint) return std::nullopt;
  return code_point;
}

Unescaped html_reference(std::string_view raw) noexcept {
  constexpr std::size_t kLongest = 12;
  const std::size_t end = raw.substr(0, kLongest).find(';');
  if (end == std::string_view::npos) return no_sequence();
  const std::string_view name = raw.substr(1, end - 1);
  auto code_point = named_reference(name);
  if (!code_point) code_point = numeric_reference(name);
  return code_point ? character(*code_point, end + 1) : no_sequence();
}

Unescaped percent_escape(std::string_view raw) noexcept {
  if (!is_hex(raw, 1, 2)) return no_sequence();
  Unescaped one{};
  one.bytes[0] = static_cast<char>(hex_value(raw[1]) * 16 + hex_value(raw[2]));
  one.size = 1;
  one.raw_size = 3;
  return one;
}

char mark_of(Escaping kind) noexcept {
  switch (kind) {
    case Escaping::json:
      return '\\';
    case Escaping::html:
      return '&';
    case Escaping::percent:
      break;
  }
  return '%';
}

Unescaped sequence(std::string_view raw, Escaping kind) noexcept {
  switch (kind) {
    case Escaping::json:
      return valid_json_escape(raw);
    case Escaping::html:
      return html_reference(raw);
    case Escaping::percent:
      break;
  }
  return percent_escape(raw);
}

// Of one escape sequence, or a pair of them.
bool is_lone_surrogate(std::string_view written) noexcept {
  return written.size() == 6 && hex_value(written[2]) == 0xd && hex_value(written[3]) >= 8 &&
         hex_value(written[4]) >= 0 && hex_value(written[5]) >= 0;
}

}  // namespace

Unescaped unescape_json(std::string_view raw) noexcept {
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

std::string json_as_unicode(std::string_view json) {
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

bool may_have_escapes(std::string_view text, Escaping kind) noexcept {
  return text.find(mark_of(kind)) != std::string_view::npos;
}

UnescapedText unescaped(std::string_view text, Escaping kind) {
  const char mark = mark_of(kind);
  UnescapedText made;
  made.text.reserve(text.size());
  made.places.reserve(text.size() + 1);
  for (std::size_t at = 0; at < text.size();) {
    const Unescaped one = text[at] == mark ? sequence(text.substr(at), kind) : no_sequence();
    const std::size_t size = std::max<std::size_t>(one.raw_size, 1);
    made.text += one.raw_size > 0 ? std::string_view(one.bytes, one.size) : text.substr(at, 1);
    made.places.resize(made.text.size(), at);
    at += size;
  }
  made.places.push_back(text.size());
  return made;
}

}  // namespace ksr
