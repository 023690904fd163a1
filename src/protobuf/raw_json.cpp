#include "protobuf/raw_json.hpp"

#include <cstdint>

#include "base/escapes.hpp"
#include "json/scanner.hpp"

namespace ksr::protobuf {
namespace {

constexpr std::string_view kLineSeparator = "\u2028";
constexpr std::string_view kParagraphSeparator = "\u2029";

// Counts what the scanner finds outermost.
struct ValueCounter {
  std::size_t values = 0;
  bool too_deep = false;
  bool on_key(const json::RawText&, std::uint64_t) { return true; }
  bool on_value(json::ValueKind, std::uint64_t, json::Interest&) {
    ++values;
    return true;
  }
  bool on_value_end(std::uint64_t, const json::RawText&) { return true; }
  bool on_leave(std::uint64_t) { return true; }
  bool on_comma(std::uint64_t) { return true; }
  bool on_too_deep(std::uint64_t) {
    too_deep = true;
    return true;
  }
};

// `ill_formed`: it has text that is no Unicode.
RawJson one_value(std::string_view text, std::size_t max_depth, bool& ill_formed) {
  ValueCounter counter;
  json::Scanner<ValueCounter> scanner(counter, max_depth);
  // A number at the end ends with what follows it.
  const bool valid = scanner.feed(text) == json::Outcome::more && scanner.feed("\n") == json::Outcome::more;
  ill_formed = scanner.take_ill_formed();
  if (!valid || !scanner.between_documents() || counter.values != 1) return RawJson::none;
  return counter.too_deep ? RawJson::too_deep : RawJson::done;
}

// What an escape stands for at the front of `rest`; empty for what is copied.
std::string_view escape_at(std::string_view rest) noexcept {
  switch (rest.front()) {
    case '<':
      return "\\u003c";
    case '>':
      return "\\u003e";
    case '&':
      return "\\u0026";
    case '\xe2':
      if (rest.substr(0, kLineSeparator.size()) == kLineSeparator) return "\\u2028";
      if (rest.substr(0, kParagraphSeparator.size()) == kParagraphSeparator) return "\\u2029";
      return {};
    default:
      return {};
  }
}

}  // namespace

RawJson compact_json(std::string_view text, std::size_t max_depth, std::size_t max_size, std::string& to) {
  bool ill_formed = false;
  if (const RawJson found = one_value(text, max_depth, ill_formed); found != RawJson::done) return found;
  std::string mended;
  if (ill_formed) {
    mended = json_as_unicode(text);
    text = mended;
  }
  bool in_string = false;
  // From where on nothing has been copied yet.
  std::size_t begin = 0;
  const auto copy_up_to = [&](std::size_t end, std::size_t next) {
    to.append(text, begin, end - begin);
    begin = next;
  };
  for (std::size_t at = 0; at < text.size() && to.size() <= max_size; ++at) {
    const char c = text[at];
    if (c == '"') {
      in_string = !in_string;
    } else if (c == '\\') {
      ++at;
    } else if (json::is_space(c) && !in_string) {
      copy_up_to(at, at + 1);
    } else if (const std::string_view escape = escape_at(text.substr(at)); !escape.empty()) {
      const std::size_t size = c == '\xe2' ? 3 : 1;
      copy_up_to(at, at + size);
      to += escape;
      at += size - 1;
    }
  }
  copy_up_to(text.size(), text.size());
  return RawJson::done;
}

}  // namespace ksr::protobuf
