#include "cluster/harness/echo_server.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace ksr::clustertest {

namespace asio = boost::asio;
using asio::ip::tcp;

struct EchoServer::Session {
  explicit Session(tcp::socket accepted) : socket(std::move(accepted)), thread([this] { echo(); }) {}
  ~Session() {
    boost::system::error_code ignored;
    // Ends the read that the thread is in.
    socket.shutdown(tcp::socket::shutdown_both, ignored);
    thread.join();
  }

  void echo() {
    boost::system::error_code ended;
    std::array<char, 16384> space;
    while (!ended) {
      const std::size_t count = socket.read_some(asio::buffer(space), ended);
      if (!ended) asio::write(socket, asio::buffer(space, count), ended);
    }
    boost::system::error_code ignored;
    socket.shutdown(tcp::socket::shutdown_both, ignored);
  }

  tcp::socket socket;
  std::thread thread;
};

EchoServer::EchoServer(std::uint16_t port)
    : acceptor_(io_, {asio::ip::address_v4::loopback(), port}),
      port_(acceptor_.local_endpoint().port()),
      thread_([this] { serve(); }) {}

EchoServer::~EchoServer() {
  // Ends the accept that the thread is in.
  ::shutdown(acceptor_.native_handle(), SHUT_RD);
  thread_.join();
}

void EchoServer::serve() {
  for (;;) {
    boost::system::error_code failure;
    tcp::socket socket = acceptor_.accept(failure);
    if (failure) return;
    sessions_.emplace_back(std::move(socket));
  }
}

}  // namespace ksr::clustertest
