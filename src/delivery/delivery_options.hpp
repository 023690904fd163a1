// `Options` says when and where the host is called; used by CallbackDispatcher and CallbackRunner. A value.
#pragma once

#include <cstdint>

#include "base/instant.hpp"

namespace ksr::delivery {

enum class Mode : std::uint8_t { thread, manual };

struct Options {
  Mode mode = Mode::thread;
  // The least time from the start of one on_update to the start of the next.
  Milliseconds min_interval{0};
};

}  // namespace ksr::delivery
