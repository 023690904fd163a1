#include "cluster/harness/child_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <system_error>
#include <thread>

#include "cluster/harness/argument_pointers.hpp"
#include "cluster/harness/harness_error.hpp"

namespace ksr::clustertest {
namespace {

constexpr int kParentPipe = 3;
constexpr int kReadableByOwner = 0600;

class SpawnAttributes {
 public:
  SpawnAttributes() {
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes_, 0);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigdefault(&attributes_, &all);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

class SpawnFiles {
 public:
  SpawnFiles(const std::string& log, int parent_pipe) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, parent_pipe, kParentPipe);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                     kReadableByOwner);
    posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
    // Asio's sockets are not closed by exec: a proxy's connection that is held here too does not end with the proxy's.
    posix_spawn_file_actions_addclosefrom_np(&actions_, kParentPipe + 1);
  }
  ~SpawnFiles() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnFiles(const SpawnFiles&) = delete;
  SpawnFiles& operator=(const SpawnFiles&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& argv, const std::filesystem::path& log) {
  if (access(argv.at(0).c_str(), X_OK) != 0)
    throw HarnessError("no program " + argv[0] + "; tests/cluster/build makes it");
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw HarnessError("cannot make a pipe for " + argv[0]);
  std::vector<std::string> arguments{KSR_KILL_WITH_PARENT};
  arguments.insert(arguments.end(), argv.begin(), argv.end());
  // The caller's proxy, kubeconfig and Go variables must not reach a server under test.
  std::vector<std::string> environment{"PATH=/usr/bin:/bin", "HOME=" + log.parent_path().string()};
  const SpawnAttributes attributes;
  const SpawnFiles files(log.string(), ends[0]);
  const int failure = posix_spawn(&pid_, KSR_KILL_WITH_PARENT, files.get(), attributes.get(),
                                  argument_pointers(arguments).data(), argument_pointers(environment).data());
  close(ends[0]);
  parent_pipe_ = ends[1];
  if (failure == 0) return;
  close(parent_pipe_);
  throw HarnessError("cannot start " + argv[0] + ": " + std::generic_category().message(failure));
}

ChildProcess::~ChildProcess() {
  kill();
  close(parent_pipe_);
}

bool ChildProcess::running() {
  int status = 0;
  if (pid_ > 0 && waitpid(pid_, &status, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

bool ChildProcess::ended_within(std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (running()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

void ChildProcess::stop(std::chrono::seconds patience) {
  if (!running()) return;
  ::kill(pid_, SIGTERM);
  if (!ended_within(patience)) kill();
}

void ChildProcess::kill() {
  if (!running()) return;
  ::kill(pid_, SIGUSR1);
  if (ended_within(std::chrono::seconds(5))) return;
  ::kill(-pid_, SIGKILL);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
}

}  // namespace ksr::clustertest
