// sim [--first N] [--count N]      runs the scenarios of these seeds; stops at the first that violates an invariant
// sim --seed N [--trace]           runs one again, and prints each step
#include "simulation/simulation.hpp"
#include "support/seeded_run.hpp"

int main(int argc, char** argv) {
  return ksr::testing::run_seeds<ksr::sync::testing::Simulation>(argc, argv, "sim");
}
