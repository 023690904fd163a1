// TCP sockets as ksr wants them.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <variant>

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

// Close-on-exec from its first moment, without Nagle's delay, and watched: a peer that is gone is noticed in about half
// a minute, whether data is on its way to it or not.
OpenedSocket open_socket(const boost::asio::ip::tcp::endpoint& peer);

}  // namespace ksr::transport
