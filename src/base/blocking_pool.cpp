#include "base/blocking_pool.hpp"

#include <chrono>
#include <deque>
#include <new>
#include <thread>

#include "base/instant.hpp"
#include "base/mutex.hpp"
#include "base/thread.hpp"

namespace ksr {
namespace {

constexpr std::chrono::seconds kIdleTimeout{10};
constexpr std::chrono::milliseconds kRetryAfterNoMemory{20};

}  // namespace

struct BlockingPool::Shared {
  Shared(const char* thread_name_in, int max_threads_in) : thread_name(thread_name_in), max_threads(max_threads_in) {}

  // Empty when the thread should end.
  std::function<void()> next_task() {
    const MutexLock lock(tasks_mutex);
    const Instant deadline = std::chrono::steady_clock::now() + kIdleTimeout;
    ++idle_threads;
    while (!closed && tasks.empty() && work_came.wait_until(tasks_mutex, deadline)) {
    }
    --idle_threads;
    if (tasks.empty()) {
      --threads;
      return {};
    }
    std::function<void()> task = std::move(tasks.front());
    tasks.pop_front();
    return task;
  }

  static void work(const std::shared_ptr<Shared>& shared) {
    // What a task owns is destroyed before the thread waits for the next one.
    while (std::function<void()> task = shared->next_task()) task();
  }

  const char* const thread_name;
  const int max_threads;

  Mutex tasks_mutex;
  ConditionVariable work_came;
  std::deque<std::function<void()>> tasks KSR_GUARDED_BY(tasks_mutex);
  int threads KSR_GUARDED_BY(tasks_mutex) = 0;
  int idle_threads KSR_GUARDED_BY(tasks_mutex) = 0;
  bool closed KSR_GUARDED_BY(tasks_mutex) = false;
};

BlockingPool::BlockingPool(const char* thread_name, int max_threads)
    : shared_(std::make_shared<Shared>(thread_name, max_threads)) {}

BlockingPool::~BlockingPool() {
  // Destroyed without the lock: what they own is not known here.
  std::deque<std::function<void()>> dropped;
  {
    const MutexLock lock(shared_->tasks_mutex);
    shared_->closed = true;
    dropped.swap(shared_->tasks);
  }
  shared_->work_came.notify_all();
}

Expected<void> BlockingPool::run(std::function<void()> task) {
  Shared& shared = *shared_;
  // Destroyed without the lock, as in the destructor.
  std::function<void()> rejected;
  const MutexLock lock(shared.tasks_mutex);
  shared.tasks.push_back(std::move(task));
  if (static_cast<int>(shared.tasks.size()) > shared.idle_threads && shared.threads < shared.max_threads) {
    const auto started = [this]() -> Expected<void> {
      try {
        auto thread = start_thread(shared_->thread_name, [shared = shared_] { Shared::work(shared); });
        if (!thread) return std::move(thread).error();
        thread->detach();
        return {};
      } catch (...) {
        return error_of_exception();
      }
    }();
    if (started) {
      ++shared.threads;
    } else if (shared.threads == 0) {
      rejected = std::move(shared.tasks.back());
      shared.tasks.pop_back();
      return started.error();
    }
  }
  shared.work_came.notify_one();
  return {};
}

void BlockingPool::post_despite_lack_of_memory(Executor& executor, const std::function<void()>& task) noexcept {
  for (;;) {
    try {
      executor.post(task);
      return;
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(kRetryAfterNoMemory);
    }
  }
}

}  // namespace ksr
