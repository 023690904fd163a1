#include "cluster/process_environment.hpp"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "base/thread.hpp"

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

// Detached: whoever wanted the answer may be gone long before a hanging file system lets go of the task.
bool run_on_a_thread_of_its_own(std::function<void()> task) {
  auto thread = start_thread("ksr-aside", std::move(task));
  if (!thread) return false;
  thread->detach();
  return true;
}

}  // namespace

const ProcessEnvironment& process_environment() {
  static const ProcessEnvironment* const process_env = new ProcessEnvironment{
      environment_variable, environment_variables, "/var/run/secrets/kubernetes.io/serviceaccount",
      [] { return std::chrono::system_clock::now(); }, run_on_a_thread_of_its_own};
  return *process_env;
}

}  // namespace ksr::cluster
