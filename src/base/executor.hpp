// `Executor` is the network thread, which owns all network state; implemented by transport, and by a fake in tests.
#pragma once

#include <cassert>
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

// For the entries of objects that live on the executor's thread: a call on another thread ends the program. Checked
// without NDEBUG, as in the dev and the sanitized trees.
inline void assert_on([[maybe_unused]] const Executor& executor) {
  assert(executor.on_this_thread() && "called on another thread than the executor's");
}

}  // namespace ksr
