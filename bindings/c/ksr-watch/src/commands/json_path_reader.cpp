#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <utility>

#include "base/text.hpp"
#include "commands/json_path.hpp"

namespace ksr::commands {
namespace {

namespace json = boost::json;

// Of the operators of filters.
constexpr std::string_view kSigns = "!<>=";

bool has_character(std::string_view characters, char c) {
  return characters.find(c) != std::string_view::npos;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number = 0;
  const char* const last = text.data() + text.size();
  const auto [at, failure] = std::from_chars(text.data(), last, number);
  return failure == std::errc() && at == last ? std::optional(number) : std::nullopt;
}

void add_utf8(std::string& text, std::uint32_t character) {
  const auto byte = [&](std::uint32_t value) { text += static_cast<char>(static_cast<unsigned char>(value)); };
  const auto rest = [&](int bits) { byte(0x80 | ((character >> bits) & 0x3f)); };
  if (character < 0x80) return byte(character);
  if (character < 0x800) {
    byte(0xc0 | (character >> 6));
  } else if (character < 0x10000) {
    byte(0xe0 | (character >> 12));
    rest(6);
  } else {
    byte(0xf0 | (character >> 18));
    rest(12);
    rest(6);
  }
  rest(0);
}

// What one escape sequence of Go stands for (strconv.UnquoteChar); false: it is none. `text` begins behind the
// backslash.
bool unescape_go(std::string_view& text, char quote, std::string& out) {
  const char kind = text.empty() ? '\0' : text.front();
  const bool is_octal = kind >= '0' && kind <= '7';
  const std::size_t size = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : is_octal ? 3 : 0;
  if (size > 0) {
    const std::string_view digits = text.substr(is_octal ? 0 : 1, size);
    std::uint32_t value = 0;
    const char* const last = digits.data() + digits.size();
    const auto [at, failure] = std::from_chars(digits.data(), last, value, is_octal ? 8 : 16);
    if (digits.size() != size || failure != std::errc() || at != last) return false;
    text.remove_prefix(size + (is_octal ? 0 : 1));
    if (size <= 3) {
      out += static_cast<char>(static_cast<unsigned char>(value));
      return value <= 0xff;
    }
    add_utf8(out, value);
    return value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
  }
  static constexpr std::string_view kNames = "abfnrtv\\'\"";
  const std::size_t place = kNames.find(kind);
  if (place == std::string_view::npos || (has_character("'\"", kind) && kind != quote)) return false;
  out += "\a\b\f\n\r\t\v\\'\""[place];
  text.remove_prefix(1);
  return true;
}

// What stands between the quotes.
std::optional<std::string> unquoted(std::string_view text, char quote) {
  std::string plain;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == quote || (c == '\\' && !unescape_go(text, quote, plain))) return std::nullopt;
    if (c != '\\') plain += c;
  }
  return plain;
}

}  // namespace

// util/jsonpath/parser.go. A byte beyond ASCII counts as a letter.
class JsonPath::Reader {
 public:
  // `text` is what stands between the braces. The closing one is read too: a backslash before it takes it away.
  Reader(std::string_view expression, std::string_view text) : expression_(expression), text_(text) { text_ += '}'; }

  Expected<Steps> read() {
    while (at_ < text_.size()) {
      if (text_[at_] == '}') return std::move(steps_);
      if (Expected<void> step = read_step(); !step) return step.error();
    }
    return wrong("unclosed action");
  }

 private:
  Error wrong(const std::string& what) const {
    return {Status::invalid, "JSONPath " + in_quotes(expression_) + ": " + one_line(what)};
  }
  bool is_at(std::string_view prefix) const { return text_.compare(at_, prefix.size(), prefix) == 0; }
  static bool is_terminator(char c) { return has_character(" \t\r\n.,[]$@{}", c); }
  static bool is_letter(char c) {
    return is_lower(c) || is_upper(c) || c == '_' || static_cast<unsigned char>(c) > 0x7f;
  }

