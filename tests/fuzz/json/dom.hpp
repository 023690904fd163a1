// `parse_document` makes a tree of JSON text with Boost.JSON's parser: what the readers of src/json are compared with.
// Unlike boost::json::value it keeps equal keys and numbers as they were written. One thread.
#pragma once

#include <boost/json/basic_parser_impl.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace json_fuzz {

struct Node {
  enum class Kind { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  // Decoded, or a number or literal as written.
  std::string text;
  // Elements have no name.
  std::vector<std::pair<std::string, Node>> members;

  bool is_string() const { return kind == Kind::string; }
  bool is_object() const { return kind == Kind::object; }
  // Of equal names the last.
  const Node* find(std::string_view name) const {
    for (auto member = members.rbegin(); member != members.rend(); ++member) {
      if (member->first == name) return &member->second;
    }
    return nullptr;
  }
  bool operator==(const Node& other) const {
    return kind == other.kind && text == other.text && members == other.members;
  }
};

class NodeBuilder {
 public:
  using Code = boost::system::error_code;
  using Text = boost::json::string_view;
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  Node root;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return open(Node::Kind::object); }
  bool on_array_begin(Code&) { return open(Node::Kind::array); }
  bool on_object_end(std::size_t, Code&) { return close(); }
  bool on_array_end(std::size_t, Code&) { return close(); }
  bool on_key_part(Text text, std::size_t, Code&) { return keep(text); }
  bool on_key(Text text, std::size_t, Code&) {
    keep(text);
    key_ = std::exchange(text_, {});
    return true;
  }
  bool on_string_part(Text text, std::size_t, Code&) { return keep(text); }
  bool on_string(Text text, std::size_t, Code&) { return add(Node::Kind::string, text); }
  bool on_number_part(Text text, Code&) { return keep(text); }
  bool on_int64(std::int64_t, Text text, Code&) { return add(Node::Kind::number, text); }
  bool on_uint64(std::uint64_t, Text text, Code&) { return add(Node::Kind::number, text); }
  bool on_double(double, Text text, Code&) { return add(Node::Kind::number, text); }
  bool on_bool(bool value, Code&) { return add(Node::Kind::boolean, value ? "true" : "false"); }
  bool on_null(Code&) { return add(Node::Kind::null, "null"); }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

 private:
  bool keep(Text text) {
    text_.append(text.data(), text.size());
    return true;
  }
  Node& put(Node node) {
    if (open_.empty()) return root = std::move(node);
    std::vector<std::pair<std::string, Node>>& members = open_.back().members;
    members.emplace_back(std::exchange(keys_.back(), {}), std::move(node));
    return members.back().second;
  }
  bool add(Node::Kind kind, Text text) {
    keep(text);
    if (!open_.empty()) keys_.back() = std::exchange(key_, {});
    put({kind, std::exchange(text_, {}), {}});
    return true;
  }
  bool open(Node::Kind kind) {
    if (!open_.empty()) keys_.back() = std::exchange(key_, {});
    open_.push_back({kind, {}, {}});
    keys_.emplace_back();
    return true;
  }
  bool close() {
    Node node = std::move(open_.back());
    open_.pop_back();
    keys_.pop_back();
    put(std::move(node));
    return true;
  }

  std::vector<Node> open_;
  // The key that waits for its value: of the value at hand, and of each open container.
  std::string key_;
  std::vector<std::string> keys_;
  std::string text_;
};

// Whether four hexadecimal digits follow `\u` at `at`; `unit` is their number then.
inline bool is_code_unit(std::string_view text, std::size_t at, unsigned& unit) {
  if (text.size() < at + 6 || text[at] != '\\' || text[at + 1] != 'u') return false;
  const std::string digits(text.substr(at + 2, 4));
  if (digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) return false;
  unit = static_cast<unsigned>(std::stoul(digits, nullptr, 16));
  return true;
}

// The size of the character at `at` in UTF-8, by its code point; 0: it is none.
inline std::size_t character_size(std::string_view text, std::size_t at) {
  const unsigned lead = static_cast<unsigned char>(text[at]);
  const std::size_t size = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
  if (size == 0 || at + size > text.size()) return 0;
  unsigned point = size == 1 ? lead : lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    const unsigned tail = static_cast<unsigned char>(text[at + i]);
    if (tail >> 6 != 2) return 0;
    point = point << 6 | (tail & 0x3f);
  }
  const std::size_t shortest = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  return shortest == size && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff) ? size : 0;
}

// The text as the readers have to take it: U+FFFD for each byte that is no UTF-8, \ufffd for half a surrogate pair.
inline std::string as_unicode(std::string_view text) {
  std::string made;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = character_size(text, at);
    unsigned unit = 0;
    unsigned next = 0;
    if (is_code_unit(text, at, unit)) {
      const bool high = unit >= 0xd800 && unit < 0xdc00;
      const bool pair = high && is_code_unit(text, at + 6, next) && next >= 0xdc00 && next < 0xe000;
      const bool lone = unit >= 0xd800 && unit < 0xe000 && !pair;
      size = pair ? 12 : 6;
      made += lone ? std::string_view("\\ufffd") : text.substr(at, size);
    } else if (size == 0) {
      made += "\xef\xbf\xbd";
      size = 1;
    } else {
      // What a backslash escapes is no escape of its own.
      if (text[at] == '\\' && at + 1 < text.size() && text[at + 1] != 'u' && character_size(text, at + 1) == 1)
        size = 2;
      made += text.substr(at, size);
    }
    at += size;
  }
  return made;
}

enum class Parsed { whole, incomplete, invalid, beyond_the_checker };

// The first document of `text`, which is cut off when it is whole.
inline Parsed take_document(std::string_view& text, Node& node) {
  boost::json::parse_options options;
  options.max_depth = 512;
  boost::json::basic_parser<NodeBuilder> parser(options);
  boost::system::error_code error;
  const std::size_t used = parser.write_some(true, text.data(), text.size(), error);
  // A limit of Boost.JSON's own, not JSON's.
  if (error == boost::json::error::exponent_overflow) return Parsed::beyond_the_checker;
  // Skipped by the readers: the tests of src/json have it.
  if (error == boost::json::error::too_deep) return Parsed::beyond_the_checker;
  if (error) return Parsed::invalid;
  if (!parser.done()) return Parsed::incomplete;
  node = std::move(parser.handler().root);
  text.remove_prefix(used);
  return Parsed::whole;
}

}  // namespace json_fuzz
