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
  if (error) return Parsed::invalid;
  if (!parser.done()) return Parsed::incomplete;
  node = std::move(parser.handler().root);
  text.remove_prefix(used);
  return Parsed::whole;
}

}  // namespace json_fuzz
