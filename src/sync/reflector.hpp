// The list+watch state machine of one stream: inputs in, effects out. Pure logic: no I/O, no threads, no clock.
// Lives on the thread that feeds it.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/instant.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "json/api_status.hpp"
#include "json/item.hpp"
#include "json/list_reader.hpp"
#include "json/watch_reader.hpp"
#include "sync/effects.hpp"
#include "sync/server_state.hpp"
#include "sync/sync_options.hpp"

namespace ksr::sync {

// The counters of ksr_stat that the state machine owns.
struct Counters {
  std::uint64_t events = 0;
  std::uint64_t bookmarks = 0;
  std::uint64_t lists = 0;
  std::uint64_t watches = 0;
  std::uint64_t reconnects = 0;
  std::uint64_t relists = 0;
  std::uint64_t errors = 0;
};

class Reflector {
 public:
  // `memory` is what is known of the server, shared by all its streams on this thread.
  Reflector(const Options& options, Effects& effects, std::shared_ptr<ServerState> memory, Random& random,
            Logger& logger);
  ~Reflector();

  void start(Instant now);
  // Stops all requests and the timer; no effect comes afterwards.
  void cancel();

  // --- inputs of a list. Inputs that name a request which was stopped or has ended are ignored. --------------------
  // One page: items, then its end or its failure.
  void on_list_item(RequestId id, const json::Item& item);
  void on_list_end(RequestId id, const json::ListMeta& meta, Instant now);
  // An HTTP refusal (error.http_status, reason, retry_after; `status` where the body was one), a broken body, a
  // timeout.
  void on_list_failed(RequestId id, const Error& error, const std::optional<json::ApiStatus>& status, Instant now);

  // --- inputs of a watch --------------------------------------------------------------------------------------------
  void on_watch_open(RequestId id, Instant now);
  void on_watch_event(RequestId id, json::EventType type, const json::Item& item, Instant now);
  void on_watch_bookmark(RequestId id, std::string_view resource_version, bool initial_events_end, Instant now);
  void on_watch_error_event(RequestId id, const json::ApiStatus& status, Instant now);
  void on_watch_bad_event(RequestId id, const Error& error, Instant now);
  // Ended in order (the server's timeout, a clean close).
  void on_watch_end(RequestId id, Instant now);
  // Refused before it opened (`status` where the body was one), or broken afterwards.
  void on_watch_failed(RequestId id, const Error& error, const std::optional<json::ApiStatus>& status, Instant now);

  // --- inputs of time -----------------------------------------------------------------------------------------------
  void on_timer(Instant now);
  // The machine slept: what was open is in doubt, what waits need not.
  void on_clock_jump(Instant now);
  // Sets the timer, should that have failed when it was needed.
  void look_again();
  // An exception has kept the reflector, or what carries out its effects, from doing what was due: nothing is known of
  // the requests any more. They are dropped, and what the reflector was after is tried again after the backoff.
  void on_lost(const Error& error, Instant now);

  State state() const noexcept;
  const Counters& counters() const noexcept;
  // When the view was last proven current; empty: never.
  std::optional<Instant> fresh_at() const noexcept;
  // When the next try is due; empty: none is waiting.
  std::optional<Instant> next_try_at() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ksr::sync
