// The names that ksr_stat knows. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "delivery/callback_dispatcher.hpp"
#include "delivery/publisher.hpp"
#include "stream/statistics.hpp"

namespace ksr::stream {

// Empty: no such statistic.
std::optional<std::uint64_t> read_statistic(std::string_view name, const Statistics& statistics,
                                            delivery::Publisher& publisher,
                                            const delivery::CallbackDispatcher& dispatcher);

}  // namespace ksr::stream
