// `NoLog` takes no lines: the library logs what it does with a kubeconfig. Used where ksr reads one as well. Any
// thread.
#pragma once

#include <string>

#include "base/log.hpp"

namespace ksr::commands {

class NoLog final : public Logger {
 public:
  bool wants(LogLevel) const noexcept override { return false; }
  void log(LogLevel, std::string) override {}
};

}  // namespace ksr::commands
