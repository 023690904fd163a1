// `DeliveryThread` is the thread that makes callbacks: any number of callers wait for its end, or one detaches it; used
// by CallbackDispatcher and CallbackRunner, whose mutex guards it.
#pragma once

#include <thread>
#include <utility>

#include "base/mutex.hpp"

namespace ksr::delivery {

class DeliveryThread {
 public:
  void own(std::thread thread) {
    thread_ = std::move(thread);
    over_ = false;
  }

  // Waits for its end, without `mutex`; returns at once where there is none, or a detached one. Others that join wait
  // for `joined` meanwhile.
  void join(Mutex& mutex, ConditionVariable& joined) KSR_REQUIRES(mutex) {
    if (!thread_.joinable()) {
      while (!over_) joined.wait(mutex);
      return;
    }
    std::thread ended = std::move(thread_);
    {
      const MutexUnlock unlock(mutex);
      ended.join();
    }
    over_ = true;
    joined.notify_all();
  }

  // It ends by itself. Does nothing where a caller joins it.
  void detach() {
    if (!thread_.joinable()) return;
    thread_.detach();
    over_ = true;
  }

 private:
  std::thread thread_;  // not joinable once a caller joins or has detached it
  bool over_ = true;    // none was started, or it is joined or detached
};

}  // namespace ksr::delivery
