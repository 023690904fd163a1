// `MemoryNetwork` takes the place of the network thread and of transport::Dial: connections whose bytes come from an
// input, whose writes are kept, and a clock that is set by hand. One thread.
#pragma once

#include <cpprest/details/connection_driver.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/executor.hpp"
#include "transport/route.hpp"

namespace ksr::fuzz {

class MemoryNetwork final : public Executor {
 public:
  // What a connection reads next: bytes, or its end.
  struct Arrival {
    std::string bytes;
    bool end = false;
    bool failed = false;
  };
  // `written` so far over this connection; nothing: it waits.
  using Peer = std::function<bool(const std::string& written, std::size_t most, Arrival& arrival)>;

  explicit MemoryNetwork(Peer peer) : peer_(std::move(peer)) { current_ = this; }
  ~MemoryNetwork() override { current_ = nullptr; }
  MemoryNetwork(const MemoryNetwork&) = delete;
  MemoryNetwork& operator=(const MemoryNetwork&) = delete;

  void post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
  std::unique_ptr<Timer> schedule(Instant at, std::function<void()> task) override;
  Instant now() const override { return now_; }
  bool on_this_thread() const noexcept override { return true; }

  // One task; false when there is none.
  bool run_one();
  void run() {
    while (run_one()) {
    }
  }
  // Timers that are due then are run.
  void advance(Milliseconds by);

  std::shared_ptr<const transport::Route> route();
  std::shared_ptr<web::connected_stream> connect();
  static MemoryNetwork& current() { return *current_; }

 private:
  class Stream;
  struct HeldTimer;
  using Timers = std::multimap<Instant, std::shared_ptr<std::function<void()>>>;

  static inline MemoryNetwork* current_ = nullptr;
  Peer peer_;
  std::deque<std::function<void()>> tasks_;
  Timers timers_;
  Instant now_{};
};

}  // namespace ksr::fuzz
