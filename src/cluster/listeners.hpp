// The loggers of all streams that share an Access.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/mutex.hpp"

namespace ksr::cluster {

// Any thread.
class Listeners final : public Logger {
 public:
  bool wants(LogLevel level) const noexcept override;
  void log(LogLevel level, std::string line) override;

  // Heard while it lives; the Access may live on.
  void add(std::weak_ptr<Logger> logger);

 private:
  std::vector<std::shared_ptr<Logger>> alive() const;

  mutable Mutex loggers_mutex_;
  std::vector<std::weak_ptr<Logger>> loggers_ KSR_GUARDED_BY(loggers_mutex_);
};

}  // namespace ksr::cluster
