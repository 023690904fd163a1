#include "transport/leaked_statics.hpp"

// The network thread outlives the beginning of exit(), so nothing it may touch can be destroyed there: cpprestsdk's and
// Boost's static objects least of all. The link option --wrap=__cxa_atexit (CMakeLists.txt) brings the registrations of
// static destructors here, and here they end.
extern "C" int __wrap___cxa_atexit(void (*)(void*), void*, void*) noexcept;
extern "C" int __wrap___cxa_atexit(void (*)(void*), void*, void*) noexcept {
  return 0;
}
extern "C" int __real___cxa_atexit(void (*)(void*), void*, void*) noexcept;

namespace ksr::transport {

bool run_in_exit(void (*run)(void*)) noexcept {
  // Of no shared object: dlclose() calls what belongs to one.
  return __real___cxa_atexit(run, nullptr, nullptr) == 0;
}

}  // namespace ksr::transport
