// `ask`, `watch` and `shake_hands` are a blocking client on Boost.Beast; used by the server's own tests.
// Lives on the test's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/api_server.hpp"

namespace ksr::testing {

using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kPodsWatch = "/api/v1/pods?watch=1";
constexpr const char* kProtocols = "Sec-WebSocket-Protocol";
inline const Fields::value_type kOrigin{"Origin", "http://127.0.0.1"};

// A blocking connection, plain or TLS as the server is; what Beast calls a SyncStream.
class Wire {
 public:
  using executor_type = boost::asio::any_io_executor;

  explicit Wire(const ksr::testserver::ApiServer& server, const ksr::testing::CertificateAndKey& client = {},
                const std::string& host = "127.0.0.1");

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, boost::system::error_code& failure) {
    return tls_ ? tls_->read_some(buffers, failure) : plain_->read_some(buffers, failure);
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    boost::system::error_code failure;
    const std::size_t count = read_some(buffers, failure);
    if (failure) throw boost::system::system_error(failure);
    return count;
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, boost::system::error_code& failure) {
    return tls_ ? tls_->write_some(buffers, failure) : plain_->write_some(buffers, failure);
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    boost::system::error_code failure;
    const std::size_t count = write_some(buffers, failure);
    if (failure) throw boost::system::system_error(failure);
    return count;
  }
  executor_type get_executor() { return io_->get_executor(); }

 private:
  std::unique_ptr<boost::asio::io_context> io_ = std::make_unique<boost::asio::io_context>();
  std::unique_ptr<boost::asio::ip::tcp::socket> plain_;
  std::unique_ptr<boost::asio::ssl::context> context_;
  std::unique_ptr<boost::asio::ssl::stream<boost::asio::ip::tcp::socket>> tls_;
};

struct Answer {
  unsigned status = 0;
  Fields headers;
  std::string body;

  std::string header(const std::string& name) const;
  boost::json::value json() const { return boost::json::parse(body); }
  std::string message() const { return json().at("message").as_string().c_str(); }
};

// Throws boost::system::system_error if the response is not a complete HTTP response.
Answer ask(Wire& wire, const std::string& target, const Fields& fields = {}, const std::string& method = "GET",
           const std::string& body = "");
Answer ask(const ksr::testserver::ApiServer& server, const std::string& target, const Fields& fields = {},
           const std::string& method = "GET", const std::string& body = "");

// A watch, by HTTP or WebSocket, read event by event.
class Events {
 public:
  virtual ~Events() = default;
  // One event's JSON with its newline; nullopt at a clean end. Throws system_error at any other end.
  virtual std::optional<std::string> next() = 0;
  // The next event as TYPE and object.
  std::pair<std::string, boost::json::value> event();
  // TYPE name of the next event.
  std::string summary();
};

std::unique_ptr<Events> watch(const ksr::testserver::ApiServer& server, const std::string& transport,
                              const std::string& target, const Fields& fields = {});

using WebSocket = boost::beast::websocket::stream<boost::asio::ip::tcp::socket>;

// A WebSocket handshake with these header fields; the response, and the socket if it was accepted.
struct Handshake {
  Answer answer;
  boost::asio::io_context io;
  std::unique_ptr<WebSocket> socket;
};
std::unique_ptr<Handshake> shake_hands(const ksr::testserver::ApiServer& server, const std::string& target,
                                       const Fields& fields);

std::vector<std::string> names_of(const boost::json::value& list);

}  // namespace ksr::testing
