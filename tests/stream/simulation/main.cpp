// sharing_simulation [--first N] [--count N]   runs the scenarios of these seeds; stops at the first that violates an
//                                              invariant
// sharing_simulation --seed N [--trace]        runs one again, and prints each step
#include "stream/simulation/simulation.hpp"
#include "support/seeded_run.hpp"

int main(int argc, char** argv) {
  return ksr::testing::run_seeds<ksr::stream::testing::Simulation>(argc, argv, "sharing_simulation");
}
