// `Channel` is a connected socket, plain or TLS; used by Connection. Lives on the server's thread.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <functional>
#include <memory>
#include <string>

namespace ksr::testserver {

class Channel {
 public:
  using Done = std::function<void(const boost::system::error_code&, std::size_t)>;

  static std::unique_ptr<Channel> plain(boost::asio::ip::tcp::socket socket);
  static std::unique_ptr<Channel> tls(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& context);

  virtual ~Channel() = default;
  virtual void handshake(std::function<void(const boost::system::error_code&)> done) = 0;
  virtual void read(boost::asio::mutable_buffer space, Done done) = 0;
  // Writes all bytes.
  virtual void write(boost::asio::const_buffer bytes, Done done) = 0;
  // The common name of the client's certificate; empty without one.
  virtual std::string client_name() const = 0;
  // Closes immediately; `reset`: with an RST.
  virtual void close(bool reset) = 0;
};

}  // namespace ksr::testserver
