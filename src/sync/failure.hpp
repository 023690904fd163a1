// `recovery_for` decides what follows a failure: the RecoveryAction for each answer of the server; used by Reflector.
// Pure functions, for any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "json/api_status.hpp"

namespace ksr::sync {

// What the request that failed was.
struct RequestContext {
  enum class What { list, watch, watchlist };
  What what = What::list;
  // A watch over WebSocket.
  bool websocket = false;
  // transport=auto: HTTP may be used instead.
  bool http_possible = false;
  // Answered with success before it failed.
  bool opened = false;
  // A list or WatchList with resourceVersionMatch=NotOlderThan, which a list of the most recent state can replace.
  bool at_version = false;
  // A page after the first.
  bool continued = false;
  // It was asked for in protobuf, too.
  bool protobuf = false;
};

enum class RecoveryAction {
  // The same request, after the backoff.
  retry,
  // A list, after the backoff: the view may have missed a change.
  retry_by_list,
  // The resourceVersion expired: a list, at once if the immediate retry is available.
  relist,
  // The server cannot list "not older than" the version: the most recent state instead, at once.
  list_most_recent,
  // The continue token expired: the whole list in one page, at once.
  list_in_one_page,
  // The credentials may have expired: the same with new ones, at once; the second time after the backoff.
  refresh_credentials,
  // The server does not know the name: the next one, at once; after the last one slowly.
  next_candidate,
  // It may be allowed later: slowly.
  retry_slowly,
  // The answer means that WebSocket is not possible here.
  without_websocket,
  // The answer means that WatchList is not possible here.
  without_watchlist,
  // What came in protobuf is not known: the same in JSON, at once.
  in_json,
  // WatchList failed: a list this time.
  list_this_time,
  // The resource has no watch (405): it is listed again and again, at the pace of watch_timeout.
  poll,
  // The request can never succeed.
  give_up,
};

RecoveryAction recovery_for(const RequestContext& context, const Error& error,
                            const std::optional<json::ApiStatus>& status);
// The same for an ERROR event in an open watch.
RecoveryAction recovery_for_event(const RequestContext& context, const json::ApiStatus& status);

// 429, 503, 504: the server, or what is in front of it, has too much to do.
bool is_overload(int code) noexcept;

// No answer came: the server, or the network, may be down.
bool is_unreachable(const Error& error) noexcept;

// 410, or the reason that old servers give instead.
bool is_expired(int code, const std::string& reason) noexcept;
// The server's state is older than the resourceVersion requested.
bool is_version_too_large(const json::ApiStatus& status);

// An error that the reflector itself detects.
Error detected_error(Status status, std::string message);

// The Status of an ERROR event as an error.
Error error_of(const json::ApiStatus& status);

// A string of the server for a message: one line of at most 100 bytes.
std::string shortened(std::string_view text);

}  // namespace ksr::sync
