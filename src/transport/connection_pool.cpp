#include "transport/connection_pool.hpp"

#include <algorithm>
#include <utility>

namespace ksr::transport {
namespace {

constexpr Milliseconds kMaxIdleTime{30'000};

}  // namespace

ConnectionPool::~ConnectionPool() {
  for (const Idle& idle : idle_) idle.stream->close();
}

ConnectionPool::Stream ConnectionPool::take(std::optional<Milliseconds> max_idle_time) {
  if (idle_.empty()) return nullptr;
  if (max_idle_time && executor_.now() - idle_.back().since > *max_idle_time) return nullptr;
  Stream stream = std::move(idle_.back().stream);
  idle_.pop_back();
  return stream;
}

void ConnectionPool::put(Stream stream) {
  const Instant now = executor_.now();
  idle_.push_back({std::move(stream), now});
  if (!timer_) close_old_ones_at(now + kMaxIdleTime);
}

// The timer outlives a connection that is taken out again: re-arming it for each request would cost two system calls.
void ConnectionPool::close_old_ones_at(Instant at) {
  timer_ = executor_.schedule(at, [this] { close_old_ones(); });
}

void ConnectionPool::close_old_ones() {
  const auto old = executor_.now() - kMaxIdleTime;
  const auto young = std::find_if(idle_.begin(), idle_.end(), [&](const Idle& idle) { return idle.since > old; });
  std::for_each(idle_.begin(), young, [](const Idle& idle) { idle.stream->close(); });
  idle_.erase(idle_.begin(), young);
  timer_.reset();
  if (!idle_.empty()) close_old_ones_at(idle_.front().since + kMaxIdleTime);
}

}  // namespace ksr::transport
