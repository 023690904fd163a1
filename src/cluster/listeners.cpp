#include "cluster/listeners.hpp"

#include <algorithm>
#include <utility>

namespace ksr::cluster {

bool Listeners::wants(LogLevel level) const noexcept {
  const auto loggers = alive();
  return std::any_of(loggers.begin(), loggers.end(), [level](const auto& logger) { return logger->wants(level); });
}

void Listeners::log(LogLevel level, std::string line) {
  for (const auto& logger : alive()) {
    if (logger->wants(level)) logger->log(level, line);
  }
}

void Listeners::add(std::weak_ptr<Logger> logger) {
  const MutexLock lock(loggers_mutex_);
  const auto dead = [](const std::weak_ptr<Logger>& one) { return one.expired(); };
  loggers_.erase(std::remove_if(loggers_.begin(), loggers_.end(), dead), loggers_.end());
  loggers_.push_back(std::move(logger));
}

std::vector<std::shared_ptr<Logger>> Listeners::alive() const {
  std::vector<std::shared_ptr<Logger>> loggers;
  const MutexLock lock(loggers_mutex_);
  for (const auto& logger : loggers_) {
    if (auto one = logger.lock()) loggers.push_back(std::move(one));
  }
  return loggers;
}

}  // namespace ksr::cluster
