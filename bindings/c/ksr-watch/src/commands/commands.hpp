// The commands; each returns what keeps it from being carried out at all, and reports everything else itself. Called by
// main. Main thread.
#pragma once

#include <string>
#include <vector>

#include "base/expected.hpp"
#include "commands/session.hpp"

namespace ksr::commands {

Expected<void> run_get(Session& session);
// What ksr-watch is started with for `ksr get -w`; the name of the program first.
Expected<std::vector<std::string>> words_of_watch(Session& session);
Expected<void> run_create(Session& session);
Expected<void> run_apply(Session& session);
Expected<void> run_delete(Session& session);
Expected<void> run_patch(Session& session);
Expected<void> run_raw(Session& session);
Expected<void> run_logs(Session& session);
Expected<void> run_wait(Session& session);

// How a command ends that was carried out.
struct Outcome {
  // Of can-i: 1 for the answer no. Of exec: the exit code of the command.
  int status = 0;
  // That has ended it; 0 without one.
  int signal = 0;
};
Expected<void> run_can_i(Session& session, Outcome& outcome);
Expected<void> run_exec(Session& session, Outcome& outcome);
Expected<void> run_attach(Session& session, Outcome& outcome);
Expected<void> run_port_forward(Session& session, Outcome& outcome);

}  // namespace ksr::commands
