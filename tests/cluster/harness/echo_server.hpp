// `EchoServer` writes back what it reads, on each connection until its end; used by the tests of forwarded ports. Its
// methods may be called on any thread; each connection has one of its own.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <list>
#include <thread>

namespace ksr::clustertest {

class EchoServer {
 public:
  // Port 0: one that is free.
  explicit EchoServer(std::uint16_t port = 0);
  ~EchoServer();
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  struct Session;
  void serve();

  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_;
  std::list<Session> sessions_;
  std::thread thread_;
};

}  // namespace ksr::clustertest
