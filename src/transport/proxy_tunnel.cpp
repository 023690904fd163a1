#include "transport/proxy_tunnel.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "base/exception_error.hpp"
#include "transport/failures.hpp"

namespace ksr::transport {
namespace {

constexpr std::size_t kMaxHeaderSize = 16 * 1024;

Error failed(Status status, std::string what) {
  return Error{status, std::move(what), {}, 502};
}

// The three digits after "HTTP/1.x ", or 0.
int status_of(const std::string& response) {
  if (response.size() < 12 || response.compare(0, 7, "HTTP/1.") != 0 || response[8] != ' ') return 0;
  int status = 0;
  for (std::size_t i = 9; i < 12; ++i) {
    if (response[i] < '0' || response[i] > '9') return 0;
    status = status * 10 + (response[i] - '0');
  }
  return status;
}

}  // namespace

ProxyTunnel::ProxyTunnel(boost::asio::ip::tcp::socket& proxy, const std::string& target,
                         const std::string& authorization)
    : proxy_(proxy), request_("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n") {
  if (!authorization.empty()) request_ += "Proxy-Authorization: " + authorization + "\r\n";
  request_ += "\r\n";
}

template <class Step>
void ProxyTunnel::guarded(Step&& step) {
  try {
    step();
  } catch (...) {
    if (!done_) throw;
    finish(error_of_exception());
  }
}

void ProxyTunnel::start(Done done) {
  done_ = std::move(done);
  boost::asio::async_write(proxy_, boost::asio::buffer(request_),
                           [self = shared_from_this()](const boost::system::error_code& ec, std::size_t) {
                             if (!self->done_) return;
                             self->guarded([&] {
                               if (ec) return self->finish(failed(Status::transport, reason_text(ec)));
                               self->read();
                             });
                           });
}

void ProxyTunnel::read() {
  proxy_.async_read_some(boost::asio::buffer(buffer_),
                         [self = shared_from_this()](const boost::system::error_code& ec, std::size_t size) {
                           if (!self->done_) return;
                           self->guarded([&] {
                             if (ec) return self->finish(failed(Status::transport, reason_text(ec)));
                             self->on_read(size);
                           });
                         });
}

void ProxyTunnel::on_read(std::size_t size) {
  response_.append(buffer_.data(), size);
  const auto end = response_.find("\r\n\r\n");
  if (end != std::string::npos) return check(end + 4);
  if (response_.size() > kMaxHeaderSize) return finish(failed(Status::protocol, "response header exceeds 16 KiB"));
  read();
}

void ProxyTunnel::check(std::size_t head_size) {
  const int status = status_of(response_);
  if (status == 0) return finish(failed(Status::protocol, "the response is not HTTP/1.x"));
  if (status == 407) return finish(failed(Status::transport, "proxy authentication required (407)"));
  if (status < 200 || status > 299) return finish(failed(Status::transport, "status " + std::to_string(status)));
  // The client speaks first, in TLS as in HTTP.
  if (response_.size() > head_size)
    return finish(failed(Status::protocol, "unexpected bytes after the response header"));
  finish(std::nullopt);
}

void ProxyTunnel::finish(std::optional<Error> error) {
  const Done done = std::exchange(done_, nullptr);
  done(error);
}

}  // namespace ksr::transport
