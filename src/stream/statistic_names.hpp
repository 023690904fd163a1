// `read_statistic` returns a statistic of a stream by its name; used by Stream for ksr_stat. Any thread.
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
