// A TCP proxy on 127.0.0.1 that mistreats the connections through it, as networks do.
// It runs on a thread of its own; its functions may be called on any thread and take effect before they return.
#pragma once

#include <cstdint>
#include <memory>

namespace ksr::clustertest {

class ChaosProxy {
 public:
  explicit ChaosProxy(std::uint16_t target_port);
  ~ChaosProxy();
  ChaosProxy(const ChaosProxy&) = delete;
  ChaosProxy& operator=(const ChaosProxy&) = delete;

  std::uint16_t port() const;

  // Ends the mistreatment. Stalled connections go on where they stopped; blackholed ones stay dead and silent, as
  // behind a firewall that has forgotten them; new connections are served.
  void pass();
  // Bytes wait, in both directions, on all connections old and new. Nothing is lost.
  void stall();
  // Bytes vanish, in both directions, on all connections old and new; new ones are accepted and never answered.
  void blackhole();
  // New connections are refused (nobody listens); open ones go on. Ended by pass().
  void refuse();
  // Resets (RST) all connections that are open now.
  void cut();
  // Resets each connection that is open now when `bytes` more have come from the server on it, in mid-message.
  void cut_after(std::uint64_t bytes);

  std::uint64_t accepted() const;  // connections since the start
  std::uint64_t open_connections() const;
  std::uint64_t bytes_from_server() const;  // passed on to clients

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ksr::clustertest
