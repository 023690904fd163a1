// `SharingWorld` is what all parts of this simulation have in common: clock, network, randomness, and what was
// violated; owned by Simulation. One thread: the executor's tasks run when the simulation says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "support/allocation_failure.hpp"
#include "sync/simulation/seeded_random.hpp"
#include "unit/cluster/fakes.hpp"

namespace ksr::stream::testing {

struct SharingWorld {
  SharingWorld(std::uint64_t seed, bool is_tracing) : random(seed), tracing(is_tracing) {}

  void trace(const std::string& line) const;
  // Runs `step` of the library, in some scenarios without memory for one of its allocations.
  template <class Step>
  auto risk(Step&& step) {
    if (!runs_out_of_memory || quiet || !random.chance(0.05)) return step();
    const ksr::testing::FailingAllocation failing(random.below(random.chance(0.5) ? 4 : 40));
    return step();
  }
  // Remembers the first that fails. It does not throw: the library catches what is thrown in callbacks and tasks.
  void expect(bool holds, const std::string& what);

  sync::testing::SeededRandom random;
  const bool tracing;
  bool runs_out_of_memory = false;
  // Something may not be told yet for lack of memory.
  bool may_lack = false;
  // No new fault occurs.
  bool quiet = false;
  std::optional<std::string> violation;
  cluster::testing::World cluster;
};

}  // namespace ksr::stream::testing
