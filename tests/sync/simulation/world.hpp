// `World` is what all parts of a simulation share: clock, randomness, scenario, etcd; owned by Simulation.
#pragma once

#include <cstdint>
#include <string>

#include "simulation/agenda.hpp"
#include "simulation/etcd.hpp"
#include "simulation/invariant.hpp"
#include "simulation/scenario.hpp"
#include "simulation/seeded_random.hpp"

namespace ksr::sync::testing {

struct World {
  World(std::uint64_t seed, bool tracing);

  void trace(const std::string& line) const;
  // For lines that cost something to build.
  bool traces() const { return tracing_; }

  SeededRandom random;
  Scenario scenario;
  Agenda agenda;
  Etcd etcd;
  // No new fault occurs; what is broken stays so.
  bool quiet = false;

 private:
  bool tracing_;
};

}  // namespace ksr::sync::testing
