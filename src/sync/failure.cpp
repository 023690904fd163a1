#include "sync/failure.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/instant.hpp"
#include "base/text.hpp"

namespace ksr::sync {
namespace {

using What = RequestContext::What;

// kube-apiserver asks for a second (apiserver pkg/server/filters/maxinflight.go), without a Status; a gateway that
// refuses WebSockets may ask for any time.
constexpr Milliseconds kMaxPace{30'000};

// A handshake that is answered like this was not understood as one. What has no Status body is the answer of a gateway,
// and says nothing about the request: HTTP asks the API itself. An overloaded server is not asked again at once.
bool refuses_websocket(const RequestContext& context, const Error& error, bool has_status) noexcept {
  if (!context.websocket || context.opened) return false;
  if (context.http_possible && error.status == Status::timeout) return true;
  if (is_unreachable(error)) return false;
  const int code = error.http_status;
  if (context.http_possible && !has_status) {
    const bool overloaded = code == 429 || (is_overload(code) && error.retry_after);
    const bool paced = overloaded && error.retry_after.value_or(Milliseconds()) <= kMaxPace;
    // 410 costs a list, from wherever it comes.
    return code == 0 ? error.status == Status::protocol : !paced && code != 410;
  }
  switch (code) {
    case 400:  // kube-apiserver's handshake, and proxies that drop the Upgrade header
    case 406:
    case 415:
    case 426:
      return true;
    case 405:  // as a Status: the resource has no watch
    case 501:
    case 505:
      return !has_status;
    default:
      return code >= 200 && code < 300;
  }
}

// WatchList disabled: 422; unknown: 400, 422; not supported by etcd: 500, as a status or as an ERROR event
// (apiserver storage/cacher/cacher.go, storage/etcd3/store.go).
bool refuses_watchlist(const RequestContext& context, int code) noexcept {
  return context.what == What::watchlist && (code == 400 || code == 405 || code == 422 || code == 500 || code == 501);
}

RecoveryAction recovery_for_expired(const RequestContext& context) noexcept {
  if (context.what == What::watch) return RecoveryAction::relist;
  if (context.continued) return RecoveryAction::list_in_one_page;
  return context.at_version ? RecoveryAction::list_most_recent : RecoveryAction::retry;
}

RecoveryAction recovery_for_other_code(const RequestContext& context, int code) noexcept {
  switch (code) {
    case 401:
      return RecoveryAction::refresh_credentials;
    case 403:
      return RecoveryAction::retry_slowly;
    case 404:
      return RecoveryAction::next_candidate;
    case 400:
    case 422:
      // A continue token that the server cannot read (apiserver pkg/storage/continue.go); the page before was fine.
      if (context.continued) return RecoveryAction::list_in_one_page;
      return context.at_version ? RecoveryAction::list_most_recent : RecoveryAction::give_up;
    case 405:
      return context.what == What::list ? RecoveryAction::give_up : RecoveryAction::poll;
    case 406:
    case 415:
      return RecoveryAction::give_up;
    default:
      break;
  }
  // Initial events that do not begin; a list asks for the same in another way.
  if (context.what == What::watchlist && !context.opened && code == 408) return RecoveryAction::list_this_time;
  const bool broke_in_initial_events = context.what == What::watchlist && context.opened;
  return broke_in_initial_events && !is_overload(code) ? RecoveryAction::list_this_time : RecoveryAction::retry;
}

}  // namespace

bool is_overload(int code) noexcept {
  return code == 429 || code == 503 || code == 504;
}

// apimachinery pkg/api/errors: IsResourceExpired and IsGone; servers up to 1.17 say "Gone".
bool is_expired(int code, const std::string& reason) noexcept {
  return code == 410 || reason == "Expired" || reason == "Gone";
}

// client-go tools/cache/reflector.go, isTooLargeResourceVersionError: the cause since 1.19, its message before.
bool is_version_too_large(const json::ApiStatus& status) {
  constexpr std::string_view kMessage = "Too large resource version";
  const auto names_it = [&](const json::StatusCause& cause) {
    return cause.reason == "ResourceVersionTooLarge" || cause.message.find(kMessage) != std::string::npos;
  };
  return std::any_of(status.causes.begin(), status.causes.end(), names_it) ||
         (status.reason == "Timeout" && status.message.find(kMessage) != std::string::npos);
}

RecoveryAction recovery_for(const RequestContext& context, const Error& error,
                            const std::optional<json::ApiStatus>& status) {
  const int code = error.http_status;
  // What this end refuses to send it refuses each time.
  if (error.status == Status::invalid) return RecoveryAction::give_up;
  // Of the readers of protobuf alone. A server that answers in protobuf whatever it is asked for cannot be read.
  if (error.status == Status::unsupported) {
    return context.protobuf ? RecoveryAction::in_json : RecoveryAction::retry_slowly;
  }
  // Some that are not Kubernetes' own compare the Accept header as a whole.
  if (context.protobuf && !context.opened && (code == 406 || code == 415)) return RecoveryAction::in_json;
  const bool refuses = refuses_websocket(context, error, status.has_value());
  if (refuses && !status) return RecoveryAction::without_websocket;
  if (is_expired(code, status ? status->reason : error.reason)) return recovery_for_expired(context);
  if (refuses) return RecoveryAction::without_websocket;
  if (refuses_watchlist(context, code) && !context.opened) return RecoveryAction::without_watchlist;
  if (status && is_version_too_large(*status) && context.at_version) return RecoveryAction::list_most_recent;
  if (context.opened && (error.status == Status::protocol || error.status == Status::too_large)) {
    return context.what == What::watchlist ? RecoveryAction::list_this_time : RecoveryAction::retry_by_list;
  }
  return recovery_for_other_code(context, code);
}

// client-go relists after every ERROR event but 429 (reflector.go, handleWatch and its callers). ERROR events without a
// code exist (cacher.go, errWatcher).
RecoveryAction recovery_for_event(const RequestContext& context, const json::ApiStatus& status) {
  if (context.what == What::watchlist) {
    if (is_expired(status.code, status.reason)) return recovery_for_expired(context);
    if (is_version_too_large(status) && context.at_version) return RecoveryAction::list_most_recent;
    if (status.code == 401 || status.code == 403 || status.code == 404)
      return recovery_for_other_code(context, status.code);
    if (is_overload(status.code)) return RecoveryAction::retry;
    return refuses_watchlist(context, status.code) ? RecoveryAction::without_watchlist : RecoveryAction::list_this_time;
  }
  if (is_expired(status.code, status.reason)) return RecoveryAction::relist;
  switch (status.code) {
    case 401:
      return RecoveryAction::refresh_credentials;
    case 403:
      return RecoveryAction::retry_slowly;
    case 404:
      return RecoveryAction::next_candidate;
    case 429:
      return RecoveryAction::retry;
    default:
      return RecoveryAction::retry_by_list;
  }
}

bool is_unreachable(const Error& error) noexcept {
  return error.status == Status::transport || error.status == Status::timeout || error.status == Status::tls;
}

Error detected_error(Status status, std::string message) {
  Error error;
  error.status = status;
  if (status == Status::timeout) error.http_status = 408;
  error.message = std::move(message);
  return error;
}

Error error_of(const json::ApiStatus& status) {
  Error error;
  error.http_status = status.code;
  error.status = is_expired(status.code, status.reason) ? Status::gone : status_of_http(status.code);
  error.reason = status.reason;
  error.message = "the watch ended with an ERROR event: ";
  error.message += status.message.empty() ? "without a message" : status.message;
  if (status.retry_after_seconds) error.retry_after = std::chrono::seconds(*status.retry_after_seconds);
  return error;
}

std::string shortened(std::string_view text) {
  return one_line(text, 100);
}

}  // namespace ksr::sync
