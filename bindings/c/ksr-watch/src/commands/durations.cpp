#include "commands/durations.hpp"

extern "C" {
#include "duration.h"
}

namespace ksr::commands {

Expected<Milliseconds> read_duration(std::string_view text) {
  std::int64_t ms = 0;
  if (duration_read({text.data(), text.size()}, &ms) == 0) return Error{Status::invalid, duration_expected};
  return Milliseconds(ms);
}

}  // namespace ksr::commands
