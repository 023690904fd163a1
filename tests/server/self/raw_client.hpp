// `RawClient` sends and receives bytes over a plain socket; used by the server's own tests. Lives on the test's thread.
#pragma once

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <string>

#include "server/api_server.hpp"
#include "support/text.hpp"

namespace ksr::testserver {

class RawClient {
 public:
  explicit RawClient(const ApiServer& server) : socket_(io_) {
    socket_.connect({boost::asio::ip::make_address("127.0.0.1"), server.port()});
  }

  void send(const std::string& text) { boost::asio::write(socket_, boost::asio::buffer(text)); }
  void get(const std::string& target, const std::string& more_headers = "") {
    send("GET " + target + " HTTP/1.1\r\nHost: x\r\n" + more_headers + "\r\n");
  }
  // Everything up to and including `mark`, or up to the end of the connection.
  std::string read_until(const std::string& mark) {
    while (seen_.find(mark) == std::string::npos && fill()) {
    }
    const std::size_t end = seen_.find(mark);
    const std::size_t size = end == std::string::npos ? seen_.size() : end + mark.size();
    const std::string text = seen_.substr(0, size);
    seen_.erase(0, size);
    return text;
  }
  std::string read_to_end() {
    while (fill()) {
    }
    return std::move(seen_);
  }

 private:
  bool fill() {
    char space[4096];
    boost::system::error_code failure;
    const std::size_t count = socket_.read_some(boost::asio::buffer(space), failure);
    seen_.append(space, count);
    return !failure;
  }

  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_;
  std::string seen_;
};

// One request on its own connection: the complete response.
inline std::string answer_to(const ApiServer& server, const std::string& target, const std::string& more_headers = "") {
  RawClient client(server);
  client.get(target, "Connection: close\r\n" + more_headers);
  return client.read_to_end();
}

using ksr::testing::has;

}  // namespace ksr::testserver
