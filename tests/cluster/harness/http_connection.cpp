#include "cluster/harness/http_connection.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <cstdint>

namespace ksr::clustertest {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::chrono::seconds kRequestTimeout{60};  // kube-apiserver's own limit for a request
constexpr std::uint64_t kBodyLimit = std::uint64_t{512} << 20;

asio::ssl::context trusting(const std::string& ca_file) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  if (ca_file.empty()) return context;
  context.load_verify_file(ca_file);
  context.set_verify_mode(asio::ssl::verify_peer);
  context.set_verify_callback(asio::ssl::host_name_verification("127.0.0.1"));
  return context;
}

}  // namespace

HttpConnection::HttpConnection(const Endpoint& endpoint)
    : tls_(trusting(endpoint.ca_file)), secure_(!endpoint.ca_file.empty()) {
  connect(endpoint);
}

boost::beast::tcp_stream& HttpConnection::tcp() {
  return secured_.next_layer();
}

void HttpConnection::finish(const boost::system::error_code& outcome, const char* what) {
  io_.restart();
  io_.run();
  if (outcome) throw boost::system::system_error(outcome, what);
}

void HttpConnection::connect(const Endpoint& endpoint) {
  boost::system::error_code outcome;
  const auto keep = [&outcome](boost::system::error_code error) { outcome = error; };
  tcp().expires_after(kRequestTimeout);
  tcp().async_connect(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), endpoint.port), keep);
  finish(outcome, "connect");
  tcp().socket().set_option(asio::ip::tcp::no_delay(true));
  if (!secure_) return;
  secured_.async_handshake(asio::ssl::stream_base::client, keep);
  finish(outcome, "TLS handshake");
}

template <class Stream>
HttpResponse HttpConnection::exchange_over(Stream& stream, const HttpRequest& request) {
  boost::system::error_code outcome;
  const auto keep = [&outcome](boost::system::error_code error, std::size_t) { outcome = error; };
  tcp().expires_after(kRequestTimeout);
  http::async_write(stream, request, keep);
  finish(outcome, "write");
  http::response_parser<http::string_body> parser;
  parser.body_limit(kBodyLimit);
  http::async_read(stream, buffer_, parser, keep);
  finish(outcome, "read");
  return parser.release();
}

HttpResponse HttpConnection::exchange(const HttpRequest& request) {
  return secure_ ? exchange_over(secured_, request) : exchange_over(tcp(), request);
}

}  // namespace ksr::clustertest
