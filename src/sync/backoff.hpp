// `Backoff` and `ImmediateRetry` decide how long to wait after a failure; used by RetryPlan, stream::Engine,
// requests and channels. Live on the thread of their owner.
#pragma once

#include <cstddef>

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

// The retries without delay, `limit` in a row. A watch that ended in order, or a resourceVersion that expired, is
// followed up at once; but a server that ends every watch must not cause a loop, whatever it sends before. So they are
// granted again only by progress, and not until `min_interval` after the first of the last ones; or by a wait.
class ImmediateRetry {
 public:
  explicit ImmediateRetry(Milliseconds min_interval, std::size_t limit = 1)
      : min_interval_(min_interval), limit_(limit) {}

  // True: retry at once.
  bool take(Instant now) noexcept;
  // There was progress.
  void renew() noexcept { renewed_ = true; }
  // The next try is after a wait.
  void begin_wait() noexcept { taken_ = 0; }

 private:
  Milliseconds min_interval_;
  std::size_t limit_;
  std::size_t taken_ = 0;
  Instant since_{};
  bool renewed_ = false;
};

}  // namespace ksr::sync
