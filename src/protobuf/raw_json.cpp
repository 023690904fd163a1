#include "protobuf/raw_json.hpp"

#include <cstdint>

#include "json/scanner.hpp"

namespace ksr::protobuf {
namespace {

// Counts what the scanner finds outermost.
struct ValueCounter {
  std::size_t values = 0;
  bool on_key(const json::RawText&, std::uint64_t) { return true; }
  bool on_value(json::ValueKind, std::uint64_t, json::Interest&) {
    ++values;
    return true;
  }
  bool on_value_end(std::uint64_t, const json::RawText&) { return true; }
  bool on_leave(std::uint64_t) { return true; }
  bool on_comma(std::uint64_t) { return true; }
};

bool is_one_value(std::string_view text, std::size_t max_depth) {
  ValueCounter counter;
  json::Scanner<ValueCounter> scanner(counter, max_depth);
  // A number at the end ends with what follows it.
  return scanner.feed(text) == json::Outcome::more && scanner.feed("\n") == json::Outcome::more &&
         scanner.between_documents() && counter.values == 1;
}

void append_character(std::string_view text, std::size_t& at, std::string& to) {
  const char c = text[at];
  if (c == '<' || c == '>' || c == '&') {
    to += c == '<' ? "\\u003c" : c == '>' ? "\\u003e" : "\\u0026";
  } else if (const std::string_view three = text.substr(at, 3); three == "\u2028" || three == "\u2029") {
    to += three == "\u2028" ? "\\u2028" : "\\u2029";
    at += 2;
  } else {
    to += c;
  }
}

}  // namespace

bool compact_json(std::string_view text, std::size_t max_depth, std::string& to) {
  if (!is_one_value(text, max_depth)) return false;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!in_string && json::is_space(text[at])) continue;
    if (text[at] == '"') in_string = !in_string;
    if (in_string && text[at] == '\\') to += text[at++];
    append_character(text, at, to);
  }
  return true;
}

}  // namespace ksr::protobuf
