// Randomness that tests can replace: jitter and timeouts draw from it.
#pragma once

#include <cstdint>

namespace ksr {

class Random {
 public:
  virtual ~Random() = default;
  // Uniform in [0, 1).
  virtual double unit() = 0;
};

}  // namespace ksr
