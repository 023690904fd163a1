// `StartedProgram` is a program that runs beside a test, with files as its standard streams or a terminal as all of
// them; used by cluster.channel-commands. Lives on the test's thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "support/temporary_directory.hpp"

namespace ksr::clustertest {

struct TerminalSize {
  unsigned short columns = 80;
  unsigned short rows = 24;
};

class StartedProgram {
 public:
  // What it reads from: a file with this content, or a pipe that the test writes to.
  enum class Input { content, pipe };

  StartedProgram(const std::vector<std::string>& argv, Input input, const std::string& content = "");
  // In a new terminal, which it controls.
  StartedProgram(const std::vector<std::string>& argv, TerminalSize size);
  ~StartedProgram();
  StartedProgram(const StartedProgram&) = delete;
  StartedProgram& operator=(const StartedProgram&) = delete;

  // What it has written so far; on a terminal both are one.
  std::string output();
  std::string errors() const;
  void wait_for_output(const std::string& text);
  void wait_for_errors(const std::string& text) const;

  // To the pipe, or as if it were typed.
  void write(const std::string& text) const;
  void end_input();
  void resize(TerminalSize size) const;
  // Whether the terminal shows what is typed, and line by line, as a shell leaves it.
  bool terminal_is_cooked() const;

  void signal(int number) const;
  // The terminal's foreground process group.
  void signal_foreground(int number) const;
  // Its exit status, or 128 and the number of the signal that has ended it; an error after a minute.
  int wait();
  bool running();

 private:
  void start(const std::vector<std::string>& argv, int in, int out, int errors);
  void read_terminal();

  ksr::testing::TemporaryDirectory directory_{"ksr-program"};
  pid_t pid_ = -1;
  int status_ = -1;
  int input_ = -1;
  int terminal_ = -1;
  std::string shown_;
};

}  // namespace ksr::clustertest
