// `Statistics` holds the numbers of ksr_stat that belong to a watch, `OwnStatistics` those of each stream that shares
// it; written by Engine, Session and Subscribers, read by statistic_names.cpp. Any thread: each is an atomic of its
// own.
#pragma once

#include <atomic>
#include <cstdint>

#include "sync/sync_options.hpp"

namespace ksr::stream {

using Count = std::atomic<std::uint64_t>;

struct Statistics {
  static constexpr std::int64_t kNever = -1;

  std::atomic<sync::State> state{sync::State::connecting};
  Count bytes_received{0};
  // Before decompression.
  Count wire_bytes{0};
  // Of the newest list or watch: 0 JSON or none yet, 1 protobuf.
  Count encoding{0};
  Count events{0};
  Count bookmarks{0};
  Count lists{0};
  Count watches{0};
  Count reconnects{0};
  Count relists{0};
  Count errors{0};
  Count headlamp_reloads{0};
  // 1: the server sends only the objects of the shard.
  Count shard_by_server{0};
  // 0: none yet, 1: WebSocket, 2: HTTP.
  Count transport{0};
  // Points on the monotonic clock in milliseconds, or kNever.
  std::atomic<std::int64_t> fresh_at{kNever};
  std::atomic<std::int64_t> next_try_at{kNever};
};

struct OwnStatistics {
  Count merged{0};
};

}  // namespace ksr::stream
