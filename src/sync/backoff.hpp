// `Backoff` and `ImmediateRetry` decide how long to wait after a failure; used by RetryPlan, stream::Engine,
// requests and channels. Live on the thread of their owner.
#pragma once

#include <optional>

#include "base/instant.hpp"
#include "base/random.hpp"

namespace ksr::sync {

// `base` plus 0 to 100 %.
Milliseconds with_jitter(Milliseconds base, Random& random);

// client-go's numbers (tools/cache/reflector.go: 800 ms, factor 2, cap 30 s, jitter 1.0), without its reset after two
// minutes of continuous outage: only progress resets it.
class Backoff {
 public:
  Backoff(Milliseconds initial, Milliseconds maximum);

  // The delay before the next try, jitter of 0 to 100 % included; the following one is twice as long.
  Milliseconds next(Random& random);
  void reset() noexcept { base_ = initial_; }

 private:
  Milliseconds initial_;
  Milliseconds maximum_;
  Milliseconds base_;
};

// The one retry without delay. A watch that ended in order, or a resourceVersion that expired, is followed up at once;
// but a server that ends every watch must not cause a loop. So it is renewed only by progress, and granted again only
// `min_interval` after the last one.
class ImmediateRetry {
 public:
  explicit ImmediateRetry(Milliseconds min_interval) : min_interval_(min_interval) {}

  // True: retry at once; the next call says false until renewed.
  bool take(Instant now) noexcept;
  void renew() noexcept { available_ = true; }

 private:
  Milliseconds min_interval_;
  bool available_ = true;
  std::optional<Instant> taken_at_;
};

}  // namespace ksr::sync
