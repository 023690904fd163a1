// Which failure leads to what. Pure functions.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "json/api_status.hpp"

namespace ksr::sync {

// What was asked of the server when it failed.
struct RequestContext {
  enum class What { list, watch, watchlist };
  What what = What::list;
  // A watch by WebSocket.
  bool websocket = false;
  // Answered with success before it failed.
  bool opened = false;
  // A list or WatchList at "not older than", which a list at the most recent can stand in for.
  bool at_version = false;
  // A page behind the first.
  bool continued = false;
};

enum class RecoveryAction {
  // The same again, after the backoff.
  retry,
  // Lists again, after the backoff: the view may have missed something.
  retry_by_list,
  // The resourceVersion is gone: lists again, at once if it may.
  relist,
  // The server cannot list at "not older than": at the most recent instead, at once.
  list_most_recent,
  // The continue token is gone: the whole list in one page, at once.
  list_in_one_page,
  // The credentials may be old: new ones, at once; the second time after the backoff.
  refresh_credentials,
  // The name is not known here: the next one, at once; after the last one slowly.
  next_candidate,
  // It may be allowed one day: slowly.
  retry_slowly,
  // The answer says that WebSocket is not possible here.
  without_websocket,
  // The answer says that WatchList is not possible here.
  without_watchlist,
  // WatchList failed this time.
  list_this_time,
  // The request can never succeed.
  give_up,
};

RecoveryAction recovery_for(const RequestContext& asked, const Error& error,
                            const std::optional<json::ApiStatus>& status);
// An ERROR event in an open watch.
RecoveryAction recovery_for_event(const RequestContext& asked, const json::ApiStatus& status);

// No answer came: the server, or the way to it, may be down.
bool is_unreachable(const Error& error) noexcept;

// 410, or what old servers say for it.
bool is_expired(int code, const std::string& reason) noexcept;
// A server that lags behind the resourceVersion that was asked for.
bool is_version_too_large(const json::ApiStatus& status);

// A failure of the reflector's own finding.
Error found_error(Status status, std::string message);

// The Status of an ERROR event as an error.
Error error_of(const json::ApiStatus& status);

}  // namespace ksr::sync
