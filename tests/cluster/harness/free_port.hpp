#pragma once

#include <cstdint>

namespace ksr::clustertest {

// A loopback port that is free now and stays so: it lies below the range from which the system takes the ports of
// outgoing connections, so a server may stop and come back on it.
std::uint16_t free_port();

}  // namespace ksr::clustertest
