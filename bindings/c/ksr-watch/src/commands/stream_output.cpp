#include "commands/stream_output.hpp"

#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace ksr::commands {

StreamOutput::StreamOutput(int fd) : fd_(fd) {
  struct stat about {};
  if (fstat(fd, &about) != 0) return;
  is_file_ = S_ISREG(about.st_mode);
  is_socket_ = S_ISSOCK(about.st_mode);
}

// O_NONBLOCK would be set for all processes that share the open file.
std::size_t StreamOutput::write_once(std::string_view bytes) {
  ssize_t written = 0;
  if (is_socket_) {
    written = send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } else {
    pollfd room{fd_, POLLOUT, 0};
    if (!is_file_ && poll(&room, 1, 0) == 0) return 0;
    // pipe(7): so many do not block when there is any room.
    written = ::write(fd_, bytes.data(), is_file_ ? bytes.size() : bytes.substr(0, PIPE_BUF).size());
  }
  if (written >= 0) return static_cast<std::size_t>(written);
  if (errno == EAGAIN || errno == EINTR) return 0;
  error_ = errno;
  return bytes.size();
}

std::size_t StreamOutput::write(std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size() && error_ == 0) {
    const std::size_t written = write_once(bytes.substr(done));
    if (written == 0) return done;
    done += written;
  }
  return bytes.size();
}

}  // namespace ksr::commands
