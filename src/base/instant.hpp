// A point on the monotonic clock. Pure logic gets it as an input and never reads a clock.
#pragma once

#include <chrono>

namespace ksr {

using Instant = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

}  // namespace ksr
