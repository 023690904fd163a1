// `CallbackMark` records which thread is inside a callback of the host; used by HostCallbacks and read by
// ksr_in_callback. Any thread.
//
// The marks of all streams are in one list, and each holds the id of the thread that runs its callback. A thread_local
// would be simpler, but a library that dlopen has loaded gets its thread-local memory at the first use on each thread,
// and glibc ends the process when there is none. A mark costs a callback two relaxed stores.
#pragma once

#include <atomic>
#include <thread>

#include "base/mutex.hpp"

namespace ksr::abi {

class CallbackMark {
 public:
  CallbackMark();
  ~CallbackMark();
  CallbackMark(const CallbackMark&) = delete;
  CallbackMark& operator=(const CallbackMark&) = delete;

  // The calling thread is inside a callback of this mark for the life of a Scope. Scopes of one mark never overlap.
  class Scope {
   public:
    explicit Scope(CallbackMark& mark) noexcept : mark_(mark) {
      mark_.thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    }
    ~Scope() { mark_.thread_.store(std::thread::id(), std::memory_order_relaxed); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    CallbackMark& mark_;
  };

  // Whether the calling thread is inside a callback of any mark.
  static bool on_this_thread();

 private:
  // Of all marks of the process.
  static Mutex marks_mutex_;
  static CallbackMark* first_mark_ KSR_GUARDED_BY(marks_mutex_);

  std::atomic<std::thread::id> thread_{};
  bool listed_ = false;  // set by the constructor
  CallbackMark* previous_ KSR_GUARDED_BY(marks_mutex_) = nullptr;
  CallbackMark* next_ KSR_GUARDED_BY(marks_mutex_) = nullptr;
};

}  // namespace ksr::abi
