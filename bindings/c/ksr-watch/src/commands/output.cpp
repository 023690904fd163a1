#include "commands/output.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace ksr::commands {

void Output::write(std::string_view text) {
  while (!text.empty() && !closed_) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd output{STDOUT_FILENO, POLLOUT, 0};
      poll(&output, 1, -1);
    } else if (errno != EINTR) {
      closed_ = true;
      if (errno != EPIPE && errno != ECONNRESET) error_ = errno;
    }
  }
}

}  // namespace ksr::commands
