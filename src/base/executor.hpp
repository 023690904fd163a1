// `Executor` is the network thread, which owns all network state; implemented by transport, and by a fake in tests.
#pragma once

#include <functional>
#include <memory>

#include "base/instant.hpp"

namespace ksr {

// Destroying it before it has fired cancels it; it may be destroyed within its own task. Lives on the executor's
// thread.
class Timer {
 public:
  virtual ~Timer() = default;
};

class Executor {
 public:
  virtual ~Executor() = default;
  // Runs `task` on the executor's thread, in the order of posting. Callable from any thread. `task` must not throw.
  virtual void post(std::function<void()> task) = 0;
  // Runs `task` on the executor's thread at `at`. Executor's thread only.
  virtual std::unique_ptr<Timer> schedule(Instant at, std::function<void()> task) = 0;
  virtual Instant now() const = 0;
  virtual bool on_this_thread() const noexcept = 0;
};

}  // namespace ksr
