#include "commands/json_text.hpp"

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <map>
#include <utility>

#include "base/escapes.hpp"
#include "base/text.hpp"

namespace ksr::commands {
namespace {

namespace json = boost::json;

// Of any object that a server stores.
constexpr std::size_t kMaxDepth = 1'000;

json::parse_options deep_options() {
  json::parse_options chosen;
  chosen.max_depth = kMaxDepth;
  return chosen;
}

// Makes a value of what the parser finds, as the handler of json::parse does, but for numbers with a fraction or an
// exponent: Boost.JSON's own are not the nearest double.
class Builder {
 public:
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  Builder() { stack_.reset(); }
  json::value release() { return stack_.release(); }
  const std::string& out_of_range() const { return out_of_range_; }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return true; }
  bool on_object_end(std::size_t size, json::error_code&) {
    stack_.push_object(size);
    return true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t size, json::error_code&) {
    stack_.push_array(size);
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_key(json::string_view last, std::size_t, json::error_code&) {
    stack_.push_key(last);
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(json::string_view last, std::size_t, json::error_code&) {
    stack_.push_string(last);
    return true;
  }
  bool on_number_part(json::string_view part, json::error_code&) {
    number_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t number, json::string_view, json::error_code&) {
    number_.clear();
    stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, json::string_view, json::error_code&) {
    number_.clear();
    stack_.push_uint64(number);
    return true;
  }
  bool on_double(double about, json::string_view last, json::error_code& failure) {
    number_.append(last.data(), last.size());
    double number = 0;
    if (std::from_chars(number_.data(), number_.data() + number_.size(), number).ec == std::errc::result_out_of_range) {
      // What is too small is 0 to Go.
      if (std::abs(about) > 1) {
        out_of_range_ = number_;
        failure = json::error::exponent_overflow;
        return false;
      }
      number = std::copysign(0.0, about);
    }
    number_.clear();
    stack_.push_double(number);
    return true;
  }
  bool on_bool(bool truth, json::error_code&) {
    stack_.push_bool(truth);
    return true;
  }
  bool on_null(json::error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  json::value_stack stack_;
  std::string number_;
  std::string out_of_range_;
};

using Parser = json::basic_parser<Builder>;

// Boost.JSON refuses exponents beyond 32 bits, also where the number is 0 to Go. The first digits of one that is longer
// are as good: no text has as many digits as they say.
std::string with_short_exponents(std::string_view text) {
  constexpr std::size_t kMaxDigits = 9;
  std::string shorter;
  shorter.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    shorter += c;
    if (in_string && c == '\\' && i + 1 < text.size()) shorter += text[++i];
    if (c == '"') in_string = !in_string;
    if (in_string || (c != 'e' && c != 'E') || i == 0 || !is_digit(text[i - 1])) continue;
    if (i + 1 < text.size() && (text[i + 1] == '+' || text[i + 1] == '-')) shorter += text[++i];
    const std::size_t begin = i + 1;
    const std::size_t end = std::min(text.find_first_not_of("0123456789", begin), text.size());
    const std::size_t first = std::min(text.find_first_not_of('0', begin), end);
    shorter += end - first > kMaxDigits ? text.substr(first, kMaxDigits) : text.substr(begin, end - begin);
    i = end - 1;
  }
  return shorter;
}

struct Decimal {
  bool negative = false;
  std::string digits;  // the shortest that read back the same, the point after the first
  int exponent = 0;
};

Decimal decimal_of(double number) {
  std::array<char, 64> buffer;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific).ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  Decimal decimal;
  const std::size_t e = text.find('e');
  for (const char c : text.substr(0, e)) {
    if (c == '-') decimal.negative = true;
    if (c >= '0' && c <= '9') decimal.digits += c;
  }
  decimal.exponent = e == std::string_view::npos ? 0 : std::atoi(std::string(text.substr(e + 1)).c_str());
  return decimal;
}

std::string in_full(const Decimal& decimal) {
  std::string text = decimal.negative ? "-" : "";
  const int size = static_cast<int>(decimal.digits.size());
  if (decimal.exponent < 0) {
    return text + "0." + std::string(static_cast<std::size_t>(-decimal.exponent - 1), '0') + decimal.digits;
  }
  if (decimal.exponent + 1 >= size) {
    return text + decimal.digits + std::string(static_cast<std::size_t>(decimal.exponent + 1 - size), '0');
  }
  const auto whole = static_cast<std::size_t>(decimal.exponent + 1);
  return text + decimal.digits.substr(0, whole) + "." + decimal.digits.substr(whole);
}

std::string with_exponent(const Decimal& decimal, int min_digits) {
  std::string text = decimal.negative ? "-" : "";
  text += decimal.digits.substr(0, 1);
  if (decimal.digits.size() > 1) text += "." + decimal.digits.substr(1);
  std::string exponent = std::to_string(std::abs(decimal.exponent));
  if (exponent.size() < static_cast<std::size_t>(min_digits)) exponent.insert(0, "0");
  return text + (decimal.exponent < 0 ? "e-" : "e+") + exponent;
}

void add_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\b') {
      out += "\\b";
    } else if (c == '\f') {
      out += "\\f";
    } else if (byte < 0x20 || c == '<' || c == '>' || c == '&') {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else if (text.substr(i, 3) == "\xe2\x80\xa8" || text.substr(i, 3) == "\xe2\x80\xa9") {
      out += text[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += c;
    }
  }
  out += '"';
}

class Writer {
 public:
  explicit Writer(bool compact) : compact_(compact) {}
  void add(const json::value& value) {
    switch (value.kind()) {
      case json::kind::object:
        return add_object(value.get_object());
      case json::kind::array:
        return add_array(value.get_array());
      case json::kind::string:
        return add_string(text_, value.get_string());
      case json::kind::double_:
        text_ += go_json_number(value.get_double());
        return;
      default:
        text_ += json::serialize(value);
    }
  }
  std::string take() { return std::move(text_); }

