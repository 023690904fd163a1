#include "transport/http_exchange.hpp"

#include <cpprest/rawptrstream.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <utility>

#include "base/text.hpp"
#include "transport/header_rules.hpp"

namespace ksr::transport {
namespace {

using web::http::http_exception;
using web::http::http_headers;
using web::http::http_request;
using web::http::http_response;

// http_headers has one value for each name, and joins repeated ones with ", ". Kubernetes does not take
// Impersonate-Group apart again, so the values are kept apart by a character that no value may contain.
constexpr char kValueSeparator = '\n';
constexpr const char* kUserAgent = "User-Agent";
constexpr std::size_t kBufferSize = std::size_t{64} * 1024;
// A larger body is written by itself, so that it is not copied behind its head.
constexpr std::size_t kMaxJoinedBody = std::size_t{16} * 1024;

void add_header(http_headers& headers, const Header& header) {
  const auto found = headers.find(header.name);
  if (found == headers.end()) {
    headers[header.name] = header.value;
  } else {
    found->second += kValueSeparator + header.value;
  }
}

http_request message_of(const Route& route, const Request& request) {
  http_request message(request.method);
  std::string path = request.prefix.value_or(route.server.prefix) + request.target;
  // A path that begins with two slashes would be read as an authority (RFC 3986, section 4.2).
  if (path.compare(0, 2, "//") == 0) path.insert(0, route.server.origin());
  message.set_request_uri(web::uri(path));
  http_headers& headers = message.headers();
  for (const Header& header : request.headers) add_header(headers, header);
  if (request.accept_gzip) headers["Accept-Encoding"] = "gzip";
  // Without one, http_client adds its own. An empty one is not sent.
  if (!headers.has(kUserAgent)) headers[kUserAgent] = "";
  return message;
}

// `body` has to outlive the reading of it.
void set_body(http_request& message, const std::string& body) {
  const std::string& method = message.method();
  if (!body.empty()) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(body.data());
    message.set_body(concurrency::streams::rawptr_stream<std::uint8_t>::open_istream(bytes, body.size()), body.size());
  } else if (method == "POST" || method == "PUT" || method == "PATCH") {
    // RFC 9110, section 8.6: a method that usually has a body says that there is none.
    message.headers().set_content_length(0);
  }
}

std::string lines_of(const http_headers& headers) {
  std::string lines;
  for (const auto& [name, values] : headers) {
    if (values.empty() && lower_case(name) == lower_case(kUserAgent)) continue;
    std::size_t begin = 0;
    for (;;) {
      const std::size_t end = values.find(kValueSeparator, begin);
      lines.append(name).append(": ").append(values, begin, end - begin).append("\r\n");
      if (end == std::string::npos) break;
      begin = end + 1;
    }
  }
  return lines;
}

std::string head_of(const Route& route, const http_request& message, const std::string& target) {
  const Url& server = route.server;
  // A proxy forwards plain requests by their full URL (RFC 9112, section 3.2.2); TLS goes through a tunnel.
  const bool forwarded = route.proxy && !server.secure();
  const web::uri& uri = message.request_uri();
  std::string head = message.method() + " " + (forwarded ? server.origin() : "") + uri.path();
  // An empty query, which differs from none (RFC 3986, section 6.2.3), is lost in a web::uri.
  if (!uri.query().empty() || (!target.empty() && target.back() == '?')) head += "?" + uri.query();
  head += " HTTP/1.1\r\n";
  head += "Host: " + server.authority() + "\r\n";
  if (forwarded && !route.proxy->userinfo.empty()) {
    head += "Proxy-Authorization: " + route.proxy->basic_authorization() + "\r\n";
  }
  return head + lines_of(message.headers()) + "\r\n";
}

// cpprestsdk would send the Authorization header along to any host it is redirected to.
web::http::client::http_client_config without_redirects() {
  web::http::client::http_client_config config;
  config.set_max_redirects(0);
  return config;
}

// A pooled connection that the server had closed says so at the first read or write.
bool closed_by_server(const boost::system::error_code& reason) {
  return reason == boost::asio::error::eof || reason == boost::asio::error::connection_reset ||
         reason == boost::asio::error::connection_aborted || reason == boost::asio::error::broken_pipe ||
         reason == boost::asio::ssl::error::stream_truncated;
}

}  // namespace

// One request and its response over a connection of the pool or a new one. Kept alive by the operations under way.
class HttpExchange final : public ExchangeDriver {
 public:
  HttpExchange(std::shared_ptr<const Route> route, Request request, std::string body, ExchangeObserver& observer)
      : ExchangeDriver(std::move(route), std::move(request), observer, false), body_(std::move(body)) {}

  const std::string& body() const { return body_; }

  // The body is the exchange's own, which the message's stream reads as well.
  pplx::task<http_response> send(const http_request& message, std::shared_ptr<ConnectionPool> pool) {
    is_safe_ = is_safe_method(message.method());
    bytes_ = head_of(*route_, message, request_.target);
    // What may have to be repeated is kept as a whole.
    if (is_safe_ || body_.size() <= kMaxJoinedBody) bytes_ += std::exchange(body_, {});
    pool_ = std::move(pool);
    idle_connections_ = pool_;
    auto response = pplx::create_task(response_event_);
    if (auto pooled = pool_->take(is_safe_)) {
      is_pooled_ = true;
      send_over(std::move(pooled));
    } else {
      connect_first();
    }
    return response;
  }

 private:
  void release() override { connection_.reset(); }
  void resume() override;
  bool take_head(ResponseHead head) override;

  void connect_first();
  void send_over(std::shared_ptr<web::connected_stream> connection);
  void write(std::string bytes);
  void read();
  void on_read(const boost::system::error_code& error, std::size_t size);
  void finish(Reading outcome);
  void fail(const boost::system::error_code& read_error);

