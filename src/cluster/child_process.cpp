#include "cluster/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

#include "base/standard_descriptors.hpp"
#include "base/text.hpp"

namespace ksr::cluster {
namespace {

constexpr std::size_t kMaxStderrTail = 4096;
// How soon an end, a stop or a timeout is noticed while nothing is written.
constexpr int kTickMilliseconds = 20;

std::string reason(int number) {
  return std::error_code(number, std::generic_category()).message();
}

// Lives on the thread that runs the program, like all of this file.
class Pipe {
 public:
  Pipe() {
    const StandardDescriptorsReserved reserved;
    if (::pipe2(ends_, O_CLOEXEC) != 0) ends_[0] = ends_[1] = -1;
    if (ends_[0] >= 0) ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool open() const noexcept { return ends_[0] >= 0; }
  int reading() const noexcept { return ends_[0]; }
  int writing() const noexcept { return ends_[1]; }
  void close_reading() { close_end(0); }
  void close_writing() { close_end(1); }

 private:
  void close_end(int end) {
    if (ends_[end] >= 0) ::close(ends_[end]);
    ends_[end] = -1;
  }
  int ends_[2];
};

class SpawnSettings {
 public:
  SpawnSettings(int output, int stderr_tail) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files_, stderr_tail, STDERR_FILENO);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
#endif
    posix_spawnattr_init(&attributes_);
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  const posix_spawn_file_actions_t* files() const noexcept {
    return &files_;
  }
  const posix_spawnattr_t* attributes() const noexcept {
    return &attributes_;
  }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> all;
  for (std::string& string : strings) all.push_back(string.data());
  all.push_back(nullptr);
  return all;
}

class Run {
 public:
  Run(const ProgramCall& call, const std::atomic<bool>& stop) : call_(call), stop_(stop) {}

  Expected<ProgramResult> run() {
    if (!output_.open() || !stderr_tail_.open()) return failed("cannot make a pipe: " + reason(errno));
    if (const int number = spawn(); number != 0) return failed("cannot be run: " + reason(number));
    output_.close_writing();
    stderr_tail_.close_writing();
    deadline_ = std::chrono::steady_clock::now() + call_.timeout;
    if (const auto failure = watch()) {
      kill_group();
      reap();
      return *failure;
    }
    reap();
    return std::move(result_);
  }

 private:
  Error failed(const std::string& what) const { return {Status::auth, one_line(call_.program) + ": " + what}; }

  int spawn() {
    const SpawnSettings settings(output_.writing(), stderr_tail_.writing());
    std::vector<std::string> arguments = call_.arguments;
    arguments.insert(arguments.begin(), call_.program);
    std::vector<std::string> environment = call_.environment;
    return ::posix_spawn(&child_, call_.program.c_str(), settings.files(), settings.attributes(),
                         pointers(arguments).data(), pointers(environment).data());
  }

  // Until the program has ended and all its output was read; an error: why it has to be killed.
  std::optional<Error> watch() {
    for (;;) {
      if (stop_.load(std::memory_order_relaxed))
        return Error{Status::cancelled, one_line(call_.program) + ": was cancelled"};
      const auto left = deadline_ - std::chrono::steady_clock::now();
      if (left <= left.zero()) {
        return failed("did not end within " + std::to_string(call_.timeout.count()) + " ms and was killed");
      }
      // Checked before reading: all that an ended program wrote can be read.
      const bool ended = has_ended();
      pollfd ends[] = {{output_.reading(), POLLIN, 0}, {stderr_tail_.reading(), POLLIN, 0}};
      ::poll(ends, 2, ended ? 0 : kTickMilliseconds);
      drain(output_, result_.output, call_.max_output + 1);
      drain(stderr_tail_, result_.stderr_tail, kMaxStderrTail);
      if (result_.output.size() > call_.max_output) {
        return failed("wrote more than " + std::to_string(call_.max_output) + " bytes and was killed");
      }
      if (ended) return std::nullopt;
    }
  }

  // Reads what is there, and keeps its last `max_size` bytes. Bounded, so that the timeout is checked in between.
  void drain(Pipe& pipe, std::string& text, std::size_t max_size) {
    char block[16 * 1024];
    for (int reads = 0; reads < 64 && pipe.reading() >= 0; ++reads) {
      const ssize_t count = ::read(pipe.reading(), block, sizeof block);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      if (count <= 0) return pipe.close_reading();
      text.append(block, static_cast<std::size_t>(count));
      if (text.size() > max_size) text.erase(0, text.size() - max_size);
    }
  }

  // The child stays a zombie until reap(), so that its process ID and group ID are not reused.
  bool has_ended() {
    siginfo_t info{};
    const int failed = ::waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT);
    if (failed != 0 && errno == ECHILD) reaped_by_host_ = true;
    return reaped_by_host_ || (failed == 0 && info.si_pid == child_);
  }

  void kill_group() {
    if (!reaped_by_host_) ::kill(-child_, SIGKILL);
  }

  void reap() {
    int status = 0;
    pid_t reaped = 0;
    do {
      reaped = ::waitpid(child_, &status, 0);
    } while (reaped < 0 && errno == EINTR);
    if (reaped != child_) return;
    if (WIFEXITED(status)) result_.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result_.signal = WTERMSIG(status);
  }

  const ProgramCall& call_;
  const std::atomic<bool>& stop_;
  Pipe output_;
  Pipe stderr_tail_;
  ProgramResult result_;
  pid_t child_ = -1;
  bool reaped_by_host_ = false;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace

Expected<ProgramResult> run_program(const ProgramCall& call, const std::atomic<bool>& stop) {
  return Run(call, stop).run();
}

}  // namespace ksr::cluster
