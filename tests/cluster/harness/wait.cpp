#include "cluster/harness/wait.hpp"

#include <thread>

#include "cluster/harness/harness_error.hpp"
#include "cluster/harness/text_files.hpp"

namespace ksr::clustertest {
namespace {

constexpr std::chrono::milliseconds kPollInterval{20};
constexpr std::size_t kLogTail = 4000;

bool without_throwing(const std::function<bool()>& ready) {
  try {
    return ready();
  } catch (const HarnessError&) {
    return false;
  }
}

}  // namespace

void wait_until(const std::string& what, const std::function<bool()>& condition, std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until)
      throw HarnessError("timed out after " + std::to_string(patience.count()) + " ms waiting for " + what);
    std::this_thread::sleep_for(kPollInterval);
  }
}

void wait_until_ready(ChildProcess& process, const std::filesystem::path& log, const std::string& name,
                      const std::function<bool()>& ready) {
  bool ended = false;
  const auto ready_or_ended = [&] {
    ended = !process.running();
    return ended || without_throwing(ready);
  };
  std::string failure = name + " ended while starting";
  try {
    wait_until(name, ready_or_ended);
  } catch (const HarnessError& too_late) {
    ended = true;
    failure = too_late.what();
  }
  if (ended) throw HarnessError(failure + "; the end of its log:\n" + tail_of_file(log, kLogTail));
}

}  // namespace ksr::clustertest
