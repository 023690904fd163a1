// `RawTerminal` passes each key of the terminal on standard input through as it is, and puts the terminal back on every
// way out, signals that end the process included; used by exec and attach. Main thread, one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace ksr::commands {

class RawTerminal {
 public:
  RawTerminal() = default;
  ~RawTerminal() { leave(); }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

  // False where standard input is no terminal any more.
  bool enter();
  void leave();
};

// Columns and rows of the first terminal among the standard descriptors that knows them.
std::optional<std::pair<std::uint32_t, std::uint32_t>> terminal_size();

}  // namespace ksr::commands
