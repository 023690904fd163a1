// Tests which RecoveryAction follows which failure.
#include "sync/failure.hpp"

#include <doctest/doctest.h>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;

namespace {

RequestContext a_list(bool at_version = false, bool continued = false) {
  RequestContext context;
  context.at_version = at_version;
  context.continued = continued;
  return context;
}

RequestContext a_watch(bool websocket = false, bool opened = false) {
  RequestContext context;
  context.what = RequestContext::What::watch;
  context.websocket = websocket;
  context.opened = opened;
  return context;
}

RequestContext a_watchlist(bool at_version = false, bool opened = false) {
  RequestContext context;
  context.what = RequestContext::What::watchlist;
  context.at_version = at_version;
  context.opened = opened;
  return context;
}

RecoveryAction action(const RequestContext& context, int code) {
  return recovery_for(context, http_error(code), std::nullopt);
}
RecoveryAction action(const RequestContext& context, int code, const char* reason) {
  return recovery_for(context, http_error(code), api_status(code, reason));
}

}  // namespace

TEST_CASE("what follows a failed list") {
  CHECK(action(a_list(), 401) == RecoveryAction::refresh_credentials);
  CHECK(action(a_list(), 403) == RecoveryAction::retry_slowly);
  CHECK(action(a_list(), 404) == RecoveryAction::next_candidate);
  CHECK(action(a_list(), 410) == RecoveryAction::retry);
  CHECK(action(a_list(true), 410) == RecoveryAction::list_most_recent);
  CHECK(action(a_list(false, true), 410) == RecoveryAction::list_in_one_page);
  for (const int code : {0, 302, 408, 429, 500, 502, 503, 504}) CHECK(action(a_list(), code) == RecoveryAction::retry);
  for (const int code : {400, 405, 406, 415, 422}) CHECK(action(a_list(), code) == RecoveryAction::give_up);
  CHECK(action(a_list(true), 422) == RecoveryAction::list_most_recent);
}

TEST_CASE("what this end refuses to send is not tried again") {
  Error refused;
  refused.status = Status::invalid;
  for (const RequestContext& context : {a_list(), a_list(true), a_list(false, true), a_watch(), a_watch(true),
                                        a_watch(true, true), a_watchlist(), a_watchlist(true, true)}) {
    CHECK(recovery_for(context, refused, std::nullopt) == RecoveryAction::give_up);
  }
}

TEST_CASE("WebSocket is given up only for answers that mean it") {
  for (const int code : {200, 400, 405, 406, 415, 426, 501, 505}) {
    CHECK(action(a_watch(true), code) == RecoveryAction::without_websocket);
  }
  // kube-apiserver's own handshake refuses with a Status.
  CHECK(action(a_watch(true), 400, "BadRequest") == RecoveryAction::without_websocket);
  for (const int code : {406, 415, 426}) {
    CHECK(action(a_watch(true), code, "") == RecoveryAction::without_websocket);
  }
  CHECK(action(a_watch(true), 401, "Unauthorized") == RecoveryAction::refresh_credentials);
  CHECK(action(a_watch(true), 403, "Forbidden") == RecoveryAction::retry_slowly);
  CHECK(action(a_watch(true), 404, "NotFound") == RecoveryAction::next_candidate);
  CHECK(action(a_watch(true), 410, "Expired") == RecoveryAction::relist);
  CHECK(action(a_watch(true), 429, "TooManyRequests") == RecoveryAction::retry);
  CHECK(action(a_watch(true), 503, "ServiceUnavailable") == RecoveryAction::retry);
  CHECK(action(a_watch(true), 501, "NotImplemented") == RecoveryAction::retry);
  CHECK(action(a_watch(false), 400) == RecoveryAction::give_up);
}

TEST_CASE("WatchList is given up only for answers that mean it") {
  for (const int code : {400, 422, 500}) CHECK(action(a_watchlist(), code) == RecoveryAction::without_watchlist);
  CHECK(action(a_watchlist(), 429) == RecoveryAction::retry);
  CHECK(action(a_watchlist(), 503) == RecoveryAction::retry);
  CHECK(action(a_watchlist(), 403) == RecoveryAction::retry_slowly);
  CHECK(action(a_watchlist(true), 410) == RecoveryAction::list_most_recent);
  CHECK(recovery_for_event(a_watchlist(false, true), api_status(500, "InternalError")) ==
        RecoveryAction::without_watchlist);
  CHECK(recovery_for_event(a_watchlist(false, true), api_status(0, "InternalError")) == RecoveryAction::list_this_time);
  CHECK(recovery_for_event(a_watchlist(true, true), api_status(410, "Expired")) == RecoveryAction::list_most_recent);
  CHECK(recovery_for_event(a_watchlist(false, true), api_status(429, "TooManyRequests")) == RecoveryAction::retry);
}

TEST_CASE("after an open watch breaks comes a watch, after invalid data a list") {
  CHECK(recovery_for(a_watch(false, true), unreachable_error(), std::nullopt) == RecoveryAction::retry);
  CHECK(recovery_for(a_watch(false, true), protocol_error(), std::nullopt) == RecoveryAction::retry_by_list);
  CHECK(recovery_for(a_watchlist(false, true), unreachable_error(), std::nullopt) == RecoveryAction::list_this_time);
}

TEST_CASE(
    "a resourceVersion that is too large is recognized by its cause, or by its message from servers before 1.19") {
  json::ApiStatus status = api_status(504, "Timeout");
  CHECK_FALSE(is_version_too_large(status));
  status.message = "Too large resource version: 999, current: 500";
  CHECK(is_version_too_large(status));
  status = api_status(504, "Timeout");
  status.causes.push_back({"ResourceVersionTooLarge", "", ""});
  CHECK(is_version_too_large(status));
  CHECK(recovery_for(a_list(true), http_error(504), status) == RecoveryAction::list_most_recent);
  CHECK(recovery_for(a_list(false), http_error(504), status) == RecoveryAction::retry);
}
