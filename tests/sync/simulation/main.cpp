// sim [--first N] [--count N]      runs the scenarios of these seeds; stops at the first that violates an invariant
// sim --seed N [--trace]           runs one again, and prints each step
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "simulation/simulation.hpp"

namespace {

using ksr::sync::testing::Simulation;

struct Arguments {
  std::uint64_t first = 0;
  std::uint64_t count = 1000;
  bool trace = false;
};

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    const bool has_value = i + 1 < argc;
    if (std::strcmp(argv[i], "--trace") == 0) {
      arguments.trace = true;
    } else if (std::strcmp(argv[i], "--seed") == 0 && has_value) {
      arguments.first = std::strtoull(argv[++i], nullptr, 10);
      arguments.count = 1;
    } else if (std::strcmp(argv[i], "--first") == 0 && has_value) {
      arguments.first = std::strtoull(argv[++i], nullptr, 10);
    } else if (std::strcmp(argv[i], "--count") == 0 && has_value) {
      arguments.count = std::strtoull(argv[++i], nullptr, 10);
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fputs("usage: sim [--first N] [--count N] | --seed N [--trace]\n", stderr);
    return 2;
  }
  // Fewer in a slower build.
  if (const char* count = std::getenv("KSR_SIMULATION_COUNT"); count != nullptr && arguments.count > 1) {
    arguments.count = std::strtoull(count, nullptr, 10);
  }
  std::uint64_t steps = 0;
  std::uint64_t fewest = UINT64_MAX;
  for (std::uint64_t seed = arguments.first; seed < arguments.first + arguments.count; ++seed) {
    Simulation simulation(seed, arguments.trace);
    const auto violation = simulation.run();
    if (violation) {
      std::printf("seed %llu: %s\nreplay: sim --seed %llu --trace\n", static_cast<unsigned long long>(seed),
                  violation->c_str(), static_cast<unsigned long long>(seed));
      return 1;
    }
    steps += simulation.steps();
    fewest = simulation.steps() < fewest ? simulation.steps() : fewest;
  }
  std::printf("%llu scenarios, %llu steps, at least %llu each: all invariants held\n",
              static_cast<unsigned long long>(arguments.count), static_cast<unsigned long long>(steps),
              static_cast<unsigned long long>(fewest));
  return 0;
}
