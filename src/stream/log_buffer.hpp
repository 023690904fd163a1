// Keeps the log lines of an opening until there is a dispatcher to carry them. Lives on the thread that opens.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"

namespace ksr::stream {

class LogBuffer final : public Logger {
 public:
  bool wants(LogLevel) const noexcept override { return true; }
  void log(LogLevel level, std::string line) override { lines_.emplace_back(level, std::move(line)); }

  void replay_to(Logger& logger) {
    for (auto& [level, line] : lines_) logger.log(level, std::move(line));
    lines_.clear();
  }

 private:
  std::vector<std::pair<LogLevel, std::string>> lines_;
};

}  // namespace ksr::stream
