// `start_thread` starts a thread that has a name, does not receive the host's signals and cannot be cancelled, though a
// callback tells the host which one it is; used for every thread of the library. Any thread.
#pragma once

#include <functional>
#include <thread>

#include "base/expected.hpp"

namespace ksr {

// Asynchronous signals are blocked in the new thread; those that a fault of its own raises, and SIGPROF, are not, so
// that crash handlers and profilers of the host keep working. `name` has at most 15 characters.
Expected<std::thread> start_thread(const char* name, std::function<void()> body);

}  // namespace ksr
