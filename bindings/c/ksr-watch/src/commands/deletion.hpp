// `wait_until_gone` waits until an object is gone, with a stream over the client; used by delete. Main thread; its
// callbacks run on the client's delivery thread.
#pragma once

#include <cstdint>
#include <string>

#include "commands/session.hpp"

namespace ksr::commands {

enum class Gone : std::uint8_t {
  yes,
  // Still there when the time was over.
  no,
  // It may not be watched.
  unknown,
};

// `seconds` 0: without a limit.
Gone wait_until_gone(Session& session, const Target& target, const std::string& uid, double seconds);

}  // namespace ksr::commands
