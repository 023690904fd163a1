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
  if (renewed_ && now - since_ >= min_interval_) taken_ = 0;
  if (taken_ == limit_) return false;
  if (taken_++ > 0) return true;
  since_ = now;
  renewed_ = false;
  return true;
}

}  // namespace ksr::sync
