#include "json/api_status.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"

namespace ksr::json {
namespace {

namespace bj = boost::json;

// A larger body is not a Status of any API server, and the parser keeps the whole of it in memory.
constexpr std::size_t kMaxStatusSize = std::size_t{1} << 20;
constexpr std::size_t kMaxStatusDepth = 64;
constexpr std::size_t kMaxCauses = 64;

std::string text_member(const bj::object& object, std::string_view name) {
  const bj::value* value = object.if_contains(name);
  const bj::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : one_line(std::string_view(text->data(), text->size()));
}

// As it came, not as it is shown.
bool has_text(const bj::object& object, std::string_view name, std::string_view text) {
  const bj::value* value = object.if_contains(name);
  const bj::string* held = value == nullptr ? nullptr : value->if_string();
  return held != nullptr && std::string_view(held->data(), held->size()) == text;
}

std::optional<int> int_member(const bj::object& object, std::string_view name) {
  const bj::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  boost::system::error_code error;
  const auto number = value->to_number<int>(error);
  if (error) return std::nullopt;
  return number;
}

const bj::object* object_member(const bj::object& object, std::string_view name) {
  const bj::value* value = object.if_contains(name);
  return value == nullptr ? nullptr : value->if_object();
}

// The Status of a request that timed out comes without kind and apiVersion (apiserver filters/timeout.go, which encodes
// the bare struct); no gateway writes its other members.
bool is_status(const bj::object& object) {
  if (object.contains("kind") || object.contains("apiVersion")) return has_text(object, "kind", "Status");
  return has_text(object, "status", "Failure") && object_member(object, "metadata") != nullptr &&
         int_member(object, "code").has_value();
}

std::vector<StatusCause> read_causes(const bj::object& details) {
  std::vector<StatusCause> causes;
  const bj::value* value = details.if_contains("causes");
  const bj::array* array = value == nullptr ? nullptr : value->if_array();
  if (array == nullptr) return causes;
  for (const bj::value& element : *array) {
    if (causes.size() == kMaxCauses) break;
    const bj::object* cause = element.if_object();
    if (cause == nullptr) continue;
    causes.push_back({text_member(*cause, "reason"), text_member(*cause, "message"), text_member(*cause, "field")});
  }
  return causes;
}

}  // namespace

std::optional<ApiStatus> parse_api_status(std::string_view text) {
  if (text.empty() || text.size() > kMaxStatusSize) return std::nullopt;
  bj::parse_options options;
  options.max_depth = kMaxStatusDepth;
  boost::system::error_code error;
  bj::monotonic_resource memory;
  const bj::value document = bj::parse(text, error, &memory, options);
  if (error || !document.is_object()) return std::nullopt;
  const bj::object& object = document.get_object();
  if (!is_status(object)) return std::nullopt;

  ApiStatus status;
  status.code = int_member(object, "code").value_or(0);
  status.reason = text_member(object, "reason");
  status.message = text_member(object, "message");
  if (const bj::object* details = object_member(object, "details")) {
    status.object_name = text_member(*details, "name");
    status.retry_after_seconds = int_member(*details, "retryAfterSeconds");
    if (status.retry_after_seconds && *status.retry_after_seconds < 0) status.retry_after_seconds.reset();
    if (status.retry_after_seconds) {
      status.retry_after_seconds = std::min(*status.retry_after_seconds, static_cast<int>(kMaxRetryAfter.count()));
    }
    status.causes = read_causes(*details);
  }
  return status;
}

}  // namespace ksr::json
