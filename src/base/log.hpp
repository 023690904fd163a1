// `Logger` takes log lines; used by every module, implemented by delivery::CallbackDispatcher and client::Client,
// for several of them by cluster::FanOutLogger. Any thread: an implementation never calls the host directly.
#pragma once

#include <cstdint>
#include <string>

namespace ksr {

// The levels of syslog(3); the numbers reach the host.
enum class LogLevel : std::int32_t { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

class Logger {
 public:
  virtual ~Logger() = default;
  // False when no one wants it, so that the line need not be built.
  virtual bool wants(LogLevel level) const noexcept = 0;
  // One line, without secrets.
  virtual void log(LogLevel level, std::string line) = 0;
};

// Logs what `make_line` returns, if it is wanted; without memory for the line it is dropped.
template <class MakeLine>
void log_line(Logger& logger, LogLevel level, MakeLine&& make_line) noexcept {
  try {
    if (logger.wants(level)) logger.log(level, make_line());
  } catch (...) {
  }
}

}  // namespace ksr