  Expected<void> read_step() {
    if (is_at("[?(")) return read_filter();
    if (is_at("..")) return read_descent();
    const char c = text_[at_];
    if (c == '[') return read_brackets();
    if (c == '"' || c == '\'') return read_text(c);
    if (c == '+' || c == '-' || is_digit(c)) return read_number();
    if (is_letter(c)) return read_word();
    ++at_;
    if (c == '.') {
      read_field();
    } else if (c == '\r' || c == '\n') {
      return wrong("unclosed action");
    } else if (!has_character(" @$", c)) {
      return wrong("unrecognized character in action: " + in_quotes({&c, 1}));
    }
    return {};
  }

  // Up to where another step begins; a backslash takes the next character as it is.
  void read_field() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && !is_terminator(text_[at_])) at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_, text_.size());
    std::string name = text_.substr(begin, at_ - begin);
    if (name == "*") {
      steps_.emplace_back(Kind::all);
      return;
    }
    name.erase(std::remove(name.begin(), name.end(), '\\'), name.end());
    steps_.emplace_back(Kind::field).name = std::move(name);
  }

  Expected<void> read_descent() {
    if (!steps_.empty() && steps_.back().kind == Kind::descent) return wrong("invalid multiple recursive descent");
    at_ += 2;
    steps_.emplace_back(Kind::descent);
    if (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) read_field();
    return {};
  }

  Expected<void> read_word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && !is_terminator(text_[at_])) ++at_;
    std::string word = text_.substr(begin, at_ - begin);
    if (word == "range" || word == "end") return wrong("range and end are not supported");
    if (word == "true" || word == "false") {
      steps_.emplace_back(Kind::constant).constant = word == "true";
    } else {
      steps_.emplace_back(Kind::word).name = std::move(word);
    }
    return {};
  }

  Expected<void> read_number() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) ++at_;
    const std::string_view text = std::string_view(text_).substr(begin, at_ - begin);
    const std::string_view number = text.substr(text.front() == '+' ? 1 : 0);
    if (const auto integer = number_of<std::int64_t>(number)) {
      steps_.emplace_back(Kind::constant).constant = *integer;
    } else if (const auto real = number_of<double>(number)) {
      steps_.emplace_back(Kind::constant).constant = *real;
    } else {
      return wrong("cannot parse number " + std::string(text));
    }
    return {};
  }

  Expected<void> read_text(char quote) {
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != '\n' && (text_[at_] != quote || text_[at_ - 1] == '\\')) ++at_;
    if (at_ == text_.size() || text_[at_] == '\n') return wrong("unterminated quoted string");
    const auto text = unquoted(std::string_view(text_).substr(begin, at_ - begin), quote);
    ++at_;
    if (!text) return wrong("unquote string " + text_.substr(begin - 1, at_ - begin + 1) + " error invalid syntax");
    steps_.emplace_back(Kind::text).constant = json::string(*text);
    return {};
  }

  Expected<void> read_brackets() {
    const std::size_t end = text_.find_first_of("]\n", at_);
    if (end == std::string::npos || text_[end] == '\n') return wrong("unterminated array");
    const std::string_view inside = std::string_view(text_).substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    if (inside.find(',') != std::string_view::npos) {
      Step step(Kind::several);
      for (const std::string_view one : split(inside, ',')) {
        Expected<Steps> path = Reader(expression_, "[" + std::string(trimmed(one, " ")) + "]").read();
        if (!path) return path.error();
        step.paths.push_back(*std::move(path));
      }
      steps_.push_back(std::move(step));
      return {};
    }
    if (inside.size() > 1 && inside.front() == '\'' && inside.find('\'', 1) == inside.size() - 1) {
      // With its dots: they are not part of a name here either, unless a backslash is before them.
      Expected<Steps> path = Reader(expression_, "." + std::string(inside.substr(1, inside.size() - 2))).read();
      if (!path) return path.error();
      std::move(path->begin(), path->end(), std::back_inserter(steps_));
      return {};
    }
    return read_slice(inside == "*" ? ":" : inside);
  }

  Expected<void> read_slice(std::string_view inside) {
    const std::vector<std::string_view> parts = split(inside, ':');
    const auto is_number = [](std::string_view part) {
      if (!part.empty() && part.front() == '-') part.remove_prefix(1);
      return std::all_of(part.begin(), part.end(), is_digit);
    };
    if (parts.size() > 3 || !std::all_of(parts.begin(), parts.end(), is_number)) {
      return wrong("invalid array index " + std::string(inside));
    }
    std::array<std::optional<std::int64_t>, 3> numbers;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i].empty()) continue;
      numbers[i] = number_of<std::int64_t>(parts[i]);
      if (!numbers[i]) return wrong("array index " + std::string(parts[i]) + " is not a number");
    }
    Step step(Kind::slice);
    step.first = numbers[0].value_or(0);
    step.is_element = parts.size() == 1;
    step.end = numbers[1];
    step.stride = numbers[2];
    steps_.push_back(std::move(step));
    return {};
  }

  Expected<void> read_filter() {
    at_ += 3;
    const std::size_t begin = at_;
    // Only the first text in quotes is one in which a parenthesis does not end the filter.
    char quote = '\0';
    bool is_over = false;
    for (;; ++at_) {
      if (at_ == text_.size() || text_[at_] == '\n') return wrong("unterminated filter");
      const char c = text_[at_];
      if (c == ')' && (quote != '\0') == is_over) break;
      if (c != '"' && c != '\'') continue;
      if (quote == '\0') {
        quote = c;
      } else if (c == quote && text_[at_ - 1] != '\\') {
        is_over = true;
      }
    }
    const std::string_view inside = std::string_view(text_).substr(begin, at_ - begin);
    ++at_;
    if (!is_at("]")) return wrong("unclosed array expect ]");
    ++at_;
    Step step(Kind::filter);
    std::vector<std::string_view> operands{inside};
    if (const auto [sign, size] = find_operator(inside); size > 0) {
      step.name = inside.substr(sign, size);
      operands = {inside.substr(0, sign), inside.substr(sign + size)};
    }
    for (const std::string_view operand : operands) {
      Expected<Steps> path = Reader(expression_, operand).read();
      if (!path) return path.error();
      step.paths.push_back(*std::move(path));
    }
    steps_.push_back(std::move(step));
    return {};
  }

  // Place and size; something is on both sides of it.
  static std::pair<std::size_t, std::size_t> find_operator(std::string_view filter) {
    const std::size_t sign = filter.find_first_of(kSigns);
    if (sign == 0 || sign == std::string_view::npos) return {0, 0};
    const std::size_t end = std::min(filter.find_first_not_of(kSigns, sign), filter.size() - 1);
    return {sign, end - sign};
  }

  std::string_view expression_;
  std::string text_;
  std::size_t at_ = 0;
  Steps steps_;
};

// k8s.io/kubectl/pkg/cmd/get/customcolumn.go, RelaxedJSONPathExpression: each begins with a dot, ['a'] too, which then
// comes behind a field without a name.
Expected<JsonPath> JsonPath::parse(std::string_view expression) {
  if (expression.empty()) return Error{Status::invalid, "jsonpath expression cannot be empty"};
  std::string_view text = expression;
  if (text.size() > 2 && text.front() == '{' && text.back() == '}') text = text.substr(1, text.size() - 2);
  if (text.find_first_of("{}") != std::string_view::npos) {
    return Error{Status::invalid,
                 "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or "
                 "'{.name1.name2}'"};
  }
  if (text.size() > 1 && text.front() == '.') text.remove_prefix(1);
  Expected<Steps> steps = Reader(expression, "." + std::string(text)).read();
  if (!steps) return steps.error();
  JsonPath path;
  path.steps_ = *std::move(steps);
  return path;
}

}  // namespace ksr::commands
