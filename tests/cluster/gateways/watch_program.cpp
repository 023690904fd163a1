#include "cluster/gateways/watch_program.hpp"

#include <cstdlib>
#include <thread>

#include "cluster/harness/harness_error.hpp"
#include "cluster/harness/text_files.hpp"

namespace ksr::clustertest {
namespace {

constexpr std::size_t kMaxOutput = 1 << 20;
// It is the accuracy of the figures.
constexpr std::chrono::milliseconds kPollInterval{2};

std::vector<std::string> command(const std::vector<std::string>& arguments) {
  const char* program = std::getenv("KSR_WATCH");
  if (program == nullptr) throw HarnessError("KSR_WATCH does not name ksr-watch");
  std::vector<std::string> words{program, "pods", "-o", "events", "--log"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

}  // namespace

WatchProgram::WatchProgram(const std::vector<std::string>& arguments)
    : directory_("ksr-gateways"), process_(command(arguments), directory_.path("output")) {}

std::string WatchProgram::output() const {
  return tail_of_file(directory_.path("output"), kMaxOutput);
}

std::chrono::milliseconds WatchProgram::wait_for(const std::string& text, std::chrono::seconds patience) {
  const auto begin = std::chrono::steady_clock::now();
  while (!has_printed(text)) {
    if (std::chrono::steady_clock::now() - begin > patience || !process_.running()) {
      throw HarnessError("ksr-watch did not print \"" + text + "\" within " + std::to_string(patience.count()) +
                         " s, but:\n" + output());
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
}

}  // namespace ksr::clustertest
