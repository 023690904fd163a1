#include "json/json_pointer.hpp"

#include <algorithm>
#include <charconv>

#include "json/bytes.hpp"
#include "json/text_cursor.hpp"
#include "json/unescape.hpp"

namespace ksr::json {
namespace {

// RFC 6901, section 4: every ~ is followed by 0 or 1.
bool well_formed(std::string_view pointer) {
  for (std::size_t at = pointer.find('~'); at != std::string_view::npos; at = pointer.find('~', at + 1)) {
    if (at + 1 == pointer.size() || (pointer[at + 1] != '0' && pointer[at + 1] != '1')) return false;
  }
  return pointer.empty() || pointer.front() == '/';
}

// Whether a reference token, with ~0 and ~1, stands for a key of the document, with its escapes.
bool names(std::string_view token, std::string_view key) {
  if (key.find('\\') == std::string_view::npos && token.find('~') == std::string_view::npos) return token == key;
  bool same = true;
  unescape_pieces(key, [&](std::string_view piece) {
    for (const char c : piece) {
      if (token.empty()) same = false;
      if (!same) return;
      const bool escaped = token.front() == '~';
      const char wanted = !escaped ? token.front() : token[1] == '0' ? '~' : '/';
      token.remove_prefix(escaped ? 2 : 1);
      same = c == wanted;
    }
  });
  return same && token.empty();
}

std::optional<std::size_t> array_index(std::string_view token) {
  if (token.empty() || (token.size() > 1 && token.front() == '0')) return std::nullopt;
  if (!std::all_of(token.begin(), token.end(), is_digit)) return std::nullopt;
  std::size_t index = 0;
  const auto [stop, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (error != std::errc()) return std::nullopt;
  return index;
}

// The last of equal keys.
std::optional<std::string_view> find_member(std::string_view object, std::string_view token) {
  std::optional<std::string_view> found;
  TextCursor cursor(object);
  cursor.skip_byte();
  while (cursor.at('"')) {
    const std::string_view quoted = cursor.take_value();
    if (quoted.size() < 2 || !cursor.take(':')) return std::nullopt;
    const std::string_view value = cursor.take_value();
    if (value.empty()) return std::nullopt;
    const std::string_view key = quoted.substr(1, quoted.size() - 2);
    if (names(token, key)) found = value;
    if (!cursor.take(',')) break;
  }
  return found;
}

std::optional<std::string_view> find_element(std::string_view array, std::size_t index) {
  TextCursor cursor(array);
  cursor.skip_byte();
  for (std::size_t i = 0; !cursor.at(']'); ++i) {
    const std::string_view value = cursor.take_value();
    if (value.empty()) return std::nullopt;
    if (i == index) return value;
    if (!cursor.take(',')) break;
  }
  return std::nullopt;
}

std::optional<std::string_view> step_into(std::string_view value, std::string_view token) {
  if (value.front() == '[') {
    const auto index = array_index(token);
    return index ? find_element(value, *index) : std::nullopt;
  }
  if (value.front() != '{') return std::nullopt;
  return find_member(value, token);
}

}  // namespace

std::optional<std::string_view> find_pointer(std::string_view document, std::string_view pointer) {
  if (!well_formed(pointer)) return std::nullopt;
  std::optional<std::string_view> value = TextCursor(document).take_value();
  if (value->empty()) return std::nullopt;
  while (value && !pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string_view token = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(token.size());
    value = step_into(*value, token);
  }
  return value;
}

}  // namespace ksr::json
