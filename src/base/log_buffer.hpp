// `LogBuffer` keeps the log lines of an opening until there is something to deliver them; used by stream::Stream and
// client::Client. Lives on the thread that opens.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"

namespace ksr {

class LogBuffer final : public Logger {
 public:
  bool wants(LogLevel) const noexcept override { return true; }
  void log(LogLevel level, std::string line) override { lines_.emplace_back(level, std::move(line)); }

  void replay_to(Logger& logger) {
    for (auto& [level, line] : std::exchange(lines_, {})) logger.log(level, std::move(line));
  }

 private:
  std::vector<std::pair<LogLevel, std::string>> lines_;
};

}  // namespace ksr
