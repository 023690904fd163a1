#include "commands/json_path.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.hpp"
#include "commands/json_text.hpp"

namespace ksr::commands {
namespace {

namespace json = boost::json;
using Values = std::vector<const json::value*>;

Error wrong(std::string_view expression, const std::string& what) {
  return {Status::invalid, "JSONPath " + in_quotes(expression) + ": " + what};
}

}  // namespace

class JsonPath::Reader {
 public:
  Reader(std::string_view expression, std::string_view rest) : expression_(expression), rest_(rest) {}

  // To the end, or to what cannot be part of a path.
  Expected<std::vector<Step>> read_steps() {
    std::vector<Step> steps;
    while (!rest_.empty()) {
      Expected<Step> step = rest_.front() == '[' ? read_brackets() : read_field();
      if (!step) return step.error();
      steps.push_back(*std::move(step));
    }
    if (steps.empty()) return wrong(expression_, "expected a path such as {.status.phase}");
    return steps;
  }

 private:
  // .name, or name at the beginning.
  Expected<Step> read_field() {
    if (rest_.front() == '.') rest_.remove_prefix(1);
    Step step;
    while (!rest_.empty() && rest_.front() != '.' && rest_.front() != '[') {
      if (rest_.front() == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      step.name += rest_.front();
      rest_.remove_prefix(1);
    }
    if (step.name.empty()) return wrong(expression_, "expected a name behind each dot; \"..\" is not supported");
    if (step.name == "*") step.kind = Kind::all;
    return step;
  }

  Expected<Step> read_brackets() {
    const std::size_t end = end_of_brackets();
    if (end == std::string_view::npos) return wrong(expression_, "expected ] behind each [");
    const std::string_view inside = trimmed(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    Step step;
    if (inside == "*") {
      step.kind = Kind::all;
      return step;
    }
    if (!inside.empty() && (inside.front() == '\'' || inside.front() == '"')) {
      if (inside.size() < 2 || inside.back() != inside.front()) return wrong(expression_, "expected a name in quotes");
      step.name = inside.substr(1, inside.size() - 2);
      return step;
    }
    if (!inside.empty() && inside.front() == '?') return read_filter(inside);
    step.kind = Kind::element;
    const char* const last = inside.data() + inside.size();
    const auto [at, failure] = std::from_chars(inside.data(), last, step.element);
    if (failure != std::errc() || at != last) {
      return wrong(expression_, "expected a number, *, a name in quotes or a filter in brackets");
    }
    return step;
  }

  // ?(@.path=="value"), also != and without a comparison.
  Expected<Step> read_filter(std::string_view text) const {
    const Error expected = wrong(expression_, "expected a filter such as ?(@.type==\"Ready\")");
    if (text.size() < 5 || text.substr(0, 3) != "?(@" || text.back() != ')') return expected;
    text = trimmed(text.substr(3, text.size() - 4));
    Step step;
    step.kind = Kind::filter;
    std::size_t sign = text.find("==");
    if (const std::size_t other = text.find("!="); other < sign) {
      sign = other;
      step.equal = false;
    }
    if (sign == std::string_view::npos) return expected;
    std::string_view value = trimmed(text.substr(sign + 2));
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front()) {
      value = value.substr(1, value.size() - 2);
    }
    step.name = value;
    Expected<std::vector<Step>> path = Reader(expression_, trimmed(text.substr(0, sign))).read_steps();
    if (!path) return path.error();
    step.path = *std::move(path);
    return step;
  }

  // Of what begins with "[": brackets in quotes do not count.
  std::size_t end_of_brackets() const {
    char quote = '\0';
    int depth = 0;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (quote != '\0') {
        if (c == quote) quote = '\0';
      } else if (c == '\'' || c == '"') {
        quote = c;
      } else if (c == '[') {
        ++depth;
      } else if (c == ']' && --depth == 0) {
        return i;
      }
    }
    return std::string_view::npos;
  }

