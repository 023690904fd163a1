#include "cluster/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <list>
#include <optional>
#include <system_error>
#include <utility>

#include "base/mutex.hpp"
#include "base/resource_exhaustion.hpp"
#include "base/standard_descriptors.hpp"
#include "base/text.hpp"
#include "transport/exit_guard.hpp"

namespace ksr::cluster {
namespace {

constexpr std::size_t kMaxStderrTail = 4096;
// How soon an end, a stop or a timeout is noticed while nothing is written.
constexpr int kTickMilliseconds = 20;
// A process that was killed ends within that time, unless the kernel keeps it.
constexpr std::chrono::milliseconds kMaxReapWait{500};
constexpr std::size_t kMaxStderrLine = 4096;
// What stands on a line without its end for that long is a question.
constexpr std::chrono::milliseconds kMaxLineWait{300};

std::string reason(int number) {
  return std::error_code(number, std::generic_category()).message();
}

// Lives on the thread that runs the program, like all of this file.
class Pipe {
 public:
  Pipe() {
    const StandardDescriptorsReserved reserved;
    if (::pipe2(ends_, O_CLOEXEC) != 0) {
      failure_ = errno;
      ends_[0] = ends_[1] = -1;
    }
    if (ends_[0] >= 0) ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool open() const noexcept { return ends_[0] >= 0; }
  int failure() const noexcept { return failure_; }
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
  int failure_ = 0;
};

class SpawnSettings {
 public:
  SpawnSettings(int output, int errors) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files_, errors, STDERR_FILENO);
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
  all.reserve(strings.size() + 1);
  for (std::string& string : strings) all.push_back(string.data());
  all.push_back(nullptr);
  return all;
}

bool is_our_child(pid_t child) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// The child alone, too: it may have left its group.
void kill_with_group(pid_t child) {
  ::kill(-child, SIGKILL);
  ::kill(child, SIGKILL);
}

// The programs that run: exit() ends them, and those that could not be waited for are reaped later. A process ID is
// used under the lock only while its process is not reaped, so that it is no other process's. Lives on any thread.
class RunningPrograms {
 public:
  static RunningPrograms& instance() {
    static RunningPrograms* const leaked = new RunningPrograms;
    return *leaked;
  }

  // `spawn` sets the process ID; what it returns is an error number.
  template <class Spawn>
  int start(pid_t& child, Spawn spawn) {
    std::list<pid_t> node(1);
    const MutexLock lock(programs_mutex_);
    if (process_ != ::getpid()) {
      // A forked child: what runs is its parent's.
      running_.clear();
      abandoned_.clear();
      process_ = ::getpid();
      registered_ = exiting_ = false;
    }
    if (!registered_) registered_ = transport::run_in_exit([](void*) { instance().end_all(); });
    if (exiting_) return ECANCELED;
    reap_abandoned();
    if (const int failure = spawn()) return failure;
    node.front() = child;
    running_.splice(running_.end(), node);
    return 0;
  }

  // The status of a program that has ended; empty: it still runs, or the host has reaped it.
  std::optional<int> reap(pid_t child) {
    const MutexLock lock(programs_mutex_);
    int status = 0;
    const pid_t reaped = ::waitpid(child, &status, WNOHANG);
    if (reaped == 0) return std::nullopt;
    running_.remove(child);
    return reaped == child ? std::optional(status) : std::nullopt;
  }

  void kill(pid_t child) {
    const MutexLock lock(programs_mutex_);
    if (is_our_child(child)) kill_with_group(child);
  }

  void abandon(pid_t child) {
    const MutexLock lock(programs_mutex_);
    const auto found = std::find(running_.begin(), running_.end(), child);
    if (found != running_.end()) abandoned_.splice(abandoned_.end(), running_, found);
  }

 private:
  void reap_abandoned() KSR_REQUIRES(programs_mutex_) {
    abandoned_.remove_if([](pid_t child) { return ::waitpid(child, nullptr, WNOHANG) != 0; });
  }

  void end_all() {
    // In a forked child the lock may be held by a thread that it does not have.
    if (process_ != ::getpid()) return;
    const MutexLock lock(programs_mutex_);
    exiting_ = true;
    for (const pid_t child : running_) {
      if (is_our_child(child)) kill_with_group(child);
    }
  }

