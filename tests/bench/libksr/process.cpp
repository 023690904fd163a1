#include "process.hpp"

#include <sys/resource.h>
#include <time.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

namespace ksr::bench {
namespace {

// A line of /proc/self/status, such as "VmRSS:  1234 kB".
std::uint64_t status_value(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    std::uint64_t value = 0;
    if (word == name + ":" && status >> value) return value;
  }
  return 0;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

std::int64_t clock_nanoseconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

double now_seconds() {
  return static_cast<double>(clock_nanoseconds(CLOCK_MONOTONIC)) * 1e-9;
}
std::int64_t wall_nanoseconds() {
  return clock_nanoseconds(CLOCK_REALTIME);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint64_t resident_bytes() {
  return status_value("VmRSS") * 1024;
}
std::uint64_t peak_bytes() {
  return status_value("VmHWM") * 1024;
}
void reset_peak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}
std::uint64_t thread_count() {
  return status_value("Threads");
}

void sleep_seconds(double length) {
  std::this_thread::sleep_for(std::chrono::duration<double>(length));
}

}  // namespace ksr::bench
