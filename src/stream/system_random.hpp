// Random seeded by the system. Not thread-safe: each stream has its own, on the network thread.
#pragma once

#include <random>

#include "base/random.hpp"

namespace ksr::stream {

class SystemRandom final : public Random {
 public:
  SystemRandom() : engine_(std::random_device{}()) {}
  double unit() override { return std::uniform_real_distribution<double>(0.0, 1.0)(engine_); }

 private:
  std::minstd_rand engine_;
};

}  // namespace ksr::stream
