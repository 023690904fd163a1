#include "cluster/process_environment.hpp"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "base/blocking_pool.hpp"

namespace ksr::cluster {
namespace {

std::optional<std::string> environment_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::vector<std::string> environment_variables() {
  std::vector<std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) all.emplace_back(*entry);
  return all;
}

// A file system that hangs may keep many threads, so there are more than there are streams in most processes.
constexpr int kMaxThreads = 64;

// Never destroyed: its threads may be in a call that blocks while the process exits.
bool run_on_blocking_pool(std::function<void()> task) {
  static BlockingPool* const pool = new BlockingPool("ksr-blocking", kMaxThreads);
  return pool->run(std::move(task)).has_value();
}

}  // namespace

const ProcessEnvironment& process_environment() {
  static const ProcessEnvironment* const process_env = new ProcessEnvironment{
      environment_variable, environment_variables, "/var/run/secrets/kubernetes.io/serviceaccount",
      [] { return std::chrono::system_clock::now(); }, run_on_blocking_pool};
  return *process_env;
}

}  // namespace ksr::cluster
