// What the reflector wants done. The stream carries it out with the real network and the real cache, the simulation
// with its own. Calls come from within the reflector's inputs, on the same thread; an implementation must not call back
// into the reflector before it returned.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/instant.hpp"
#include "json/item.hpp"
#include "json/watch_reader.hpp"
#include "store/cache.hpp"
#include "sync/sync_options.hpp"

namespace ksr::sync {

// Names one request of one reflector; never used twice.
using RequestId = std::uint64_t;

struct ListRequest {
  std::size_t candidate = 0;
  std::size_t page_size = 0;           // 0: no limit parameter
  std::string resource_version;        // empty: not sent
  std::string resource_version_match;  // empty: not sent
  std::string continue_token;          // empty: not sent
};

struct WatchRequest {
  std::size_t candidate = 0;
  bool websocket = false;
  std::string resource_version;        // empty: not sent
  std::string resource_version_match;  // empty: not sent
  bool send_initial_events = false;
  std::chrono::seconds timeout{0};  // timeoutSeconds
};

class Effects {
 public:
  virtual ~Effects() = default;

  // --- requests ---------------------------------------------------------------------------------------------------
  virtual void start_list(RequestId id, const ListRequest& request) = 0;
  virtual void start_watch(RequestId id, const WatchRequest& request) = 0;
  // Nothing more is heard of it. Stopping what has ended is no error.
  virtual void stop(RequestId id) = 0;
  // The next request must carry credentials obtained after now (401).
  virtual void refresh_credentials() = 0;

  // --- time -------------------------------------------------------------------------------------------------------
  // One timer: replaces the last one; empty: none. It comes back as Reflector::on_timer.
  virtual void set_timer(std::optional<Instant> at) = 0;

  // --- the cache (the same contract as store::Cache) --------------------------------------------------------------
  virtual void begin_list() = 0;
  virtual void stage(const json::Item& item) = 0;
  virtual std::size_t commit_list(std::string_view resource_version) = 0;
  virtual void abandon_list() = 0;
  virtual store::Applied apply(json::EventType type, const json::Item& item) = 0;
  virtual void set_resource_version(std::string_view resource_version) = 0;

  // --- news -------------------------------------------------------------------------------------------------------
  virtual void on_state(State state) = 0;
  // `next_try`: how long until the library tries again; empty: never, the stream is over (fatal).
  virtual void on_error(const Error& error, std::optional<Milliseconds> next_try) = 0;
  // The view is proven current as of now.
  virtual void on_fresh() = 0;
};

}  // namespace ksr::sync
