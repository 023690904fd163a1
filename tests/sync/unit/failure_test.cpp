#include "sync/failure.hpp"

#include <doctest/doctest.h>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;

namespace {

Asked a_list(bool at_version = false, bool continued = false) {
  Asked asked;
  asked.at_version = at_version;
  asked.continued = continued;
  return asked;
}

Asked a_watch(bool websocket = false, bool opened = false) {
  Asked asked;
  asked.what = Asked::What::watch;
  asked.websocket = websocket;
  asked.opened = opened;
  return asked;
}

Asked a_watchlist(bool at_version = false, bool opened = false) {
  Asked asked;
  asked.what = Asked::What::watchlist;
  asked.at_version = at_version;
  asked.opened = opened;
  return asked;
}

Remedy remedy(const Asked& asked, int code) {
  return remedy_for(asked, http_error(code), std::nullopt);
}
Remedy remedy(const Asked& asked, int code, const char* reason) {
  return remedy_for(asked, http_error(code), api_status(code, reason));
}

}  // namespace

TEST_CASE("what a refused list leads to") {
  CHECK(remedy(a_list(), 401) == Remedy::refresh_credentials);
  CHECK(remedy(a_list(), 403) == Remedy::retry_slowly);
  CHECK(remedy(a_list(), 404) == Remedy::next_candidate);
  CHECK(remedy(a_list(), 410) == Remedy::retry);
  CHECK(remedy(a_list(true), 410) == Remedy::list_most_recent);
  CHECK(remedy(a_list(false, true), 410) == Remedy::list_in_one_page);
  for (const int code : {0, 302, 408, 429, 500, 502, 503, 504}) CHECK(remedy(a_list(), code) == Remedy::retry);
  for (const int code : {400, 405, 406, 415, 422}) CHECK(remedy(a_list(), code) == Remedy::give_up);
  CHECK(remedy(a_list(true), 422) == Remedy::list_most_recent);
}

TEST_CASE("a WebSocket is impossible only where the answer says so") {
  for (const int code : {200, 400, 405, 406, 415, 426, 501, 505}) {
    CHECK(remedy(a_watch(true), code) == Remedy::without_websocket);
  }
  CHECK(remedy(a_watch(true), 401, "Unauthorized") == Remedy::refresh_credentials);
  CHECK(remedy(a_watch(true), 403, "Forbidden") == Remedy::retry_slowly);
  CHECK(remedy(a_watch(true), 404, "NotFound") == Remedy::next_candidate);
  CHECK(remedy(a_watch(true), 410, "Expired") == Remedy::relist);
  CHECK(remedy(a_watch(true), 429, "TooManyRequests") == Remedy::retry);
  CHECK(remedy(a_watch(true), 503, "ServiceUnavailable") == Remedy::retry);
  CHECK(remedy(a_watch(true), 501, "NotImplemented") == Remedy::retry);
  CHECK(remedy(a_watch(false), 400) == Remedy::give_up);
}

TEST_CASE("WatchList is impossible only where the answer says so") {
  for (const int code : {400, 422, 500}) CHECK(remedy(a_watchlist(), code) == Remedy::without_watchlist);
  CHECK(remedy(a_watchlist(), 429) == Remedy::retry);
  CHECK(remedy(a_watchlist(), 503) == Remedy::retry);
  CHECK(remedy(a_watchlist(), 403) == Remedy::retry_slowly);
  CHECK(remedy(a_watchlist(true), 410) == Remedy::list_most_recent);
  CHECK(remedy_for_event(a_watchlist(false, true), api_status(500, "InternalError")) == Remedy::without_watchlist);
  CHECK(remedy_for_event(a_watchlist(false, true), api_status(0, "InternalError")) == Remedy::list_this_time);
  CHECK(remedy_for_event(a_watchlist(true, true), api_status(410, "Expired")) == Remedy::list_most_recent);
  CHECK(remedy_for_event(a_watchlist(false, true), api_status(429, "TooManyRequests")) == Remedy::retry);
}

TEST_CASE("an open watch that breaks is watched again, one that talks nonsense is listed again") {
  CHECK(remedy_for(a_watch(false, true), unreachable_error(), std::nullopt) == Remedy::retry);
  Error nonsense;
  nonsense.status = Status::protocol;
  CHECK(remedy_for(a_watch(false, true), nonsense, std::nullopt) == Remedy::retry_by_list);
  CHECK(remedy_for(a_watchlist(false, true), unreachable_error(), std::nullopt) == Remedy::list_this_time);
}

TEST_CASE("a resourceVersion that is too large is known by its cause, or by its text on servers before 1.19") {
  json::ApiStatus status = api_status(504, "Timeout");
  CHECK_FALSE(is_version_too_large(status));
  status.message = "Too large resource version: 999, current: 500";
  CHECK(is_version_too_large(status));
  status = api_status(504, "Timeout");
  status.causes.push_back({"ResourceVersionTooLarge", "", ""});
  CHECK(is_version_too_large(status));
  CHECK(remedy_for(a_list(true), http_error(504), status) == Remedy::list_most_recent);
  CHECK(remedy_for(a_list(false), http_error(504), status) == Remedy::retry);
}
