#include "sync/backoff.hpp"

#include <algorithm>

namespace ksr::sync {

Milliseconds with_jitter(Milliseconds base, Random& random) {
  const double extra = static_cast<double>(base.count()) * random.unit();
  return base + Milliseconds(static_cast<Milliseconds::rep>(extra));
}

Backoff::Backoff(Milliseconds initial, Milliseconds maximum)
    : initial_(std::max(initial, Milliseconds(1))), maximum_(std::max(maximum, initial_)), base_(initial_) {}

Milliseconds Backoff::next(Random& random) {
  const Milliseconds delay = with_jitter(base_, random);
  base_ = base_ > maximum_ / 2 ? maximum_ : base_ * 2;
  return delay;
}

bool ImmediateRetry::take(Instant now) noexcept {
  if (!available_ || (taken_at_ && now - *taken_at_ < min_interval_)) return false;
  available_ = false;
  taken_at_ = now;
  return true;
}

}  // namespace ksr::sync
