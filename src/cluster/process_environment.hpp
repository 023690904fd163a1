// What a connection takes from the process and the machine around it; tests bring their own.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ksr::cluster {

using WallTime = std::chrono::system_clock::time_point;

struct ProcessEnvironment {
  // An environment variable; empty where it is not set. Called on the thread that opens, never later.
  std::function<std::optional<std::string>(const char* name)> variable;
  // All of them, as "NAME=value". Called on the thread that opens, never later.
  std::function<std::vector<std::string>()> variables;
  // Where a pod finds token, ca.crt and namespace.
  std::string service_account_directory;
  // Credentials expire by the clock on the wall. Any thread.
  std::function<WallTime()> wall_clock;
  // Runs a task that may block on a thread of its own, with all asynchronous signals masked. False: there is no thread
  // to be had, and the task will not run.
  std::function<bool(std::function<void()> task)> spawn_blocking;
};

// The real ones. Never destroyed.
const ProcessEnvironment& process_environment();

}  // namespace ksr::cluster
