// `BlockingPool` runs calls that block on threads of its own; used for name resolution, files and credential plugins.
// Any thread.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "base/exception_error.hpp"
#include "base/executor.hpp"
#include "base/expected.hpp"

namespace ksr {

class BlockingPool {
 public:
  // Threads are started when they are needed, at most `max_threads`, and end when there is nothing to do. They are
  // named `thread_name` (at most 15 characters), and asynchronous signals are blocked in them (see start_thread).
  BlockingPool(const char* thread_name, int max_threads);
  // Drops the tasks that have not begun. Those that have cannot be stopped: their threads outlive the pool.
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  // Runs `task`, which must not throw, on one of the threads; tasks begin in the order of the calls. An error: there is
  // no thread and none could be started; the task will not run.
  Expected<void> run(std::function<void()> task);

  // Runs `blocking` on one of the threads, and then `done` with its result on the executor's thread, never within this
  // call. An exception of `blocking` is its result, and so is that no thread could be started. Throws std::bad_alloc;
  // in that case neither is run. What they own may be destroyed on the pool's thread. A `done` that may be cancelled is
  // a CancellableCallback.
  template <class T>
  void call(Executor& executor, std::function<Expected<T>()> blocking, std::function<void(Expected<T>)> done) {
    // Made now: on the pool's thread nothing could be done about a lack of memory.
    auto result = std::make_shared<Expected<T>>(Error{});
    std::function<void()> deliver = [result, done = std::move(done)] { done(std::move(*result)); };
    const auto started = run([&executor, result, deliver, blocking = std::move(blocking)]() noexcept {
      try {
        *result = blocking();
      } catch (...) {
        *result = error_of_exception();
      }
      post_despite_lack_of_memory(executor, deliver);
    });
    if (started) return;
    *result = started.error();
    executor.post(std::move(deliver));
  }

 private:
  struct Shared;

  // Tries again until there is memory.
  static void post_despite_lack_of_memory(Executor& executor, const std::function<void()>& task) noexcept;

  // Owned by the threads, too.
  const std::shared_ptr<Shared> shared_;
};

}  // namespace ksr
