// `FailingAllocation` lets one allocation of the program fail, `WithMemory` none; used by tests of what happens without
// memory. A program that uses the first is linked with allocation_failure.cpp. Each thread has its own count.
#pragma once

#include <cstddef>
#include <limits>
#include <utility>

namespace ksr::testing {

inline constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
// How many succeed before one fails.
inline thread_local std::size_t allocations_left = kNever;

class FailingAllocation {
 public:
  // The one after so many others, if there are as many.
  explicit FailingAllocation(std::size_t left) : before_(std::exchange(allocations_left, left)) {}
  ~FailingAllocation() { allocations_left = before_; }
  bool has_failed() const noexcept { return allocations_left == kNever; }
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;

 private:
  const std::size_t before_;
};

// For what is the test's own within the code under test.
class WithMemory {
 public:
  WithMemory() : before_(std::exchange(allocations_left, kNever)) {}
  ~WithMemory() { allocations_left = before_; }
  WithMemory(const WithMemory&) = delete;
  WithMemory& operator=(const WithMemory&) = delete;

 private:
  const std::size_t before_;
};

}  // namespace ksr::testing
