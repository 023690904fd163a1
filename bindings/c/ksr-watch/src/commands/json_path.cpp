#include "commands/json_path.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <utility>

#include "base/text.hpp"
#include "commands/json_text.hpp"

namespace ksr::commands {
namespace {

namespace json = boost::json;

Error cannot_find(std::string message) {
  return {Status::invalid, std::move(message)};
}

// The bytes of a string, which Go's reflection takes it apart to.
const json::value& byte_value(char c) {
  static const auto* const all = [] {
    auto* values = new std::array<json::value, 256>;
    for (std::size_t i = 0; i < values->size(); ++i) (*values)[i] = static_cast<std::int64_t>(i);
    return values;
  }();
  return (*all)[static_cast<unsigned char>(c)];
}

std::string_view view_of(const json::string& text) {
  return {text.data(), text.size()};
}

template <class Visit>
void each_child(const json::value& value, const Visit& visit) {
  if (const json::array* array = value.if_array()) {
    for (const json::value& one : *array) visit(one);
  } else if (const json::object* object = value.if_object()) {
    for (const auto& member : *object) visit(member.value());
  } else if (const json::string* text = value.if_string()) {
    for (const char c : *text) visit(byte_value(c));
  }
}

// What has children, in front of them.
void add_descent(const json::value& value, std::vector<const json::value*>& found) {
  bool has_children = false;
  each_child(value, [&](const json::value& child) {
    if (!has_children) found.push_back(&value);
    has_children = true;
    if (!value.is_string()) add_descent(child, found);
  });
}

// client-go/third_party/forked/golang/template/funcs.go, basicKind: only what has the same type is compared.
enum class Comparable : std::uint8_t { none, boolean, integer, real, text };

Comparable comparable(const json::value& value) {
  if (value.is_bool()) return Comparable::boolean;
  if (value.is_int64()) return Comparable::integer;
  if (value.is_number()) return Comparable::real;
  return value.is_string() ? Comparable::text : Comparable::none;
}

template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

Expected<bool> compare(const json::value& a, const json::value& b, std::string_view sign) {
  if (sign == "=" || sign == "!" || (sign.size() > 1 && sign.substr(1) != "=")) {
    return cannot_find("unrecognized filter operator " + std::string(sign));
  }
  const Comparable kind = comparable(a);
  const bool by_size = sign.front() == '<' || sign.front() == '>';
  if (kind == Comparable::none || comparable(b) == Comparable::none) return cannot_find("invalid type for comparison");
  if (kind != comparable(b)) return cannot_find("incompatible types for comparison");
  if (kind == Comparable::boolean && by_size) return cannot_find("invalid type for comparison");
  int ordered = 0;
  if (kind == Comparable::boolean) {
    ordered = order(a.get_bool(), b.get_bool());
  } else if (kind == Comparable::integer) {
    ordered = order(a.get_int64(), b.get_int64());
  } else if (kind == Comparable::real) {
    ordered = order(a.to_number<double>(), b.to_number<double>());
  } else {
    ordered = order(view_of(a.get_string()), view_of(b.get_string()));
  }
  if (!by_size) return (ordered == 0) == (sign.front() == '=');
  if (ordered == 0) return sign.size() > 1;
  return (ordered < 0) == (sign.front() == '<');
}

}  // namespace

Expected<JsonPath> JsonPath::of_pointer(std::string_view pointer) {
  const Error expected{Status::invalid, "expected a JSON pointer such as /status/phase, not " + in_quotes(pointer)};
  if (pointer.empty() || pointer.front() != '/') return expected;
  JsonPath path;
  for (const std::string_view token : split(pointer.substr(1), '/')) {
    Step step(Kind::field);
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

Expected<std::vector<const json::value*>> JsonPath::find(const json::value& value) const {
  Values values{&value};
  if (Expected<void> applied = apply(steps_, values); !applied) return applied.error();
  return values;
}

// util/jsonpath/jsonpath.go
Expected<void> JsonPath::apply(const Steps& steps, Values& values) {
  for (const Step& step : steps) {
    Values found;
    if (Expected<void> applied = apply_one(step, values, found); !applied) return applied;
    values = std::move(found);
  }
  return {};
}

Expected<void> JsonPath::apply_one(const Step& step, const Values& values, Values& found) {
  switch (step.kind) {
    case Kind::field:
      for (const json::value* value : values) add_field(step, *value, found);
      return {};
    case Kind::all:
      for (const json::value* value : values) {
        each_child(*value, [&](const json::value& child) { found.push_back(&child); });
      }
      return {};
    case Kind::descent:
      for (const json::value* value : values) add_descent(*value, found);
      return {};
    case Kind::slice:
      return add_slices(step, values, found);
    case Kind::several:
      for (const Steps& path : step.paths) {
        Values more = values;
        if (Expected<void> applied = apply(path, more); !applied) return applied;
        found.insert(found.end(), more.begin(), more.end());
      }
      return {};
    case Kind::filter:
      return add_filtered(step, values, found);
    case Kind::constant:
      found.assign(values.size(), &step.constant);
      return {};
    case Kind::text:
      found.push_back(&step.constant);
      return {};
    case Kind::word:
      break;
  }
  return cannot_find("unrecognized identifier " + one_line(step.name));
}

void JsonPath::add_field(const Step& step, const json::value& value, Values& found) {
  if (const json::object* object = value.if_object()) {
    if (const json::value* member = object->if_contains(step.name); member != nullptr) found.push_back(member);
  } else if (const json::array* array = value.if_array(); array != nullptr && step.also_element) {
    std::size_t place = 0;
    const char* const last = step.name.data() + step.name.size();
    const auto [at, failure] = std::from_chars(step.name.data(), last, place);
    if (failure == std::errc() && at == last && place < array->size()) found.push_back(&(*array)[place]);
  }
}

Expected<void> JsonPath::add_slices(const Step& step, const Values& values, Values& found) {
  for (const json::value* value : values) {
    if (value->is_null()) continue;
    if (!value->is_array()) return cannot_find(go_type(*value) + std::string(" is not array or slice"));
    const json::array& array = value->get_array();
    const auto size = static_cast<std::int64_t>(array.size());
    const auto out_of_bounds = [&](std::int64_t index) {
      return cannot_find("array index out of bounds: index " + std::to_string(index) + ", length " +
                         std::to_string(size));
    };
    const std::int64_t first = step.first < 0 ? step.first + size : step.first;
    if (step.is_element && (first < 0 || first >= size)) return out_of_bounds(first);
    std::int64_t end = step.is_element ? first + 1 : step.end.value_or(size);
    if (end < 0) end += size;
    // Of no elements nothing is checked, and what is behind it is not looked at.
    if (first == end) return {};
    if (first < 0 || first >= size) return out_of_bounds(first);
    if (end < 0 || end > size) return out_of_bounds(end - 1);
    if (first > end) {
      return cannot_find("starting index " + std::to_string(first) + " is greater than ending index " +
                         std::to_string(end));
    }
    const std::int64_t stride = step.stride.value_or(1);
    if (stride <= 0) return cannot_find("step must be > 0");
    for (std::int64_t i = first; i < end; i += std::min(stride, end - i)) {
      found.push_back(&array[static_cast<std::size_t>(i)]);
    }
  }
  return {};
}

Expected<void> JsonPath::add_filtered(const Step& step, const Values& values, Values& found) {
  for (const json::value* value : values) {
    if (!value->is_array()) {
      return cannot_find(one_line(go_text(*value)) + " is not array or slice and cannot be filtered");
    }
    for (const json::value& element : value->get_array()) {
      const Expected<bool> passed = passes(step, element);
      if (!passed) return passed.error();
      if (*passed) found.push_back(&element);
    }
  }
  return {};
}

Expected<bool> JsonPath::passes(const Step& filter, const json::value& value) {
  std::vector<const json::value*> compared;
  for (const Steps& operand : filter.paths) {
    Values values{&value};
    const Expected<void> applied = apply(operand, values);
    // That the rest of the path fails is not looked at.
    if (filter.name.empty()) return !values.empty();
    if (!applied) return applied.error();
    if (values.size() > 1) return cannot_find("can only compare one element at a time");
    if (values.empty()) return false;
    compared.push_back(values.front());
  }
  return compare(*compared.front(), *compared.back(), filter.name);
}

std::string go_text(const json::value& value) {
  std::string text;
  if (const json::string* string = value.if_string()) return std::string(view_of(*string));
  if (const json::array* array = value.if_array()) {
    for (const json::value& one : *array) text += (&one == array->begin() ? "" : " ") + go_text(one);
    return "[" + text + "]";
  }
  if (const json::object* object = value.if_object()) {
    std::map<std::string_view, const json::value*> members;
    for (const auto& member : *object) members[member.key()] = &member.value();
    for (const auto& [name, member] : members) {
      text.append(text.empty() ? "" : " ").append(name).append(":").append(go_text(*member));
    }
    return "map[" + text + "]";
  }
  if (value.is_null()) return "<nil>";
  // What does not fit into 64 bits with a sign is no integer to it.
  if (value.is_double() || value.is_uint64()) return go_number(value.to_number<double>());
  return json::serialize(value);
}

const char* go_type(const json::value& value) {
  switch (value.kind()) {
    case json::kind::object:
      return "map[string]interface {}";
    case json::kind::array:
      return "[]interface {}";
    case json::kind::string:
      return "string";
    case json::kind::int64:
      return "int64";
    case json::kind::uint64:
    case json::kind::double_:
      return "float64";
    case json::kind::bool_:
      return "bool";
    case json::kind::null:
      break;
  }
  return "<nil>";
}

}  // namespace ksr::commands
