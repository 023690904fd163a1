// `HttpConnection` is one kept-alive HTTP/1.1 connection to 127.0.0.1, with or without TLS; used by ApiClient and Etcd.
// Every wait is bounded. Lives on any one thread at a time.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <optional>
#include <string>

#include "cluster/harness/api_client.hpp"

namespace ksr::clustertest {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;
using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;

class HttpConnection {
 public:
  // Throws boost::system::system_error, as all functions of this class do.
  explicit HttpConnection(const Endpoint& endpoint);

  HttpResponse exchange(const HttpRequest& request);

 private:
  void connect(const Endpoint& endpoint);
  boost::beast::tcp_stream& tcp();
  // Runs the operation that was just started until it ends or its deadline passes.
  void finish(const boost::system::error_code& outcome, const char* what);
  template <class Stream>
  HttpResponse exchange_over(Stream& stream, const HttpRequest& request);

  boost::asio::io_context io_;
  boost::asio::ssl::context tls_;
  boost::beast::ssl_stream<boost::beast::tcp_stream> secured_{io_, tls_};  // without TLS only its lower layer is used
  bool secure_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace ksr::clustertest
