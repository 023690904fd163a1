#include "cluster/kubectl/program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "cluster/harness/argument_pointers.hpp"
#include "cluster/harness/harness_error.hpp"
#include "cluster/harness/text_files.hpp"

namespace ksr::clustertest {
namespace {

constexpr std::chrono::seconds kMaxRunTime{60};
constexpr std::size_t kMaxOutput = 1 << 20;

int wait_for(pid_t child) {
  const auto deadline = std::chrono::steady_clock::now() + kMaxRunTime;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      ::kill(child, SIGKILL);
      waitpid(child, &status, 0);
      throw HarnessError("a program did not end within 60 s and was killed");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

ProgramEnd run_to_end(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
                      const std::filesystem::path& directory, const std::filesystem::path& input) {
  const std::string output = (directory / "output").string();
  const std::string errors = (directory / "errors").string();
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, input.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&files, 2, errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
  std::vector<std::string> arguments = argv;
  std::vector<std::string> variables = environment;
  pid_t child = -1;
  const int failure = posix_spawn(&child, argv[0].c_str(), &files, nullptr, argument_pointers(arguments).data(),
                                  argument_pointers(variables).data());
  posix_spawn_file_actions_destroy(&files);
  if (failure != 0) throw HarnessError("cannot run " + argv[0]);
  ProgramEnd end;
  end.status = wait_for(child);
  end.output = tail_of_file(output, kMaxOutput);
  end.errors = tail_of_file(errors, kMaxOutput);
  return end;
}

}  // namespace ksr::clustertest
