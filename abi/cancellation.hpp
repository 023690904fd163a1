// `CancellationHeld` holds off pthread_cancel of the calling thread while it exists; used where a thread of the host
// waits, takes locks, uses descriptors or makes callbacks. Any thread.
//
// A cancelled thread is unwound out of whatever it does: a library function that is left in the middle would have to
// release all it holds at each such point, and a part of them is noexcept (waiting for a condition variable). It costs
// two atomic operations, no system call.
#pragma once

#include <pthread.h>

namespace ksr::abi {

class CancellationHeld {
 public:
  CancellationHeld() noexcept { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  // With PTHREAD_CANCEL_ASYNCHRONOUS, a thread that was cancelled meanwhile is unwound from here.
  ~CancellationHeld() noexcept(false) { pthread_setcancelstate(before_, nullptr); }
  CancellationHeld(const CancellationHeld&) = delete;
  CancellationHeld& operator=(const CancellationHeld&) = delete;

 private:
  int before_ = PTHREAD_CANCEL_ENABLE;
};

}  // namespace ksr::abi
