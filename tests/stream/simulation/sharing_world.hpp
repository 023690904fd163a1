// `SharingWorld` is what all parts of this simulation have in common: clock, network, randomness, and what was
// violated; owned by Simulation. One thread: the executor's tasks run when the simulation says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sync/simulation/seeded_random.hpp"
#include "unit/cluster/fakes.hpp"

namespace ksr::stream::testing {

struct SharingWorld {
  SharingWorld(std::uint64_t seed, bool is_tracing) : random(seed), tracing(is_tracing) {}

  void trace(const std::string& line) const;
  // Remembers the first that fails. It does not throw: the library catches what is thrown in callbacks and tasks.
  void expect(bool holds, const std::string& what);

  sync::testing::SeededRandom random;
  const bool tracing;
  // No new fault occurs.
  bool quiet = false;
  std::optional<std::string> violation;
  cluster::testing::World cluster;
};

}  // namespace ksr::stream::testing
