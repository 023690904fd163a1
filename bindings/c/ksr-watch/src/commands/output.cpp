#include "commands/output.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

extern "C" {
#include "utf8.h"
}

namespace ksr::commands {

std::string shown(std::string_view text) {
  struct text out = {};
  utf8_add_shown(&out, {text.data(), text.size()});
  std::string line(text_cstr(&out), out.len);
  text_free(&out);
  return line;
}

bool is_harmless(std::string_view text) {
  slice rest = {text.data(), text.size()};
  while (rest.len > 0) {
    const std::uint32_t character = utf8_next(&rest);
    if (character != '\n' && utf8_is_harmless(character) == 0) return false;
  }
  return true;
}

bool is_on_terminal() {
  return isatty(STDOUT_FILENO) == 1;
}

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
