// `Instant` is a point on the monotonic clock; used by every module. Pure logic gets it as an input and reads no clock.
#pragma once

#include <chrono>

namespace ksr {

using Instant = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

}  // namespace ksr
