// How long to wait after a failure. Lives with its reflector.
#pragma once

#include "base/instant.hpp"
#include "base/random.hpp"

namespace ksr::sync {

// client-go's numbers (tools/cache/reflector.go: 800 ms, factor 2, cap 30 s, jitter 1.0), without its reset after two
// minutes of continuous outage: only health resets it.
class Backoff {
 public:
  Backoff(Milliseconds initial, Milliseconds maximum);

  // The delay before the next try, jitter of 0 to 100 % included; the one after it will be twice as long.
  Milliseconds next(Random& random);
  void reset() noexcept { base_ = initial_; }

 private:
  Milliseconds initial_;
  Milliseconds maximum_;
  Milliseconds base_;
};

// `base` plus 0 to 100 %.
Milliseconds with_jitter(Milliseconds base, Random& random);

}  // namespace ksr::sync
