// The costs of this process: processor time, memory, threads; used by the cases. Linux only. On any thread.
#pragma once

#include <cstdint>

namespace ksr::bench {

double now_seconds();
std::int64_t wall_nanoseconds();

// User and system time of all threads.
double cpu_seconds();

std::uint64_t resident_bytes();

// The maximum that was resident since the start or the last reset_peak.
std::uint64_t peak_bytes();
void reset_peak();

std::uint64_t thread_count();

void sleep_seconds(double seconds);

}  // namespace ksr::bench
