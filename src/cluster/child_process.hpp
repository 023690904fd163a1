// `run_program` runs a program once: argv as given, no shell, bounded in time and output; used for exec plugins. Any
// thread but the network thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.hpp"
#include "base/instant.hpp"

namespace ksr::cluster {

struct ProgramCall {
  // An absolute path.
  std::string program;
  std::vector<std::string> arguments;  // without the program's own name
  std::vector<std::string> environment;
  Milliseconds timeout{60'000};
  std::size_t max_output = std::size_t{1} << 20;
  // Called for each line of its standard error as it comes, also for one whose end does not come: a program that asks
  // for something and waits.
  std::function<void(std::string_view line, std::string_view output_so_far)> on_stderr_line = {};
  // Its standard error is this process's, if that is open, and no line is read.
  bool inherits_stderr = false;
};

struct ProgramResult {
  // 0 also where the host reaped the child first (SIGCHLD ignored): only the output shows whether it succeeded.
  int exit_code = 0;
  int signal = 0;
  std::string output;
  // The last 4 KiB of its standard error.
  std::string stderr_tail;
};

// Blocks until the program has ended, and never longer than its timeout and a moment: what cannot be killed, such as a
// set-uid program, is left running. It runs in a process group of its own, with standard input from /dev/null, no other
// descriptor, no signal blocked or ignored; it is killed with its whole group when it takes too long, writes too much,
// `stop` is set, or the process exits. The error does not repeat the output.
Expected<ProgramResult> run_program(const ProgramCall& call, const std::atomic<bool>& stop);

}  // namespace ksr::cluster
