// `wait_until_ready` waits for a server to become ready, but not for ever; used by the harness and the tests. On any
// thread.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "cluster/harness/child_process.hpp"
#include "cluster/harness/wait_until.hpp"

namespace ksr::clustertest {

// Polls until `ready` is true; a HarnessError that it throws counts as false. Throws with the end of the log when the
// process ends or does not become ready.
void wait_until_ready(ChildProcess& process, const std::filesystem::path& log, const std::string& name,
                      const std::function<bool()>& ready);

}  // namespace ksr::clustertest
