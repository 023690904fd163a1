#include "commands/raw_terminal.hpp"

#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>

namespace ksr::commands {
namespace {

// Read in signal handlers.
termios before;
volatile sig_atomic_t is_raw = 0;

void restore() {
  if (is_raw == 0) return;
  is_raw = 0;
  // With what was typed meanwhile; tcsetattr is safe in handlers (signal-safety(7)).
  tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

// The handler is gone by then (SA_RESETHAND): the signal ends the process as it would have.
void restore_and_end(int number) {
  restore();
  raise(number);
}

void restore_on_faults() {
  static const bool registered = [] {
    std::atexit(restore);
    struct sigaction action {};
    action.sa_handler = restore_and_end;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    sigemptyset(&action.sa_mask);
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigaction(number, &action, nullptr);
    return true;
  }();
  static_cast<void>(registered);
}

}  // namespace

bool RawTerminal::enter() {
  if (is_raw != 0) return true;
  if (tcgetattr(STDIN_FILENO, &before) != 0) return false;
  restore_on_faults();
  termios raw = before;
  cfmakeraw(&raw);
  is_raw = 1;
  if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0) return true;
  is_raw = 0;
  return false;
}

void RawTerminal::leave() {
  restore();
}

std::optional<std::pair<std::uint32_t, std::uint32_t>> terminal_size() {
  for (const int fd : {STDOUT_FILENO, STDIN_FILENO, STDERR_FILENO}) {
    winsize size{};
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col != 0 && size.ws_row != 0) {
      return std::make_pair(std::uint32_t{size.ws_col}, std::uint32_t{size.ws_row});
    }
  }
  return std::nullopt;
}

}  // namespace ksr::commands
