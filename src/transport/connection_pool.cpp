#include "transport/connection_pool.hpp"

#include <algorithm>
#include <utility>

namespace ksr::transport {
namespace {

constexpr Milliseconds kMaxIdleTime{30'000};
constexpr Milliseconds kMaxIdleTimeUnrepeatable{1'000};

}  // namespace

ConnectionPool::~ConnectionPool() {
  for (const Idle& idle : idle_) idle.stream->close();
}

ConnectionPool::Stream ConnectionPool::take(bool repeatable) {
  while (!idle_.empty()) {
    if (!repeatable && executor_.now() - idle_.back().since > kMaxIdleTimeUnrepeatable) {
      // The new connection will take its place.
      idle_.front().stream->close();
      idle_.erase(idle_.begin());
      return nullptr;
    }
    Stream stream = std::move(idle_.back().stream);
    idle_.pop_back();
    // An answer that no request was sent for must not become that of the next one.
    if (stream->at_rest()) return stream;
    stream->close();
  }
  return nullptr;
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

void ConnectionPool::close_idle(Milliseconds idle_for) {
  const auto old = executor_.now() - idle_for;
  const auto young = std::find_if(idle_.begin(), idle_.end(), [&](const Idle& idle) { return idle.since > old; });
  std::for_each(idle_.begin(), young, [](const Idle& idle) { idle.stream->close(); });
  idle_.erase(idle_.begin(), young);
}

void ConnectionPool::close_old_ones() {
  close_idle(kMaxIdleTime);
  timer_.reset();
  if (!idle_.empty()) close_old_ones_at(idle_.front().since + kMaxIdleTime);
}

}  // namespace ksr::transport
