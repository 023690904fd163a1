// `Mutex`, `SharedMutex`, their scoped locks and `ConditionVariable` wrap those of the standard library with the
// annotations that clang's thread-safety analysis checks; used by every class that is shared between threads.
// Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>

#include "base/thread_annotations.hpp"

namespace ksr {

class KSR_CAPABILITY("mutex") Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() KSR_ACQUIRE() { native_.lock(); }
  void unlock() KSR_RELEASE() { native_.unlock(); }

 private:
  friend class ConditionVariable;
  std::mutex native_;
};

// Holds a mutex from its construction to its destruction, or to an earlier unlock().
class KSR_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) KSR_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() KSR_RELEASE() {
    if (held_) mutex_.unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void unlock() KSR_RELEASE() {
    held_ = false;
    mutex_.unlock();
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

// Releases a mutex that is held from its construction to its destruction, also when an exception passes.
class KSR_SCOPED_CAPABILITY MutexUnlock {
 public:
  explicit MutexUnlock(Mutex& mutex) KSR_RELEASE(mutex) : mutex_(mutex) { mutex_.unlock(); }
  // To the analysis, what a scope's destructor releases is what its constructor did: the lock is taken again.
  ~MutexUnlock() KSR_RELEASE() { mutex_.lock(); }
  MutexUnlock(const MutexUnlock&) = delete;
  MutexUnlock& operator=(const MutexUnlock&) = delete;

 private:
  Mutex& mutex_;
};

// Without predicates, which the analysis cannot look into: callers wait in a loop over the condition.
class ConditionVariable {
 public:
  void wait(Mutex& mutex) KSR_REQUIRES(mutex) {
    Adopted lock(mutex.native_);
    condition_.wait(lock.native);
  }
  // False when `at` has come.
  bool wait_until(Mutex& mutex, std::chrono::steady_clock::time_point at) KSR_REQUIRES(mutex) {
    Adopted lock(mutex.native_);
    return condition_.wait_until(lock.native, at) == std::cv_status::no_timeout;
  }
  void notify_one() noexcept { condition_.notify_one(); }
  void notify_all() noexcept { condition_.notify_all(); }

 private:
  // Leaves the mutex locked, as the caller has it, also when a cancelled thread is unwound out of the wait.
  struct Adopted {
    explicit Adopted(std::mutex& mutex) : native(mutex, std::adopt_lock) {}
    ~Adopted() { native.release(); }
    Adopted(const Adopted&) = delete;
    Adopted& operator=(const Adopted&) = delete;
    std::unique_lock<std::mutex> native;
  };

  std::condition_variable condition_;
};

class KSR_CAPABILITY("mutex") SharedMutex {
 public:
  SharedMutex() = default;
  SharedMutex(const SharedMutex&) = delete;
  SharedMutex& operator=(const SharedMutex&) = delete;

  void lock() KSR_ACQUIRE() { native_.lock(); }
  void unlock() KSR_RELEASE() { native_.unlock(); }
  void lock_shared() KSR_ACQUIRE_SHARED() { native_.lock_shared(); }
  void unlock_shared() KSR_RELEASE_SHARED() { native_.unlock_shared(); }

 private:
  std::shared_mutex native_;
};

// Holds a SharedMutex exclusively.
class KSR_SCOPED_CAPABILITY ExclusiveLock {
 public:
  explicit ExclusiveLock(SharedMutex& mutex) KSR_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~ExclusiveLock() KSR_RELEASE() { mutex_.unlock(); }
  ExclusiveLock(const ExclusiveLock&) = delete;
  ExclusiveLock& operator=(const ExclusiveLock&) = delete;

 private:
  SharedMutex& mutex_;
};

}  // namespace ksr
