// `watch_object` waits until something is true of an object, or of those that are selected, with a stream over the
// client; used by delete and wait. Main thread; its callbacks run on the client's delivery thread.
#pragma once

#include <ksr.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "commands/session.hpp"

namespace ksr::commands {

enum class WatchEnd : std::uint8_t {
  met,
  timed_out,
  failed,   // and is reported
  refused,  // only with may_be_refused: 403; not reported
};

struct WatchedView {
  // The test looks at names and uids alone.
  bool metadata_only = false;
  // The caller knows what else to do where listing or watching is forbidden.
  bool may_be_refused = false;
  // What comes before the message of a failure.
  std::string doing = "";
};

// `test` is given one view after the other, with an object of the target's name at most; what it returns decides. A
// target without a name stands for what --selector and --field-selector select. No deadline: without a limit.
WatchEnd watch_object(Session& session, const Target& target, const WatchedView& view,
                      const std::function<bool(const ksr_snapshot*)>& test,
                      std::optional<std::chrono::steady_clock::time_point> deadline);

}  // namespace ksr::commands
