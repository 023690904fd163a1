#include "support/errors.hpp"

#include <utility>

namespace ksr::sync::testing {

Error http_error(int code, std::optional<Milliseconds> retry_after) {
  Error error;
  error.status = status_of_http(code);
  error.http_status = code;
  error.message = "the server answered " + std::to_string(code);
  error.retry_after = retry_after;
  return error;
}

Error unreachable_error() {
  Error error;
  error.status = Status::transport;
  error.http_status = 502;
  error.message = "connection refused";
  return error;
}

json::ApiStatus api_status(int code, std::string reason, std::string message) {
  json::ApiStatus status;
  status.code = code;
  status.reason = std::move(reason);
  status.message = std::move(message);
  return status;
}

Error timeout_error() {
  Error error;
  error.status = Status::timeout;
  error.http_status = 408;
  error.message = "no answer";
  return error;
}

Error unknown_protobuf_error() {
  Error error;
  error.status = Status::unsupported;
  error.message = "item 3: field 99 is not known";
  return error;
}

Error protocol_error() {
  Error error;
  error.status = Status::protocol;
  error.message = "event 3: invalid JSON";
  return error;
}

}  // namespace ksr::sync::testing
