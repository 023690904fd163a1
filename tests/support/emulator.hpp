// `under_emulator` says whether an emulator of user programs (qemu-user) runs this test: it does not pass on all system
// calls, such as SO_ATTACH_FILTER and the error of an exec after vfork. Set by tests/arm64/run. Any thread.
#pragma once

#include <cstdlib>

namespace ksr::testing {

inline bool under_emulator() {
  return std::getenv("KSR_TEST_UNDER_EMULATOR") != nullptr;
}

}  // namespace ksr::testing