  std::string_view expression_;
  std::string_view rest_;
};

Expected<JsonPath> JsonPath::parse(std::string_view expression) {
  std::string_view text = expression;
  if (text.size() >= 2 && text.front() == '{' && text.back() == '}') text = text.substr(1, text.size() - 2);
  if (text.find_first_of("{}") != std::string_view::npos || text.empty()) {
    return Error{Status::invalid,
                 "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or "
                 "'{.name1.name2}'"};
  }
  Expected<std::vector<Step>> steps = Reader(expression, text).read_steps();
  if (!steps) return steps.error();
  JsonPath path;
  path.steps_ = *std::move(steps);
  return path;
}

Expected<JsonPath> JsonPath::of_pointer(std::string_view pointer) {
  const Error expected{Status::invalid, "expected a JSON pointer such as /status/phase, not " + in_quotes(pointer)};
  if (pointer.empty() || pointer.front() != '/') return expected;
  JsonPath path;
  for (const std::string_view token : split(pointer.substr(1), '/')) {
    Step step;
    step.also_element = true;
    for (std::size_t i = 0; i < token.size(); ++i) {
      if (token[i] != '~') {
        step.name += token[i];
        continue;
      }
      if (++i == token.size() || (token[i] != '0' && token[i] != '1')) return expected;
      step.name += token[i] == '0' ? '~' : '/';
    }
    path.steps_.push_back(std::move(step));
  }
  return path;
}

Expected<Values> JsonPath::find(const json::value& value) const {
  return apply(steps_, value);
}

Expected<Values> JsonPath::apply(const std::vector<Step>& steps, const json::value& value) {
  Values found{&value};
  for (const Step& step : steps) {
    Values next;
    for (const json::value* one : found) {
      if (Expected<void> applied = apply_one(step, *one, next); !applied) return applied.error();
    }
    found = std::move(next);
  }
  return found;
}

Expected<void> JsonPath::apply_one(const Step& step, const json::value& value, Values& found) {
  const json::object* const object = value.if_object();
  const json::array* const array = value.if_array();
  if (step.kind == Kind::field && object != nullptr) {
    if (const json::value* member = object->if_contains(step.name); member != nullptr) found.push_back(member);
  } else if (step.kind == Kind::field && array != nullptr && step.also_element) {
    std::size_t place = 0;
    const char* const last = step.name.data() + step.name.size();
    const auto [at, failure] = std::from_chars(step.name.data(), last, place);
    if (failure == std::errc() && at == last && place < array->size()) found.push_back(&(*array)[place]);
  } else if (step.kind == Kind::element && array != nullptr) {
    const auto size = static_cast<std::int64_t>(array->size());
    const std::int64_t place = step.element < 0 ? step.element + size : step.element;
    if (place < 0 || place >= size) {
      return Error{Status::invalid, "array index out of bounds: index " + std::to_string(step.element) + ", length " +
                                        std::to_string(size)};
    }
    found.push_back(&(*array)[static_cast<std::size_t>(place)]);
  } else if (step.kind == Kind::all || step.kind == Kind::filter) {
    const auto take = [&](const json::value& one) {
      if (step.kind == Kind::all || passes(step, one)) found.push_back(&one);
    };
    if (array != nullptr) std::for_each(array->begin(), array->end(), take);
    if (object != nullptr) {
      for (const auto& member : *object) take(member.value());
    }
  }
  return {};
}

bool JsonPath::passes(const Step& filter, const json::value& value) {
  const Expected<Values> found = apply(filter.path, value);
  if (!found || found->size() != 1) return false;
  return (scalar_text(*found->front()) == filter.name) == filter.equal;
}

std::string scalar_text(const json::value& value) {
  if (value.is_string()) return {value.get_string().data(), value.get_string().size()};
  if (value.is_double()) return go_number(value.get_double());
  if (value.is_null()) return "<nil>";
  return json::serialize(value);
}

}  // namespace ksr::commands
