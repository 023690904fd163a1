#include "cluster/harness/wait.hpp"

#include "cluster/harness/harness_error.hpp"
#include "cluster/harness/text_files.hpp"

namespace ksr::clustertest {
namespace {

constexpr std::size_t kLogTail = 4000;

bool without_throwing(const std::function<bool()>& ready) {
  try {
    return ready();
  } catch (const HarnessError&) {
    return false;
  }
}

}  // namespace

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
