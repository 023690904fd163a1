// `find_targets_of_get` is what the arguments of get ask for; used by get with -w and without. Main thread.
#pragma once

#include <vector>

#include "commands/session.hpp"

namespace ksr::commands {

// The options are checked as well.
Expected<std::vector<Target>> find_targets_of_get(Session& session);

}  // namespace ksr::commands
