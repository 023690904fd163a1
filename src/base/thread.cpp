#include "base/thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <exception>
#include <string>
#include <utility>

namespace ksr {
namespace {

class AsynchronousSignalsBlocked {
 public:
  AsynchronousSignalsBlocked() {
    sigset_t blocked;
    sigfillset(&blocked);
    for (int received : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGPROF}) sigdelset(&blocked, received);
    pthread_sigmask(SIG_SETMASK, &blocked, &before_);
  }
  ~AsynchronousSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AsynchronousSignalsBlocked(const AsynchronousSignalsBlocked&) = delete;
  AsynchronousSignalsBlocked& operator=(const AsynchronousSignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Expected<std::thread> start_thread(const char* name, std::function<void()> body) {
  // The mask is inherited, so it is set around the creation, not inside the thread: no signal can slip in between.
  const AsynchronousSignalsBlocked blocked;
  try {
    std::thread thread([name, body = std::move(body)] {
      pthread_setname_np(pthread_self(), name);
      pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
      body();
    });
    return thread;
  } catch (const std::exception& failure) {
    return Error{Status::out_of_memory, std::string("starting thread ") + name + ": " + failure.what()};
  }
}

}  // namespace ksr
