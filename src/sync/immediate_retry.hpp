// The one try without delay that follows an end in good order. Lives with its reflector.
#pragma once

#include <optional>

#include "base/instant.hpp"

namespace ksr::sync {

// A watch that ended, or a resourceVersion that expired, is followed up at once; but an end that repeats must not
// become a loop. So the pass comes back only with health, and not before `rest` has passed.
class ImmediateRetry {
 public:
  explicit ImmediateRetry(Milliseconds rest) : rest_(rest) {}

  // True: go at once; the pass is spent.
  bool take(Instant now) noexcept {
    if (!there_ || (taken_at_ && now - *taken_at_ < rest_)) return false;
    there_ = false;
    taken_at_ = now;
    return true;
  }
  void renew() noexcept { there_ = true; }

 private:
  Milliseconds rest_;
  bool there_ = true;
  std::optional<Instant> taken_at_;
};

}  // namespace ksr::sync
