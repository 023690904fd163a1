// `kWaitLimit` is how long a test waits for what has to come; used by all tests in C++. Far beyond what it takes: only
// a fault, never a busy machine, may reach it.
#pragma once

#include <chrono>
#include <cstdint>

namespace ksr::testing {

constexpr std::chrono::seconds kWaitLimit{150};
// For ksr_wait_synced and its like.
constexpr std::int64_t kWaitLimitMs = std::chrono::milliseconds(kWaitLimit).count();

}  // namespace ksr::testing
