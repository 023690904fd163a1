// `run_seeds` is the main function of a simulation: it runs the scenarios of a range of seeds, and says how to replay
// the first that violates an invariant; used by the simulations of tests/sync and tests/stream.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ksr::testing {

struct SeedArguments {
  std::uint64_t first = 0;
  std::uint64_t count = 1000;
  bool trace = false;
};

inline bool parse_seeds(int argc, char** argv, SeedArguments& arguments) {
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

// A Simulation is made of a seed and of whether it prints each step; run() returns which invariant was violated, if
// any. `program` is its name.
template <class Simulation>
int run_seeds(int argc, char** argv, const char* program) {
  SeedArguments arguments;
  if (!parse_seeds(argc, argv, arguments)) {
    std::fprintf(stderr, "usage: %s [--first N] [--count N] | --seed N [--trace]\n", program);
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
      std::printf("seed %llu: %s\nreplay: %s --seed %llu --trace\n", static_cast<unsigned long long>(seed),
                  violation->c_str(), program, static_cast<unsigned long long>(seed));
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

}  // namespace ksr::testing
