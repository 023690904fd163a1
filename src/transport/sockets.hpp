// `open_socket` makes TCP sockets and `plain_stream` a stream of one; used by Dial and TlsStream. Lives on the network
// thread.
#pragma once

#include <cpprest/details/connection_driver.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <variant>

#include "base/instant.hpp"

namespace ksr::transport {

class OpenedSocket {
 public:
  OpenedSocket(boost::asio::ip::tcp::socket socket) : outcome_(std::move(socket)) {}
  OpenedSocket(boost::system::error_code error) : outcome_(error) {}
  explicit operator bool() const { return std::holds_alternative<boost::asio::ip::tcp::socket>(outcome_); }
  boost::asio::ip::tcp::socket&& value() && { return std::get<0>(std::move(outcome_)); }
  boost::system::error_code error() const { return std::get<1>(outcome_); }

 private:
  std::variant<boost::asio::ip::tcp::socket, boost::system::error_code> outcome_;
};

// Opened with SOCK_CLOEXEC, TCP_NODELAY and keepalive probes: a peer that is gone is noticed in about half a minute,
// whether data is on its way to it or not.
OpenedSocket open_socket(const boost::asio::ip::tcp::endpoint& peer);

// Whether the socket is open at both ends and has no bytes to read.
bool nothing_to_read(int fd) noexcept;

// Turns TCP_USER_TIMEOUT off: it also counts the time in which the peer announces a window of zero.
void wait_for_slow_reader(int fd) noexcept;
// False: data waits for the peer, and for `limit` no acknowledgement came. A peer that reads nothing acknowledges the
// kernel's window probes (RFC 9293, section 3.8.6.1).
bool acknowledges(int fd, Milliseconds limit) noexcept;

// Without TLS. Operations hold the stream, so that it may be closed and released at any time.
std::shared_ptr<web::connected_stream> plain_stream(boost::asio::ip::tcp::socket socket);

}  // namespace ksr::transport
