// `Effects` is what a reflector does to the outside: requests, the timer, the cache, notifications; implemented by
// stream::Session for the real network and by the tests' simulation.
// Lives on the reflector's thread: calls come from within the reflector's inputs, and an implementation must not call
// back into the reflector before it has returned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/instant.hpp"
#include "base/list_options.hpp"
#include "json/item.hpp"
#include "json/watch_reader.hpp"
#include "store/cache.hpp"
#include "sync/sync_options.hpp"

namespace ksr::sync {

// Identifies one request of one reflector; never reused.
using RequestId = std::uint64_t;

struct ListRequest : ListOptions {
  // Which of the resource's candidate names.
  std::size_t candidate = 0;
  // The answer may be in protobuf.
  bool protobuf = false;
};

struct WatchRequest : WatchOptions {
  std::size_t candidate = 0;
  // Its events may be in protobuf.
  bool protobuf = false;
  bool websocket = false;
  // It ends soon, so that what is held back on the way comes with its end, and is followed by the next one.
  bool poll = false;
  // It ends soon, by itself, so that it is seen whether what it has comes before that.
  bool trial = false;
  // From the connection being ready to the response head; empty: as configured; 0: the reflector has a limit of its
  // own.
  std::optional<Milliseconds> head_limit;
};

class Effects {
 public:
  virtual ~Effects() = default;

  // --- requests ---------------------------------------------------------------------------------------------------
  virtual void start_list(RequestId id, const ListRequest& request) = 0;
  virtual void start_watch(RequestId id, const WatchRequest& request) = 0;
  // The request is aborted and its inputs no longer matter. Stopping one that has ended is no error.
  virtual void stop(RequestId id) = 0;
  // A connection was ready for the request, and it is on its way: only the answer is missing.
  virtual bool is_sent(RequestId id) const = 0;
  // An event of the watch has begun, and nothing more of it has come for `time`.
  virtual bool is_stalled(RequestId id, Milliseconds time) const = 0;
  // The next request must carry credentials obtained after now (401). False: none are obtained.
  virtual bool refresh_credentials() = 0;
  // The server knows none of the resource's names (404). True: what they stand for is looked up again, and
  // Reflector::on_resolved follows.
  virtual bool resolve_again() = 0;
  // The server is asked which resourceVersion its newest list has; Reflector::on_newest_version follows, unless there
  // is no answer, or another question before it.
  virtual void ask_newest_version(std::size_t candidate) = 0;

  // --- time -------------------------------------------------------------------------------------------------------
  // One timer: replaces the last one; empty: no timer. It fires as Reflector::on_timer.
  virtual void set_timer(std::optional<Instant> at) = 0;

  // --- the cache (the same contract as store::Cache) --------------------------------------------------------------
  virtual void begin_list() = 0;
  virtual void stage(const json::Item& item) = 0;
  virtual void stage_deletion(const json::Item& item) = 0;
  virtual std::size_t commit_list(std::string_view resource_version, store::Precedence precedence) = 0;
  virtual void abandon_list() = 0;
  // `version`: that of the view from then on, in the same step, or a snapshot in between would be as of an older
  // version than what it shows; empty: it stays.
  virtual store::Applied apply(json::EventType type, const json::Item& item, std::string_view version) = 0;
  virtual void set_resource_version(std::string_view resource_version) = 0;

  // --- notifications ----------------------------------------------------------------------------------------------
  virtual void on_state(State state) = 0;
  // `next_try`: how long until the next try; empty: there is none, the stream is over (fatal).
  virtual void on_error(const Error& error, std::optional<Milliseconds> next_try) = 0;
};

}  // namespace ksr::sync
