// Bounded waiting: for a server to come up, and for what a cluster does in its own time.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "cluster/harness/child_process.hpp"

namespace ksr::clustertest {

constexpr std::chrono::seconds kPatience{90};

// Asks until the answer is yes. Throws HarnessError, naming what was waited for, when the time is over.
void wait_until(const std::string& what, const std::function<bool()>& condition,
                std::chrono::milliseconds patience = kPatience);

// The same for a server; a HarnessError that `ready` throws is a no. Throws with the end of the log when the process
// ends or stays away.
void wait_until_ready(ChildProcess& process, const std::filesystem::path& log, const std::string& name,
                      const std::function<bool()>& ready);

}  // namespace ksr::clustertest
