// `FakeHost` records the callbacks of a stream in a `CallLog`, and `readable` asks a descriptor; used by the tests of
// delivery and stream. Any thread.
#pragma once

#include <poll.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "delivery/host.hpp"
#include "support/allocation_failure.hpp"
#include "support/wait_limit.hpp"

namespace ksr::delivery {

inline bool readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return poll(&entry, 1, 0) == 1;
}

// The callbacks of a FakeHost; outlives it.
class CallLog {
 public:
  void note(std::string line) {
    const std::lock_guard<std::mutex> lock(mutex_);
    lines_.push_back(std::move(line));
    written_.notify_all();
  }
  std::vector<std::string> lines() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return lines_;
  }
  // False after kWaitLimit without the line.
  bool wait_for(const std::string& line) {
    std::unique_lock<std::mutex> lock(mutex_);
    return written_.wait_for(lock, ksr::testing::kWaitLimit, [&] {
      for (const std::string& held : lines_) {
        if (held == line) return true;
      }
      return false;
    });
  }
  std::size_t count(const std::string& line) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::size_t found = 0;
    for (const std::string& held : lines_) found += held == line ? 1 : 0;
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable written_;
  std::vector<std::string> lines_;
};

class FakeHost final : public Host {
 public:
  struct Wants {
    bool updates = true;
    bool errors = true;
    bool states = true;
    bool log = true;
    bool destroy = true;
  };

  explicit FakeHost(CallLog& call_log) : call_log_(call_log) {}
  FakeHost(CallLog& call_log, const Wants& callbacks) : wants(callbacks), call_log_(call_log) {}
  ~FakeHost() override { call_log_.note("destroy"); }

  bool wants_updates() const noexcept override { return wants.updates; }
  bool wants_errors() const noexcept override { return wants.errors; }
  bool wants_states() const noexcept override { return wants.states; }
  bool wants_log() const noexcept override { return wants.log; }
  bool wants_destroy() const noexcept override { return wants.destroy; }
  void on_update(const Snapshot& snapshot) override {
    call_log_.note("update " + std::to_string(snapshot.sequence()) + ": " + std::to_string(snapshot.view().count()) +
                   " objects, " + std::to_string(snapshot.deltas().count()) + " deltas");
    if (during_update) during_update();
  }
  void on_error(ErrorReport report) override {
    const ksr::testing::WithMemory with_memory;
    call_log_.note("error " + report.error.text());
    if (during_error) during_error();
  }
  void on_state(sync::State state) override { call_log_.note("state " + std::to_string(static_cast<int>(state))); }
  void on_log(LogLevel, const std::string& line) override { call_log_.note("log " + line); }

  std::function<void()> during_update;
  std::function<void()> during_error;
  const Wants wants;

 private:
  CallLog& call_log_;
};

}  // namespace ksr::delivery
