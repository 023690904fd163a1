// `KSR_ASSERT_ON_THREAD(executor)` ends the program when it runs on another thread than the executor's; used by every
// class that lives on the network thread, at its entries. Any thread.
//
// Active in builds without NDEBUG, which the sanitized trees are, and in any build with a sanitizer; otherwise it
// compiles to nothing and does not evaluate its argument.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "base/executor.hpp"

#if !defined(NDEBUG) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KSR_THREAD_CHECKS 1
#else
#define KSR_THREAD_CHECKS 0
#endif

namespace ksr {

inline void assert_on_thread(const Executor& executor, const char* file, int line, const char* function) noexcept {
  if (executor.on_this_thread()) return;
  std::fprintf(stderr, "%s:%d: %s: called outside the thread that it lives on\n", file, line, function);
  std::abort();
}

}  // namespace ksr

#if KSR_THREAD_CHECKS
#define KSR_ASSERT_ON_THREAD(executor) ::ksr::assert_on_thread((executor), __FILE__, __LINE__, __func__)
#else
#define KSR_ASSERT_ON_THREAD(executor) static_cast<void>(0)
#endif
