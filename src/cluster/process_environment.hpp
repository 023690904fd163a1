// `ProcessEnvironment` is what a connection reads from its process and its machine; used by cluster/, replaced in
// tests.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ksr::cluster {

using WallTime = std::chrono::system_clock::time_point;

struct ProcessEnvironment {
  // An environment variable; empty where it is not set. Called within ksr_open only, on its thread.
  std::function<std::optional<std::string>(const char* name)> variable;
  // All of them, as "NAME=value". Called within ksr_open only, on its thread.
  std::function<std::vector<std::string>()> variables;
  // Where Kubernetes mounts token, ca.crt and namespace in a pod.
  std::string service_account_directory;
  // The expiry times of credentials are wall-clock times. Any thread.
  std::function<WallTime()> wall_clock;
  // Runs a task that may block on another thread (see BlockingPool); the task must not throw. False: no thread could be
  // started, and the task will not run. Any thread.
  std::function<bool(std::function<void()> task)> spawn_blocking;
};

// That of this process. Never destroyed.
const ProcessEnvironment& process_environment();

}  // namespace ksr::cluster
