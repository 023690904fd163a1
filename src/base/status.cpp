#include "base/status.hpp"

namespace ksr {

const char* status_name(Status status) noexcept {
  switch (status) {
    case Status::ok:
      return "KSR_OK";
    case Status::invalid:
      return "KSR_E_INVALID";
    case Status::out_of_memory:
      return "KSR_E_NOMEM";
    case Status::internal:
      return "KSR_E_INTERNAL";
    case Status::unknown_key:
      return "KSR_E_UNKNOWN_KEY";
    case Status::would_deadlock:
      return "KSR_E_WOULD_DEADLOCK";
    case Status::forked:
      return "KSR_E_FORKED";
    case Status::cancelled:
      return "KSR_E_CANCELLED";
    case Status::timeout:
      return "KSR_E_TIMEOUT";
    case Status::unsupported:
      return "KSR_E_UNSUPPORTED";
    case Status::transport:
      return "KSR_E_TRANSPORT";
    case Status::tls:
      return "KSR_E_TLS";
    case Status::protocol:
      return "KSR_E_PROTOCOL";
    case Status::too_large:
      return "KSR_E_TOO_LARGE";
    case Status::lost:
      return "KSR_E_LOST";
    case Status::auth:
      return "KSR_E_AUTH";
    case Status::forbidden:
      return "KSR_E_FORBIDDEN";
    case Status::not_found:
      return "KSR_E_NOT_FOUND";
    case Status::gone:
      return "KSR_E_GONE";
    case Status::throttled:
      return "KSR_E_THROTTLED";
    case Status::server:
      return "KSR_E_SERVER";
    case Status::conflict:
      return "KSR_E_CONFLICT";
    case Status::rejected:
      return "KSR_E_REJECTED";
  }
  return "KSR_E_UNKNOWN";
}

Status status_of_http(int http_status) noexcept {
  switch (http_status) {
    case 401:
      return Status::auth;
    case 403:
      return Status::forbidden;
    case 404:
      return Status::not_found;
    case 410:
      return Status::gone;
    case 429:
      return Status::throttled;
    default:
      return Status::server;
  }
}

Status status_of_refused_call(int http_status) noexcept {
  switch (http_status) {
    case 409:
      return Status::conflict;
    case 400:
    case 405:
    case 406:
    case 413:
    case 415:
    case 422:
      return Status::rejected;
    default:
      return status_of_http(http_status);
  }
}

}  // namespace ksr
