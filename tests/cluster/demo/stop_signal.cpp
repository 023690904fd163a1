#include "cluster/demo/stop_signal.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

namespace ksr::clustertest {
namespace {

bool at_end_of_stdin() {
  std::array<char, 512> ignored{};
  return read(STDIN_FILENO, ignored.data(), ignored.size()) <= 0;
}

}  // namespace

StopSignal::StopSignal(bool on_end_of_stdin) : stdin_counts_(on_end_of_stdin) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC);
}

StopSignal::~StopSignal() {
  close(signals_);
}

bool StopSignal::wait_for(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd watched[] = {{signals_, POLLIN, 0}, {stdin_counts_ ? STDIN_FILENO : -1, POLLIN, 0}};
    poll(watched, 2, static_cast<int>(left.count()));
    if (watched[0].revents != 0) return true;
    if (watched[1].revents != 0 && at_end_of_stdin()) return true;
  }
}

}  // namespace ksr::clustertest