  std::shared_ptr<ConnectionPool> pool_;
  // The head, and after it the body unless that is sent after the head was written.
  std::string bytes_;
  std::string body_;
  bool is_safe_ = false;
  std::shared_ptr<web::connected_stream> connection_;
  bool is_pooled_ = false;
  bool has_received_ = false;
  bool is_written_ = false;
  bool read_waits_ = false;  // for resume()
  boost::system::error_code write_error_;
  std::unique_ptr<char[]> buffer_;
  http_response response_;
  pplx::task_completion_event<http_response> response_event_;
};

void HttpExchange::connect_first() {
  connect([this](std::shared_ptr<web::connected_stream> connection) { send_over(std::move(connection)); });
}

void HttpExchange::send_over(std::shared_ptr<web::connected_stream> connection) {
  connection_ = std::move(connection);
  attached(connection_);
  if (ended()) return;
  maybe_done_ = !is_safe_;
  is_written_ = false;
  write_error_ = {};
  // Only a request that may be repeated is needed again.
  write(is_safe_ ? bytes_ : std::move(bytes_));
  read();
}

void HttpExchange::write(std::string bytes) {
  const auto self = std::static_pointer_cast<HttpExchange>(shared_from_this());
  connection_->write_all(std::move(bytes),
                         [self, over = connection_](const boost::system::error_code& error, std::size_t) {
                           if (self->connection_ != over) return;
                           if (!error && !self->body_.empty()) {
                             return self->guarded([&] { self->write(std::exchange(self->body_, {})); });
                           }
                           self->is_written_ = true;
                           // The read that is under way ends the exchange: a server that answers and closes before it
                           // has read all has still answered, and a TLS alert says more than a broken pipe.
                           self->write_error_ = error;
                         });
}

void HttpExchange::read() {
  while (has_rest() && !paused()) {
    if (const Reading next = receive_rest(); next != Reading::more) return finish(next);
  }
  if (paused()) {
    read_waits_ = true;
    return;
  }
  if (!buffer_) buffer_.reset(new char[kBufferSize]);
  const auto self = std::static_pointer_cast<HttpExchange>(shared_from_this());
  connection_->read_some(buffer_.get(), kBufferSize,
                         [self, over = connection_](const boost::system::error_code& error, std::size_t size) {
                           if (self->connection_ != over) return;
                           self->guarded([&] { self->on_read(error, size); });
                         });
}

void HttpExchange::resume() {
  ExchangeDriver::resume();
  if (!std::exchange(read_waits_, false) || ended() || !connection_) return;
  guarded([this] { read(); });
}

void HttpExchange::on_read(const boost::system::error_code& error, std::size_t size) {
  const bool at_end =
      error == boost::asio::error::eof || (error == boost::asio::ssl::error::stream_truncated && cut_shows());
  if (error && (!at_end || !has_received_)) return fail(error);
  has_received_ = true;
  const Reading next = error ? end_of_stream() : receive(buffer_.get(), size);
  if (next != Reading::more) return finish(error ? Reading::close : next);
  read();
}

void HttpExchange::finish(Reading outcome) {
  if (auto connection = std::exchange(connection_, nullptr)) {
    if (outcome == Reading::keep && is_written_ && !write_error_) {
      pool_->put(std::move(connection));
    } else {
      connection->close();
    }
  }
  finished();
}

void HttpExchange::fail(const boost::system::error_code& read_error) {
  std::exchange(connection_, nullptr)->close();
  if (is_pooled_ && is_safe_ && !has_received_ && closed_by_server(read_error)) {
    // It was closed while it was idle. Not on another pooled connection, which may be as stale.
    is_pooled_ = false;
    return connect_first();
  }
  const bool says_more = read_error.category() == boost::asio::error::get_ssl_category();
  if (write_error_ && !says_more) return stream_failed(write_error_, true);
  stream_failed(read_error, false);
}

bool HttpExchange::take_head(ResponseHead head) {
  response_.set_status_code(static_cast<web::http::status_code>(head.status));
  for (const Header& header : head.headers) {
    std::string& values = response_.headers()[header.name];
    if (!values.empty()) values += ", ";
    values += header.value;
  }
  response_event_.set(response_);
  return ExchangeDriver::take_head(std::move(head));
}

HttpStage::HttpStage(std::shared_ptr<const Route> route)
    : route_(std::move(route)), pool_(std::make_shared<ConnectionPool>(route_->executor)) {}

pplx::task<http_response> HttpStage::propagate(http_request request) {
  const auto exchange = std::exchange(next_exchange_, nullptr);
  if (!exchange) return pplx::task_from_exception<http_response>(http_exception("no exchange expects this request"));
  return exchange->send(request, pool_);
}

HttpClient::HttpClient(std::shared_ptr<const Route> route)
    : route_(std::move(route)),
      stage_(std::make_shared<HttpStage>(route_)),
      client_(web::uri(route_->server.origin()), without_redirects()) {
  client_.add_handler(std::static_pointer_cast<web::http::http_pipeline_stage>(stage_));
}

HttpClient::Started HttpClient::start(Request request, ExchangeObserver& observer) {
  http_request message = message_of(*route_, request);
  std::string body = std::exchange(request.body, {});
  auto exchange = std::make_shared<HttpExchange>(route_, std::move(request), std::move(body), observer);
  set_body(message, exchange->body());
  // Held before it starts: whatever is thrown from here on, the observer is not called any more.
  std::unique_ptr<Exchange> held = hold(exchange);
  stage_->expect(std::move(exchange));
  return {std::move(held), client_.request(message)};
}

}  // namespace ksr::transport
