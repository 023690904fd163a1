// How the library starts threads: named, and deaf to the host's signals.
#pragma once

#include <functional>
#include <thread>

#include "base/expected.hpp"

namespace ksr {

// Asynchronous signals are blocked in the new thread; those that a fault of its own raises, and SIGPROF, are not, so
// that crash handlers and profilers of the host go on working. `name` has at most 15 characters.
Expected<std::thread> start_thread(const char* name, std::function<void()> body);

}  // namespace ksr
