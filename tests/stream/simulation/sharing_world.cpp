#include "stream/simulation/sharing_world.hpp"

#include <cstdio>

namespace ksr::stream::testing {

void SharingWorld::trace(const std::string& line) const {
  if (!tracing) return;
  // That of the fake executor.
  const auto since_start = cluster.executor.now() - Instant(std::chrono::hours(1000));
  const auto ms = std::chrono::duration_cast<Milliseconds>(since_start).count();
  std::printf("%10.3f  %s\n", static_cast<double>(ms) / 1000, line.c_str());
}

void SharingWorld::expect(bool holds, const std::string& what) {
  if (holds || violation) return;
  violation = what;
  trace("VIOLATED: " + what);
}

}  // namespace ksr::stream::testing
