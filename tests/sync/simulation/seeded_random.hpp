// `SeededRandom` is the only source of randomness of a scenario: a seed gives the same run on every machine; used by
// all parts of the simulation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/instant.hpp"
#include "base/random.hpp"

namespace ksr::sync::testing {

// SplitMix64.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 1) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  double unit() override { return static_cast<double>(next() >> 11) * 0x1p-53; }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(unit() * static_cast<double>(n)); }
  bool chance(double probability) { return unit() < probability; }
  Milliseconds between(Milliseconds low, Milliseconds high) {
    return low + Milliseconds(static_cast<Milliseconds::rep>(unit() * static_cast<double>((high - low).count() + 1)));
  }

 private:
  std::uint64_t state_;
};

}  // namespace ksr::sync::testing
