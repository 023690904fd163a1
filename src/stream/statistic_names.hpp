// `read_statistic` returns a statistic of a stream by its name; used by Stream for ksr_stat. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "delivery/callback_dispatcher.hpp"
#include "stream/informer.hpp"
#include "stream/statistics.hpp"

namespace ksr::stream {

// Where the numbers of one stream are.
struct StatisticSources {
  const Informer& informer;
  // The stream was cancelled or closed, or has failed for good: what happens to the informer is not its state any more.
  bool closed;
  const OwnStatistics& own;
  const delivery::CallbackDispatcher& dispatcher;
};

// Empty: no such statistic.
std::optional<std::uint64_t> read_statistic(std::string_view name, const StatisticSources& sources);

}  // namespace ksr::stream
