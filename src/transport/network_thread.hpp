// The one thread that runs all of cpprestsdk, Asio and OpenSSL. Started at first use and never ended: what is under way
// when the process exits is simply left.
#pragma once

#include "base/executor.hpp"

namespace ksr::transport {

class NetworkThread final : public Executor {
 public:
  // Started at first use. Throws std::bad_alloc when no thread can be had; the next call tries again.
  static NetworkThread& instance();

  void post(std::function<void()> task) override;
  std::unique_ptr<Timer> schedule(Instant at, std::function<void()> task) override;
  Instant now() const override { return std::chrono::steady_clock::now(); }
  bool on_this_thread() const noexcept override;
  // When memory was out, what a task was about to do is lost. `recover` runs then, on the network thread, until it no
  // longer throws: what is under way has to be begun anew. One for the process.
  void on_lost_task(std::function<void()> recover);

  NetworkThread(const NetworkThread&) = delete;
  NetworkThread& operator=(const NetworkThread&) = delete;

 private:
  NetworkThread();
  ~NetworkThread() override = default;
};

inline NetworkThread& network_thread() {
  return NetworkThread::instance();
}

}  // namespace ksr::transport
