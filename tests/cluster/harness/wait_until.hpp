// `wait_until` waits for what another process does asynchronously, but not for ever; used by the harness and by tests.
// On any thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace ksr::clustertest {

constexpr std::chrono::seconds kPatience{150};

// Polls until `condition` is true. Throws HarnessError, which names what was waited for, at the timeout.
void wait_until(const std::string& what, const std::function<bool()>& condition,
                std::chrono::milliseconds patience = kPatience);

}  // namespace ksr::clustertest
