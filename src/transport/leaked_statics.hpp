// The library's way around --wrap=__cxa_atexit; used by the exit guard. Any thread.
#pragma once

namespace ksr::transport {

// `run` is called by exit(), and not by dlclose. False without memory for it, or when exit() has run all it had to.
bool run_in_exit(void (*run)(void*)) noexcept;

}  // namespace ksr::transport
