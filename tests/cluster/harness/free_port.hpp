#pragma once

#include <cstdint>

namespace ksr::clustertest {

// A loopback port that is free now and stays free: it lies below the range from which the system takes the ports of
// outgoing connections, so that a server may be stopped and started again on it.
std::uint16_t free_port();

}  // namespace ksr::clustertest
