// `call_of_host` makes one callback of the host; used by CallbackDispatcher and by the callbacks of clients. Lives
// where callbacks run.
#pragma once

#include <cxxabi.h>

namespace ksr::delivery {

// False when the host has thrown an exception, which ends here: it must not cross the ABI. pthread_exit and
// pthread_cancel go on.
template <class Call>
bool call_of_host(Call&& call) {
  try {
    call();
    return true;
  } catch (const ::abi::__forced_unwind&) {
    throw;
  } catch (...) {
    return false;
  }
}

}  // namespace ksr::delivery
