#include "cluster/harness/wait_until.hpp"

#include <thread>

#include "cluster/harness/harness_error.hpp"

namespace ksr::clustertest {
namespace {

constexpr std::chrono::milliseconds kPollInterval{20};

}  // namespace

void wait_until(const std::string& what, const std::function<bool()>& condition, std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until)
      throw HarnessError("timed out after " + std::to_string(patience.count()) + " ms waiting for " + what);
    std::this_thread::sleep_for(kPollInterval);
  }
}

}  // namespace ksr::clustertest
