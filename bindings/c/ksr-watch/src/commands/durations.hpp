// `read_duration` reads a duration as kubectl's options take it; used by Client, delete, logs,
// port-forward and wait. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/expected.hpp"
#include "base/instant.hpp"

namespace ksr::commands {

// Go's: "90s", "1h30m", "1.5h"; digits alone are seconds.
Expected<Milliseconds> read_duration(std::string_view text);

}  // namespace ksr::commands
