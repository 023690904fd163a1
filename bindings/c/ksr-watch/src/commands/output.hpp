// `Output` writes to standard output. A reader that has gone is no error: what a command does, it does to its end.
// `shown` and `is_harmless` keep from a terminal what it would obey. Used by all commands. Main thread.
#pragma once

#include <string>
#include <string_view>

namespace ksr::commands {

// As utf8.h has it: what a terminal obeys, and what reorders or hides text there.
std::string shown(std::string_view text);
// Nothing of that is in it, but for line ends.
bool is_harmless(std::string_view text);
// Standard output is one.
bool is_on_terminal();

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
