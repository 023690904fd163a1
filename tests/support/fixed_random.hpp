// `FixedRandom` gives one number whenever it is asked; used by tests of what waits for a random time. Lives on the
// test's thread.
#pragma once

#include "base/random.hpp"

namespace ksr::testing {

class FixedRandom final : public Random {
 public:
  explicit FixedRandom(double every = 0) : value(every) {}
  double unit() override { return value; }
  double value;
};

}  // namespace ksr::testing
