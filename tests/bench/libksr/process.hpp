// What this process costs: processor time, memory, threads. Linux only.
#pragma once

#include <cstdint>

namespace bench {

double now_seconds();
std::int64_t wall_nanoseconds();

// User and system time of all threads.
double cpu_seconds();

std::uint64_t resident_bytes();

// The most that was resident since the start or the last reset_peak.
std::uint64_t peak_bytes();
void reset_peak();

std::uint64_t thread_count();

void sleep_seconds(double seconds);

}  // namespace bench
