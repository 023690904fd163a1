// `Random` is a source of random numbers that tests replace; used for jitter and timeouts.
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
