// `Output` writes to standard output. A reader that has gone is no error: what a command does, it does to its end. Used
// by all commands. Main thread.
#pragma once

#include <string_view>

namespace ksr::commands {

class Output {
 public:
  void write(std::string_view text);
  // Nothing more can be written.
  bool closed() const noexcept { return closed_; }
  // 0, or the errno with which standard output has failed.
  int error() const noexcept { return error_; }

 private:
  bool closed_ = false;
  int error_ = 0;
};

}  // namespace ksr::commands
