// The numbers of ksr_stat. Written by the network thread, read by any: each is an atomic of its own.
#pragma once

#include <atomic>
#include <cstdint>

namespace ksr::stream {

using Count = std::atomic<std::uint64_t>;

struct Statistics {
  static constexpr std::int64_t none = -1;

  std::atomic<std::int32_t> state{1};  // KSR_STATE_*
  Count bytes_received{0};
  Count events{0};
  Count bookmarks{0};
  Count lists{0};
  Count watches{0};
  Count reconnects{0};
  Count relists{0};
  Count merged{0};
  Count errors{0};
  Count headlamp_reloads{0};
  // Points on the monotonic clock in milliseconds, or `none`.
  std::atomic<std::int64_t> fresh_at{none};
  std::atomic<std::int64_t> next_try_at{none};
};

}  // namespace ksr::stream
