#include "commands/wait_condition.hpp"

#include <utility>
#include <vector>

#include "base/text.hpp"
#include "commands/json_text.hpp"
#include "commands/usage_error.hpp"

namespace ksr::commands {
namespace {

namespace json = boost::json;

constexpr std::string_view kCondition = "condition=";
constexpr std::string_view kJsonPath = "jsonpath=";

// At each single "=" (k8s.io/kubectl/pkg/cmd/wait, splitJSONPathInput): filters have two of them.
std::vector<std::string> split_at_equals(std::string_view text) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      parts.back() += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '=') {
      parts.back() += "==";
      ++i;
    } else {
      parts.emplace_back();
    }
  }
  return parts;
}

std::string without_quotes(std::string_view text) {
  const std::size_t first = text.find_first_not_of("'\"");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of("'\"") - first + 1));
}

const std::int64_t* integer_at(const json::value& value, std::initializer_list<std::string_view> path) {
  const json::value* found = value_at(value, path);
  return found == nullptr ? nullptr : found->if_int64();
}

// k8s.io/apimachinery/pkg/apis/meta/v1/unstructured/helpers.go, NestedSlice
Error no_conditions(const json::value& value, const char* expected) {
  return usage_error(".status.conditions accessor error: " + one_line(go_text(value)) + " is of the type " +
                     go_type(value) + ", expected " + expected);
}

}  // namespace

Expected<WaitCondition> WaitCondition::parse(const std::string& text) {
  WaitCondition condition;
  const std::string_view view = text;
  const std::string lower = lower_case(text);
  if (lower == "create" || lower == "delete") {
    condition.kind_ = lower == "create" ? Kind::created : Kind::deleted;
  } else if (view.substr(0, kCondition.size()) == kCondition) {
    const std::string_view rest = view.substr(kCondition.size());
    const std::size_t equals = rest.find('=');
    condition.kind_ = Kind::condition;
    condition.name_ = rest.substr(0, equals);
    condition.value_ = equals == std::string_view::npos ? "true" : std::string(rest.substr(equals + 1));
  } else if (view.substr(0, kJsonPath.size()) == kJsonPath || (!text.empty() && text.front() == '/')) {
    const bool is_pointer = text.front() == '/';
    const auto parts = split_at_equals(is_pointer ? view : view.substr(kJsonPath.size()));
    if (parts.size() > 2) {
      return usage_error(
          "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or "
          "--for=jsonpath='{.status.readyReplicas}'");
    }
    Expected<JsonPath> path = is_pointer ? JsonPath::of_pointer(parts.front()) : JsonPath::parse(parts.front());
    if (!path) return path.error();
    condition.kind_ = Kind::value;
    condition.path_ = *std::move(path);
    if (parts.size() == 2) condition.value_ = without_quotes(parts.back());
    if (condition.value_ && condition.value_->empty()) {
      return usage_error(
          "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3");
    }
  } else {
    return usage_error("unrecognized condition: " + in_quotes(text));
  }
  return condition;
}

Expected<bool> WaitCondition::is_met(const json::value& object) const {
  switch (kind_) {
    case Kind::created:
      return true;
    case Kind::deleted:
      return false;
    case Kind::condition:
      return has_condition(object);
    case Kind::value:
      break;
  }
  return has_value(object);
}

// k8s.io/kubectl/pkg/cmd/wait/condition.go, checkCondition: a condition of an older generation says nothing.
Expected<bool> WaitCondition::has_condition(const json::value& object) const {
  const json::value* whole_status = value_at(object, {"status"});
  if (whole_status == nullptr || whole_status->is_null()) return false;
  if (!whole_status->is_object()) return no_conditions(*whole_status, "map[string]interface{}");
  const json::value* conditions = value_at(*whole_status, {"conditions"});
  if (conditions == nullptr) return false;
  if (!conditions->is_array()) return no_conditions(*conditions, "[]interface{}");
  for (const json::value& condition : conditions->get_array()) {
    if (lower_case(text_at(condition, {"type"})) != lower_case(name_)) continue;
    const json::value* status = value_at(condition, {"status"});
    if (status == nullptr || !status->is_string()) continue;
    const std::int64_t* observed = integer_at(condition, {"observedGeneration"});
    if (observed == nullptr) observed = integer_at(object, {"status", "observedGeneration"});
    const std::int64_t* generation = integer_at(object, {"metadata", "generation"});
    if (generation != nullptr && observed != nullptr && *observed < *generation) return false;
    return lower_case(go_text(*status)) == lower_case(*value_);
  }
  return false;
}

Expected<bool> WaitCondition::has_value(const json::value& object) const {
  const auto found = path_.find(object);
  if (!found) return found.error();
  if (found->empty()) return false;
  if (found->size() > 1) return usage_error("given jsonpath expression matches more than one value");
  if (!value_) return true;
  const json::value& value = *found->front();
  if (value.is_object() || value.is_array()) {
    return usage_error("jsonpath leads to a nested object or list which is not supported");
  }
  return trimmed(go_text(value)) == trimmed(*value_);
}

}  // namespace ksr::commands
