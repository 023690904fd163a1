// `InvariantViolation` ends a scenario: what must always hold does not; used by all parts of the simulations.
#pragma once

#include <stdexcept>

namespace ksr::sync::testing {

class InvariantViolation final : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace ksr::sync::testing
