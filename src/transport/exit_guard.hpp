// What ends in exit() and what does not; used by all that calls OpenSSL. OpenSSL frees its own state in exit(), while
// the network thread and callers of ksr_open may be using it. So all use of OpenSSL ends before: no new call is begun
// once the process exits, those under way are awaited (by exit() for 2 s, by OPENSSL_cleanup() until they end), and
// what OpenSSL allocated is left as it is. Plain connections go on to the end of the process. Static objects are never
// destroyed (see --wrap=__cxa_atexit in exit_guard.cpp). Any thread, unless said otherwise.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/thread_annotations.hpp"

namespace ksr::transport {

// Initialises OpenSSL and registers what ends its use in exit(). To be called on the caller's thread before the network
// thread may use OpenSSL; a process that exits in between would otherwise have OpenSSL initialised during its clean-up.
// What fails is tried again at the next call.
void register_atexit_hook();

// `run` is called by exit(), and not by dlclose, which calls what belongs to a shared object. False without memory for
// it, or when exit() has run all it had to.
bool run_in_exit(void (*run)(void*)) noexcept;

// What a caller that may not call OpenSSL tells its own: the process is exiting, or OpenSSL could not be initialised.
Error tls_unusable(const std::string& step);

// For what OpenSSL made and must not be asked to free any more: keeps it reachable, so that leak checkers of the host
// do not report it. Any thread.
void keep_unreleased(void* object) noexcept;

// OpenSSL may be called while one of these exists, if it is true. exit() waits for its end, so neither callbacks nor
// waiting belong inside. Scopes of one thread may be nested.
class TlsUse {
 public:
  // Not followed by the analysis: only the outermost scope of a thread locks, and only while OpenSSL may be used.
  TlsUse() KSR_NO_THREAD_SAFETY_ANALYSIS;
  ~TlsUse() KSR_NO_THREAD_SAFETY_ANALYSIS;
  TlsUse(const TlsUse&) = delete;
  TlsUse& operator=(const TlsUse&) = delete;
  explicit operator bool() const noexcept { return allowed_; }

 private:
  void end_call() KSR_NO_THREAD_SAFETY_ANALYSIS;

  bool locked_ = false;
  bool allowed_ = false;
};

// A live user of OpenSSL; `abort` makes what is under way end. Network thread only.
class TlsUser {
 public:
  TlsUser();
  virtual ~TlsUser();
  TlsUser(const TlsUser&) = delete;
  TlsUser& operator=(const TlsUser&) = delete;
  virtual void abort() noexcept = 0;
};

}  // namespace ksr::transport
