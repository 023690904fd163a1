// Tells when the machine has slept: CLOCK_BOOTTIME runs on in a suspend, CLOCK_MONOTONIC stands still. Pure.
#pragma once

#include <chrono>
#include <optional>

#include "base/instant.hpp"

namespace ksr::stream {

class SuspendWatch {
 public:
  // `offset`: boot time minus monotonic time now. True when it has grown by a second or more since the last look.
  bool slept(Milliseconds offset) {
    const bool grown = last_ && offset - *last_ >= std::chrono::seconds(1);
    last_ = offset;
    return grown;
  }
  // The next look has nothing to compare with.
  void reset() { last_.reset(); }

 private:
  std::optional<Milliseconds> last_;
};

}  // namespace ksr::stream
