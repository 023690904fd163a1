#include "cluster/channel_commands/started_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>

#include "cluster/harness/argument_pointers.hpp"
#include "cluster/harness/harness_error.hpp"
#include "cluster/harness/text_files.hpp"
#include "cluster/harness/wait_until.hpp"

namespace ksr::clustertest {
namespace {

constexpr std::chrono::seconds kMaxRunTime{60};
constexpr int kReadableByOwner = 0600;

winsize window_of(TerminalSize size) {
  winsize window{};
  window.ws_col = size.columns;
  window.ws_row = size.rows;
  return window;
}

}  // namespace

// After fork() only what signal-safety(7) lists.
void StartedProgram::start(const std::vector<std::string>& argv, int in, int out, int errors) {
  std::vector<std::string> arguments = argv;
  // One for all: kubectl keeps there what it has asked the server.
  static const ksr::testing::TemporaryDirectory shared_home("ksr-home");
  std::vector<std::string> environment{"PATH=/usr/bin:/bin", "HOME=" + shared_home.root().string(), "TERM=xterm"};
  const std::vector<char*> argument_list = argument_pointers(arguments);
  const std::vector<char*> variables = argument_pointers(environment);
  const std::string home = directory_.root().string();
  const bool on_terminal = terminal_ >= 0;
  pid_ = fork();
  if (pid_ != 0) return;
  setsid();
  if (on_terminal) ioctl(in, TIOCSCTTY, 0);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  for (int fd = STDERR_FILENO + 1; fd < 1024; ++fd) close(fd);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  if (chdir(home.c_str()) == 0) execve(argument_list[0], argument_list.data(), variables.data());
  _exit(127);
}

StartedProgram::StartedProgram(const std::vector<std::string>& argv, Input input, const std::string& content) {
  int ends[2] = {-1, -1};
  if (input == Input::pipe) {
    if (pipe2(ends, O_CLOEXEC) != 0) throw HarnessError("cannot make a pipe");
    input_ = ends[1];
  } else {
    ends[0] = open(directory_.write("input", content).c_str(), O_RDONLY | O_CLOEXEC);
  }
  const int out = open(directory_.path("output").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kReadableByOwner);
  const int errors =
      open(directory_.path("errors").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kReadableByOwner);
  start(argv, ends[0], out, errors);
  for (const int fd : {ends[0], out, errors}) close(fd);
  if (pid_ < 0) throw HarnessError("cannot run " + argv[0]);
}

StartedProgram::StartedProgram(const std::vector<std::string>& argv, TerminalSize size) {
  terminal_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal_ < 0 || grantpt(terminal_) != 0 || unlockpt(terminal_) != 0) throw HarnessError("no pseudo-terminal");
  const int end = open(ptsname(terminal_), O_RDWR | O_NOCTTY | O_CLOEXEC);
  resize(size);
  start(argv, end, end, end);
  close(end);
  if (pid_ < 0) throw HarnessError("cannot run " + argv[0]);
}

StartedProgram::~StartedProgram() {
  if (running()) {
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  end_input();
  if (terminal_ >= 0) close(terminal_);
}

void StartedProgram::read_terminal() {
  pollfd ready{terminal_, POLLIN, 0};
  char bytes[4096];
  while (poll(&ready, 1, 0) > 0 && (ready.revents & POLLIN) != 0) {
    const ssize_t count = read(terminal_, bytes, sizeof bytes);
    if (count <= 0) return;
    shown_.append(bytes, static_cast<std::size_t>(count));
  }
}

std::string StartedProgram::output() {
  if (terminal_ < 0) return tail_of_file(directory_.root() / "output", SIZE_MAX / 2);
  read_terminal();
  return shown_;
}

std::string StartedProgram::errors() const {
  return tail_of_file(directory_.root() / "errors", SIZE_MAX / 2);
}

void StartedProgram::wait_for_output(const std::string& text) {
  try {
    wait_until(
        "output of a program", [&] { return output().find(text) != std::string::npos; }, kMaxRunTime);
  } catch (const HarnessError&) {
    throw HarnessError("no \"" + text + "\" in the output: " + output() + errors());
  }
}

void StartedProgram::wait_for_errors(const std::string& text) const {
  try {
    wait_until(
        "errors of a program", [&] { return errors().find(text) != std::string::npos; }, kMaxRunTime);
  } catch (const HarnessError&) {
    throw HarnessError("no \"" + text + "\" in the errors: " + errors());
  }
}

void StartedProgram::write(const std::string& text) const {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::write(terminal_ >= 0 ? terminal_ : input_, text.data() + done, text.size() - done);
    if (count < 0) throw HarnessError("a program does not read");
    done += static_cast<std::size_t>(count);
  }
}

void StartedProgram::end_input() {
  if (input_ >= 0) close(input_);
  input_ = -1;
}

void StartedProgram::resize(TerminalSize size) const {
  const winsize window = window_of(size);
  ioctl(terminal_, TIOCSWINSZ, &window);
}

bool StartedProgram::terminal_is_cooked() const {
  termios mode{};
  if (tcgetattr(terminal_, &mode) != 0) throw HarnessError("the terminal has gone");
  constexpr tcflag_t kCooked = ICANON | ECHO | ISIG;
  return (mode.c_lflag & kCooked) == kCooked && (mode.c_oflag & OPOST) != 0;
}

void StartedProgram::signal(int number) const {
  ::kill(pid_, number);
}

void StartedProgram::signal_foreground(int number) const {
  const pid_t group = tcgetpgrp(terminal_);
  if (group > 0) ::kill(-group, number);
}

bool StartedProgram::running() {
  if (pid_ <= 0) return false;
  int status = 0;
  // What it still writes would stop it at a full terminal.
  if (terminal_ >= 0) read_terminal();
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  pid_ = -1;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

int StartedProgram::wait() {
  wait_until(
      "the end of a program", [&] { return !running(); }, kMaxRunTime);
  return status_;
}

}  // namespace ksr::clustertest
