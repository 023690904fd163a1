// `ChaosProxy` is a TCP proxy on 127.0.0.1 that delays, drops and resets the connections through it, as networks do;
// used by the tests on a cluster.
// It has its own thread; its functions may be called on any other thread and take effect before they return.
#pragma once

#include <chrono>
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

  // Forwards again. Stalled connections continue where they stopped; blackholed ones stay silent, as when a firewall
  // has dropped their state; new connections are served.
  void pass();
  // Bytes are held back, in both directions, on all connections old and new. None are lost.
  void stall();
  // Bytes are dropped, in both directions, on all connections old and new; new ones are accepted and never answered.
  void blackhole();
  // New connections are refused (the listening socket is closed); open ones continue. Ended by pass().
  void refuse();
  // Resets (RST) all connections that are open now.
  void cut();
  // Resets each connection that is open now once `bytes` more have come from the server on it, within a message.
  void cut_after(std::uint64_t bytes);
  // Resets each connection of later this long after it was accepted, whatever it is doing.
  void limit_age(std::chrono::milliseconds limit);

  std::uint64_t accepted() const;  // connections since the start
  std::uint64_t open_connections() const;
  std::uint64_t bytes_from_server() const;  // passed on to clients

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ksr::clustertest
