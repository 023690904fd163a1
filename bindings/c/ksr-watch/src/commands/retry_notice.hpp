// `RetryNotice` tells the user about a call that takes long since it is tried again; used by Client. Main thread, which
// waits for the call meanwhile.
#pragma once

#include <ksr.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "commands/report.hpp"

namespace ksr::commands {

class RetryNotice {
 public:
  // Begins before the call. `line` is written once the library has sent a request of this client again, and a second
  // has gone.
  RetryNotice(ksr_client* client, Report& report, std::string line);
  RetryNotice(const RetryNotice&) = delete;
  RetryNotice& operator=(const RetryNotice&) = delete;
  // Ends after the call; nothing is written from then on.
  ~RetryNotice();

 private:
  void run();
  std::uint64_t retries() const;

  ksr_client* const client_;
  Report& report_;
  const std::string line_;
  const std::uint64_t retries_before_;
  std::mutex mutex_;
  std::condition_variable ended_changed_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace ksr::commands
