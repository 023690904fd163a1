// The commands; each returns what keeps it from being carried out at all, and reports everything else itself. Called by
// main. Main thread.
#pragma once

#include "base/expected.hpp"
#include "commands/session.hpp"

namespace ksr::commands {

Expected<void> run_get(Session& session);
Expected<void> run_create(Session& session);
Expected<void> run_apply(Session& session);
Expected<void> run_delete(Session& session);
Expected<void> run_patch(Session& session);
Expected<void> run_raw(Session& session);
// An answer of no is not an error, but an exit status: `allowed` receives it.
Expected<void> run_can_i(Session& session, bool& allowed);

}  // namespace ksr::commands
