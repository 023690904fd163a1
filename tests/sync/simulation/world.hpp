// What all parts of a scenario share.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "simulation/agenda.hpp"
#include "simulation/etcd.hpp"
#include "simulation/random.hpp"
#include "simulation/scenario.hpp"

namespace ksr::sync::testing {

// An invariant is broken.
class Broken final : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct World {
  World(std::uint64_t seed, bool tracing);

  void trace(const std::string& line) const;
  // For lines that cost something to build.
  bool traces() const { return tracing_; }

  SeededRandom random;
  Scenario scenario;
  Agenda agenda;
  Etcd etcd;
  // From here on nothing goes wrong any more; what is broken stays so.
  bool calm = false;

 private:
  bool tracing_;
};

}  // namespace ksr::sync::testing
