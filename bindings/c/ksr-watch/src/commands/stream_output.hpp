// `StreamOutput` writes to one of the standard descriptors without waiting, whatever shares it; used by exec and
// attach. Main thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace ksr::commands {

class StreamOutput {
 public:
  explicit StreamOutput(int fd);

  // How many bytes went; the rest once poll says POLLOUT. All of them, into nothing, once it has failed.
  std::size_t write(std::string_view bytes);
  int fd() const noexcept { return fd_; }
  // 0, or the errno with which it has failed; EPIPE: its reader has gone.
  int error() const noexcept { return error_; }

 private:
  std::size_t write_once(std::string_view bytes);

  const int fd_;
  bool is_file_ = false;
  bool is_socket_ = false;
  int error_ = 0;
};

}  // namespace ksr::commands
