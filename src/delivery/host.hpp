// `Host` is the host's callbacks as delivery sees them; used by CallbackDispatcher, implemented by abi/ with C function
// pointers. Lives where callbacks run: one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/instant.hpp"
#include "base/log.hpp"
#include "delivery/snapshot.hpp"
#include "sync/sync_options.hpp"

namespace ksr::delivery {

// An error as it reaches the host.
struct ErrorReport {
  Error error;
  // Until the next try; empty: the error is fatal.
  std::optional<Milliseconds> next_try;
};

// Called by one thread at a time, with no lock held. Destroying it runs the host's destroy callback, if call_destroy()
// has not.
class Host {
 public:
  virtual ~Host() = default;
  // Whether it has the callback.
  virtual bool wants_updates() const noexcept = 0;
  virtual bool wants_errors() const noexcept = 0;
  virtual bool wants_states() const noexcept = 0;
  virtual bool wants_log() const noexcept = 0;
  virtual bool wants_destroy() const noexcept = 0;
  virtual void on_update(const Snapshot& snapshot) = 0;
  // Its own, so that it needs no memory to be told.
  virtual void on_error(ErrorReport report) = 0;
  virtual void on_state(sync::State state) = 0;
  virtual void on_log(LogLevel level, const std::string& line) = 0;
  // The host's destroy callback, unless it was made. Apart from the destructor, since the thread may end in it.
  virtual void call_destroy() {}
};

}  // namespace ksr::delivery
