#include "simulation/world.hpp"

#include <cstdio>

namespace ksr::sync::testing {

World::World(std::uint64_t seed, bool tracing)
    : random(seed), scenario(seed, random), etcd(scenario.watch_cache ? "Pod" : "Event"), tracing_(tracing) {}

void World::trace(const std::string& line) const {
  if (!tracing_) return;
  const auto since_start = agenda.now() - Instant(std::chrono::hours(1));
  const auto ms = std::chrono::duration_cast<Milliseconds>(since_start).count();
  std::printf("%10.3f  %s\n", static_cast<double>(ms) / 1000, line.c_str());
}

}  // namespace ksr::sync::testing
