// kill_with_parent PROGRAM ARGS…: runs PROGRAM and kills it when the parent process ends, in whichever way that ends;
// used by ChildProcess.
//
// Descriptor 3 is the read end of a pipe whose write end only the parent holds: the pipe hangs up when the parent ends.
// (PR_SET_PDEATHSIG alone is not enough: it follows the thread that started the child, not the process.)
// SIGTERM is passed on; SIGUSR1 kills PROGRAM. kill_with_parent ends only after PROGRAM has been reaped, so that its
// ports are free.
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

namespace {

constexpr int kParentPipe = 3;

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGCHLD, SIGTERM, SIGINT, SIGUSR1}) sigaddset(&set, number);
  return set;
}

[[noreturn]] void become(char** argv, pid_t parent, const sigset_t& blocked) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // kill_with_parent itself may be killed
  if (getppid() != parent) _exit(126);
  close(kParentPipe);
  sigprocmask(SIG_UNBLOCK, &blocked, nullptr);
  execv(argv[0], argv);
  dprintf(STDERR_FILENO, "kill_with_parent: cannot run %s: %s\n", argv[0], strerror(errno));
  _exit(127);
}

int exit_code_of(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// What to send to the child now; 0 for nothing, -1 when it may have ended.
int next_signal(int signals) {
  pollfd watched[] = {{kParentPipe, POLLIN, 0}, {signals, POLLIN, 0}};
  if (poll(watched, 2, -1) < 0) return errno == EINTR ? 0 : SIGKILL;
  if (watched[0].revents != 0) return SIGKILL;
  signalfd_siginfo info;
  if (read(signals, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return SIGKILL;
  if (info.ssi_signo == SIGCHLD) return -1;
  return info.ssi_signo == SIGUSR1 ? SIGKILL : SIGTERM;
}

bool has_ended(pid_t child) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 125;
  const sigset_t watched = watched_signals();
  sigprocmask(SIG_BLOCK, &watched, nullptr);
  const int signals = signalfd(-1, &watched, SFD_CLOEXEC);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0 || signals < 0) return 125;
  if (child == 0) become(argv + 1, parent, watched);
  while (!has_ended(child)) {
    const int number = next_signal(signals);
    if (number > 0) kill(child, number);
    if (number == SIGKILL) break;
  }
  return exit_code_of(child);
}
