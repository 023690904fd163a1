#include "stream/statistic_names.hpp"

#include <algorithm>
#include <limits>

#include "base/instant.hpp"

namespace ksr::stream {
namespace {

struct PlainCount {
  std::string_view name;
  Count Statistics::*count;
};

constexpr PlainCount kPlainCounts[] = {
    {"bytes_received", &Statistics::bytes_received},
    {"wire_bytes", &Statistics::wire_bytes},
    {"encoding", &Statistics::encoding},
    {"events", &Statistics::events},
    {"bookmarks", &Statistics::bookmarks},
    {"lists", &Statistics::lists},
    {"watches", &Statistics::watches},
    {"reconnects", &Statistics::reconnects},
    {"relists", &Statistics::relists},
    {"errors", &Statistics::errors},
    {"headlamp_reloads", &Statistics::headlamp_reloads},
    {"transport", &Statistics::transport},
    {"shard_by_server", &Statistics::shard_by_server},
};

std::int64_t monotonic_milliseconds() {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::uint64_t not_below_zero(std::int64_t value) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
}

}  // namespace

std::optional<std::uint64_t> read_statistic(std::string_view name, const StatisticSources& sources) {
  const Statistics& statistics = sources.informer.statistics();
  const delivery::CallbackDispatcher& dispatcher = sources.dispatcher;
  for (const PlainCount& plain : kPlainCounts) {
    if (plain.name == name) return (statistics.*plain.count).load(std::memory_order_relaxed);
  }
  if (name == "state") {
    const sync::State state = sources.closed ? sync::State::closed : statistics.state.load(std::memory_order_relaxed);
    return static_cast<std::uint64_t>(state);
  }
  if (name == "shared") return sources.informer.streams();
  if (name == "merged") return sources.own.merged.load(std::memory_order_relaxed);
  if (name == "deliveries") return dispatcher.deliveries();
  if (name == "dropped_errors") return dispatcher.dropped().errors;
  if (name == "dropped_states") return dispatcher.dropped().states;
  if (name == "dropped_logs") return dispatcher.dropped().log_lines;
  delivery::SharedView& view = *sources.informer.view();
  if (name == "objects") {
    return view.write([](const store::Cache& cache) -> std::uint64_t { return cache.count(); });
  }
  if (name == "store_bytes") {
    return view.write([](const store::Cache& cache) { return cache.stored_bytes(); });
  }
  if (name == "fresh_ms") {
    const std::int64_t fresh_at = statistics.fresh_at.load(std::memory_order_relaxed);
    if (fresh_at == Statistics::kNever) return std::numeric_limits<std::uint64_t>::max();
    return not_below_zero(monotonic_milliseconds() - fresh_at);
  }
  if (name == "next_retry_ms") {
    if (sources.closed) return 0;
    const std::int64_t next_try_at = statistics.next_try_at.load(std::memory_order_relaxed);
    return next_try_at == Statistics::kNever ? 0 : not_below_zero(next_try_at - monotonic_milliseconds());
  }
  return std::nullopt;
}

}  // namespace ksr::stream
