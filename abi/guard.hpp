// `guard` and `guard_value` end every exception, refuse calls in a forked child and hold off the cancellation of the
// calling thread; used by every exported function that can throw. The others are noexcept by what they do. Any thread.
//
// What they let pass is the end of the calling thread inside a callback (pthread_exit; CPython ends a daemon thread so
// when the interpreter is finalized), which glibc makes an exception that must not be caught. So they are not noexcept.
#pragma once

#include <cxxabi.h>

#include <exception>
#include <new>
#include <string>
#include <utility>

#include "abi/cancellation.hpp"
#include "abi/constants.hpp"
#include "abi/handles.hpp"
#include "base/error.hpp"
#include "stream/fork_guard.hpp"

namespace ksr::abi {

// Gives the error to the caller; without memory for it the caller gets the status alone.
inline ksr_status report(const Error& error, ksr_error** err) noexcept {
  if (err != nullptr) {
    try {
      *err = new ksr_error({error, std::nullopt});
    } catch (...) {
    }
  }
  return code(error.status);
}

// Runs `body`, which returns a status or an Expected<void>. In a forked child it is not run.
template <class Body>
ksr_status guard(ksr_error** err, Body&& body) {
  const CancellationHeld held;
  try {
    if (stream::in_forked_child()) {
      return report(Error{Status::forked, "called in a forked child; streams live in the parent, exec() instead"}, err);
    }
    const Expected<void> outcome = body();
    return outcome ? KSR_OK : report(outcome.error(), err);
  } catch (const ::abi::__forced_unwind&) {
    throw;
  } catch (const std::bad_alloc&) {
    return report(Error{Status::out_of_memory, "out of memory"}, err);
  } catch (const std::exception& failure) {
    try {
      return report(Error{Status::internal, std::string("a defect of the library: ") + failure.what()}, err);
    } catch (...) {
      return KSR_E_INTERNAL;
    }
  } catch (...) {
    return KSR_E_INTERNAL;
  }
}

// The same for functions that return a value: `failed` stands for an exception, `forked` is returned in a forked child.
template <class Value, class Body>
Value guard_value(Value failed, Value forked, Body&& body) {
  if (stream::in_forked_child()) return forked;
  const CancellationHeld held;
  try {
    return body();
  } catch (const ::abi::__forced_unwind&) {
    throw;
  } catch (...) {
    return failed;
  }
}

// For functions on immutable data, which a forked child may call too. They call nothing that a thread could end in.
template <class Value, class Body>
Value guard_value_also_forked(Value failed, Body&& body) noexcept {
  try {
    return body();
  } catch (...) {
    return failed;
  }
}

inline Expected<void> invalid(const char* message) {
  return Error{Status::invalid, message};
}

}  // namespace ksr::abi
