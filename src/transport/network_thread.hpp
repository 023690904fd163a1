// `NetworkThread` is the one thread that runs all of cpprestsdk, Asio and OpenSSL; used through Executor. Started at
// first use and never ended: what is under way when the process exits is left as it is. `post` may be called on any
// thread.
#pragma once

#include "base/error.hpp"
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
  // For an exception that no exchange and no stream has caught, in practice std::bad_alloc: it is unknown whose task is
  // lost. `recover` runs then, with the error, on the network thread, and what is under way has to be restarted. Not at
  // once: after a jittered pause that doubles while tasks go on being lost, and during which other
  // tasks run. It runs again when it throws. One for the process.
  void on_lost_task(std::function<void(const Error&)> recover);

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
