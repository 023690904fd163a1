#include "server/status.hpp"

#include <boost/json.hpp>

#include "server/resource_type.hpp"

namespace ksr::testserver {
namespace {

// metav1.StatusReason by HTTP status.
const char* reason_of(unsigned code) {
  switch (code) {
    case 400:
      return "BadRequest";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 405:
      return "MethodNotAllowed";
    case 409:
      return "Conflict";
    case 410:
      return "Expired";
    case 422:
      return "Invalid";
    case 429:
      return "TooManyRequests";
    case 503:
      return "ServiceUnavailable";
    case 504:
      return "Timeout";
    default:
      return code >= 500 ? "InternalError" : "Unknown";
  }
}

const char* message_of(unsigned code) {
  switch (code) {
    case 401:
      return "Unauthorized";
    case 410:
      return "The resourceVersion for the provided list is too old.";
    case 429:
      return "storage is (re)initializing";
    case 500:
      return "Internal error occurred: a fault of the test server";
    case 503:
      return "the server is currently unable to handle the request";
    default:
      return "a fault of the test server";
  }
}

std::string object_details(const ResourceType& type, const std::string& name) {
  std::string details = "{";
  if (!name.empty()) details += R"("name":)" + json_quoted(name) + ",";
  if (!type.group.empty()) details += R"("group":)" + json_quoted(type.group) + ",";
  return details + R"("kind":)" + json_quoted(type.plural) + "}";
}

}  // namespace

std::string json_quoted(std::string_view text) {
  return boost::json::serialize(boost::json::value(boost::json::string_view(text.data(), text.size())));
}

std::string ApiStatus::body() const {
  std::string text = R"({"kind":"Status","apiVersion":"v1","metadata":{)";
  if (!continue_token.empty()) text += R"("continue":)" + json_quoted(continue_token);
  text += R"(},"status":"Failure","message":)" + json_quoted(message) + R"(,"reason":)" + json_quoted(reason);
  if (!details_json.empty()) text += R"(,"details":)" + details_json;
  return text + R"(,"code":)" + std::to_string(code) + "}";
}

ApiStatus status_of_code(unsigned code, const std::string& message) {
  return {code, reason_of(code), message.empty() ? message_of(code) : message, "", "", 0};
}

ApiStatus too_old_watch(std::uint64_t asked, std::uint64_t oldest) {
  return status_of_code(410,
                        "too old resource version: " + std::to_string(asked) + " (" + std::to_string(oldest) + ")");
}

ApiStatus too_old_list() {
  return status_of_code(410);
}

ApiStatus too_old_continue(const std::string& inconsistent_token) {
  ApiStatus status = status_of_code(
      410,
      "The provided continue parameter is too old to display a consistent list result. You can start a new list "
      "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
      "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
      "modified, or deleted between the time the first chunk was returned and now may show up in the list.");
  status.continue_token = inconsistent_token;
  return status;
}

ApiStatus too_large(std::uint64_t asked, std::uint64_t current) {
  ApiStatus status = status_of_code(
      504, "Timeout: Too large resource version: " + std::to_string(asked) + ", current: " + std::to_string(current));
  status.details_json = R"({"causes":[{"reason":"ResourceVersionTooLarge","message":"Too large resource version"}],)"
                        R"("retryAfterSeconds":1})";
  status.retry_after_seconds = 1;
  return status;
}

ApiStatus bad_request(const std::string& message) {
  return status_of_code(400, message);
}

ApiStatus invalid_list_options(const std::string& field, const std::string& message) {
  ApiStatus status =
      status_of_code(422, "ListOptions.meta.k8s.io \"\" is invalid: " + field + ": Forbidden: " + message);
  status.details_json = R"({"group":"meta.k8s.io","kind":"ListOptions","causes":[{"reason":"FieldValueForbidden",)"
                        R"("message":)" +
                        json_quoted("Forbidden: " + message) + R"(,"field":)" + json_quoted(field) + "}]}";
  return status;
}

ApiStatus not_found(const ResourceType& type, const std::string& name) {
  ApiStatus status = status_of_code(404, type.qualified_plural() + " \"" + name + "\" not found");
  status.details_json = object_details(type, name);
  return status;
}

ApiStatus already_exists(const ResourceType& type, const std::string& name) {
  ApiStatus status = status_of_code(409, type.qualified_plural() + " \"" + name + "\" already exists");
  status.reason = "AlreadyExists";
  status.details_json = object_details(type, name);
  return status;
}

ApiStatus conflict(const ResourceType& type, const std::string& name) {
  ApiStatus status =
      status_of_code(409, "Operation cannot be fulfilled on " + type.qualified_plural() + " \"" + name +
                              "\": the object has been modified; please apply your changes to the latest version and "
                              "try again");
  status.details_json = object_details(type, name);
  return status;
}

ApiStatus forbidden(const ResourceType& type, const std::string& user, const std::string& verb, const std::string& ns,
                    const std::string& name) {
  std::string message = type.qualified_plural() + (name.empty() ? "" : " \"" + name + "\"") + " is forbidden: User \"" +
                        user + "\" cannot " + verb + " resource \"" + type.plural + "\" in API group \"" + type.group +
                        "\" " + (ns.empty() ? "at the cluster scope" : "in the namespace \"" + ns + "\"");
  ApiStatus status = status_of_code(403, message);
  status.details_json = object_details(type, name);
  return status;
}

}  // namespace ksr::testserver