  Mutex programs_mutex_;
  std::list<pid_t> running_ KSR_GUARDED_BY(programs_mutex_);
  std::list<pid_t> abandoned_ KSR_GUARDED_BY(programs_mutex_);
  bool registered_ KSR_GUARDED_BY(programs_mutex_) = false;
  bool exiting_ KSR_GUARDED_BY(programs_mutex_) = false;
  std::atomic<pid_t> process_{::getpid()};
};

// Cuts what comes into lines.
class LineCutter {
 public:
  using OnLine = std::function<void(std::string_view line, std::string_view output_so_far)>;
  LineCutter(const OnLine& on_line, const std::string& output) : on_line_(on_line), output_(output) {}

  void add(std::string_view text) {
    if (!on_line_) return;
    for (const char c : text) {
      if (c == '\n' || c == '\r' || line_.size() >= kMaxStderrLine) flush();
      if (c != '\n' && c != '\r') line_ += c;
    }
    changed_at_ = std::chrono::steady_clock::now();
  }
  void flush_if_waiting() {
    if (!line_.empty() && std::chrono::steady_clock::now() - changed_at_ >= kMaxLineWait) flush();
  }
  void flush() {
    if (!trimmed(line_).empty()) on_line_(line_, output_);
    line_.clear();
  }

 private:
  const OnLine& on_line_;
  const std::string& output_;
  std::string line_;
  std::chrono::steady_clock::time_point changed_at_;
};

class Run {
 public:
  Run(const ProgramCall& call, const std::atomic<bool>& stop)
      : call_(call), stop_(stop), lines_(call.on_stderr_line, result_.output) {}

  Expected<ProgramResult> run() {
    if (!output_.open()) return failed("cannot make a pipe", output_.failure());
    if (!stderr_tail_.open()) return failed("cannot make a pipe", stderr_tail_.failure());
    if (const int number = spawn(); number != 0) return failed("cannot be run", number);
    output_.close_writing();
    stderr_tail_.close_writing();
    deadline_ = std::chrono::steady_clock::now() + call_.timeout;
    auto failure = watch();
    if (failure && !reaped_by_host_) RunningPrograms::instance().kill(child_);
    reap();
    lines_.flush();
    if (failure) return *std::move(failure);
    return std::move(result_);
  }

 private:
  Error failed(const std::string& what) const { return {Status::auth, one_line(call_.program) + ": " + what}; }

  // EAGAIN: no more processes (fork(2)).
  Error failed(const std::string& what, int number) const {
    if (!is_resource_exhaustion(number) && number != EAGAIN) return failed(what + ": " + reason(number));
    return resource_exhausted(one_line(call_.program) + ": " + what, number);
  }

  int spawn() {
    const bool inherits = call_.inherits_stderr && ::fcntl(STDERR_FILENO, F_GETFD) >= 0;
    const SpawnSettings settings(output_.writing(), inherits ? STDERR_FILENO : stderr_tail_.writing());
    std::vector<std::string> arguments = call_.arguments;
    arguments.insert(arguments.begin(), call_.program);
    std::vector<std::string> environment = call_.environment;
    return RunningPrograms::instance().start(child_, [&] {
      return ::posix_spawn(&child_, call_.program.c_str(), settings.files(), settings.attributes(),
                           pointers(arguments).data(), pointers(environment).data());
    });
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
      lines_.flush_if_waiting();
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
      if (&pipe == &stderr_tail_) lines_.add({block, static_cast<std::size_t>(count)});
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

  // Waits for a process that was killed, but not for one that could not be.
  void reap() {
    const auto give_up_at = std::chrono::steady_clock::now() + kMaxReapWait;
    while (!has_ended()) {
      if (std::chrono::steady_clock::now() >= give_up_at) return RunningPrograms::instance().abandon(child_);
      ::poll(nullptr, 0, 2);
    }
    const auto status = RunningPrograms::instance().reap(child_);
    if (!status) return;
    if (WIFEXITED(*status)) result_.exit_code = WEXITSTATUS(*status);
    if (WIFSIGNALED(*status)) result_.signal = WTERMSIG(*status);
  }

  const ProgramCall& call_;
  const std::atomic<bool>& stop_;
  Pipe output_;
  Pipe stderr_tail_;
  ProgramResult result_;
  LineCutter lines_;
  pid_t child_ = -1;
  bool reaped_by_host_ = false;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace

Expected<ProgramResult> run_program(const ProgramCall& call, const std::atomic<bool>& stop) {
  return Run(call, stop).run();
}

}  // namespace ksr::cluster
