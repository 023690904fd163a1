// Bounded waiting for a server to become ready and for what a cluster does asynchronously; used by the harness and the
// tests. On any thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "cluster/harness/child_process.hpp"

namespace ksr::clustertest {

constexpr std::chrono::seconds kPatience{150};

// Polls until `condition` is true. Throws HarnessError, which names what was waited for, at the timeout.
void wait_until(const std::string& what, const std::function<bool()>& condition,
                std::chrono::milliseconds patience = kPatience);

// The same for a server; a HarnessError that `ready` throws counts as false. Throws with the end of the log when the
// process ends or does not become ready.
void wait_until_ready(ChildProcess& process, const std::filesystem::path& log, const std::string& name,
                      const std::function<bool()>& ready);

}  // namespace ksr::clustertest
