#include "commands/answer_object.hpp"

#include <cstdint>
#include <optional>
#include <utility>

#include "base/escapes.hpp"
#include "base/status.hpp"
#include "base/text.hpp"
#include "commands/json_text.hpp"

namespace ksr::commands {
namespace {

namespace json = boost::json;

constexpr int kInternalError = 500;

Failure no_object(const std::string& request, const std::string& what) {
  Failure failure;
  failure.code = KSR_E_PROTOCOL;
  failure.message = request + ": the server's answer " + what;
  return failure;
}

// k8s.io/client-go/rest/request.go, Result.Get: any Status but that of a success is an error.
bool is_failure(const json::value& object) {
  const std::string version = text_at(object, {"apiVersion"});
  return text_at(object, {"kind"}) == "Status" && (version == "v1" || version.empty()) &&
         text_at(object, {"status"}) != "Success";
}

Failure failure_of_status(const json::value& status, const std::string& request) {
  Failure failure;
  const json::value* code = value_at(status, {"code"});
  const std::int64_t number = code != nullptr && code->is_int64() ? code->get_int64() : kInternalError;
  failure.http_status = number >= 400 && number < 600 ? static_cast<int>(number) : kInternalError;
  // As the library has it for the same code in the head of an answer.
  failure.code = static_cast<ksr_status>(status_of_refused_call(failure.http_status));
  failure.message = request + ": the server's answer is a Status that is no success";
  failure.reason = one_line(text_at(status, {"reason"}));
  failure.details = json::serialize(status);
  return failure;
}

}  // namespace

std::variant<json::value, Failure> read_object(std::string_view body, const std::string& request) {
  std::optional<json::value> object = parse_answer(body);
  if (!object) {
    const std::string number = number_out_of_range(json_as_unicode(body));
    if (number.empty()) return no_object(request, "is not JSON");
    return no_object(request, "has the number " + one_line(number) + ", which is out of range");
  }
  if (!object->is_object()) return no_object(request, "is no JSON object");
  if (is_failure(*object)) return failure_of_status(*object, request);
  if (text_at(*object, {"kind"}).empty()) return no_object(request, "is no Kubernetes object: it has no kind");
  return *std::move(object);
}

}  // namespace ksr::commands