 private:
  void begin_line() {
    if (!compact_) text_.append("\n").append(4 * depth_, ' ');
  }

  void add_object(const json::object& object) {
    if (object.empty()) {
      text_ += "{}";
      return;
    }
    std::map<std::string_view, const json::value*> members;
    for (const auto& member : object) members[member.key()] = &member.value();
    const char* before = "{";
    ++depth_;
    for (const auto& [name, value] : members) {
      text_ += before;
      before = ",";
      begin_line();
      add_string(text_, name);
      text_ += compact_ ? ":" : ": ";
      add(*value);
    }
    --depth_;
    begin_line();
    text_ += '}';
  }

  void add_array(const json::array& array) {
    if (array.empty()) {
      text_ += "[]";
      return;
    }
    const char* before = "[";
    ++depth_;
    for (const json::value& value : array) {
      text_ += before;
      before = ",";
      begin_line();
      add(value);
    }
    --depth_;
    begin_line();
    text_ += ']';
  }

  const bool compact_;
  std::string text_;
  std::size_t depth_ = 0;
};

}  // namespace

std::optional<json::value> parse_json(std::string_view text) {
  auto values = parse_json_sequence(text);
  if (!values || values->size() != 1) return std::nullopt;
  return std::make_optional(std::move(values->front()));
}

std::optional<std::vector<json::value>> parse_json_sequence(std::string_view text) {
  std::vector<json::value> values;
  while (true) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return values;
    text.remove_prefix(begin);
    Parser parser(deep_options());
    json::error_code failure;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), failure);
    if (failure == json::error::exponent_overflow) {
      const std::string shorter = with_short_exponents(text);
      auto rest = shorter == text ? std::nullopt : parse_json_sequence(shorter);
      if (rest) std::move(rest->begin(), rest->end(), std::back_inserter(values));
      return rest ? std::make_optional(std::move(values)) : std::nullopt;
    }
    if (failure) return std::nullopt;
    values.push_back(parser.handler().release());
    text.remove_prefix(used);
  }
}

std::optional<json::value> parse_answer(std::string_view text) {
  auto value = parse_json(text);
  return value ? std::move(value) : parse_json(json_as_unicode(text));
}

std::string number_out_of_range(std::string_view written) {
  const std::string shorter = with_short_exponents(written);
  std::string_view text = shorter;
  while (!text.empty()) {
    Parser parser(deep_options());
    json::error_code failure;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), failure);
    if (failure || used == 0) return parser.handler().out_of_range();
    text.remove_prefix(used);
  }
  return "";
}

const json::value* value_at(const json::value& value, std::initializer_list<std::string_view> path) {
  const json::value* place = &value;
  for (const std::string_view name : path) {
    const json::object* object = place->if_object();
    place = object == nullptr ? nullptr : object->if_contains(json::string_view(name.data(), name.size()));
    if (place == nullptr) return nullptr;
  }
  return place;
}

std::string text_at(const json::value& value, std::initializer_list<std::string_view> path) {
  const json::value* place = value_at(value, path);
  const json::string* text = place == nullptr ? nullptr : place->if_string();
  return text == nullptr ? "" : std::string(text->data(), text->size());
}

bool is_list(const json::value& value) {
  const json::value* items = value_at(value, {"items"});
  return items != nullptr && (items->is_array() || items->is_null());
}

const json::array& array_at(const json::value& value, std::initializer_list<std::string_view> path) {
  static const json::array none;
  const json::value* found = value_at(value, path);
  return found != nullptr && found->is_array() ? found->get_array() : none;
}

std::string json_text(const json::value& value) {
  Writer writer(false);
  writer.add(value);
  return writer.take() + "\n";
}

std::string json_body(const json::value& value) {
  Writer writer(true);
  writer.add(value);
  return writer.take();
}

std::string go_json_number(double number) {
  const Decimal decimal = decimal_of(number);
  if (number != 0 && (decimal.exponent < -6 || decimal.exponent > 20)) return with_exponent(decimal, 1);
  return in_full(decimal);
}

std::string go_number(double number) {
  const Decimal decimal = decimal_of(number);
  if (number != 0 && (decimal.exponent < -4 || decimal.exponent >= 6)) return with_exponent(decimal, 2);
  return in_full(decimal);
}

}  // namespace ksr::commands
