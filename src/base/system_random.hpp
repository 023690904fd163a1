// `SystemRandom` is a Random that the operating system seeds; used by streams and clients. Lives on the network thread,
// except its construction.
#pragma once

#include <random>

#include "base/random.hpp"

namespace ksr {

class SystemRandom final : public Random {
 public:
  SystemRandom() : engine_(std::random_device{}()) {}
  double unit() override { return std::uniform_real_distribution<double>(0.0, 1.0)(engine_); }

 private:
  std::minstd_rand engine_;
};

}  // namespace ksr
