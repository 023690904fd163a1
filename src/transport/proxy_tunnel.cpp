#include "transport/proxy_tunnel.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "base/exception_error.hpp"
#include "base/text.hpp"
#include "transport/failures.hpp"
#include "transport/header_rules.hpp"

namespace ksr::transport {
namespace {

Error failed(Status status, std::string what) {
  return Error{status, std::move(what), {}, 502};
}

}  // namespace

ProxyTunnel::ProxyTunnel(boost::asio::ip::tcp::socket& proxy, const std::string& target,
                         const std::string& authorization)
    : proxy_(proxy), request_("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n") {
  if (!authorization.empty()) request_ += "Proxy-Authorization: " + authorization + "\r\n";
  add_credentials(authorization, secrets_);
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
                             if (ec) return self->finish(failed(Status::transport, self->read_problem(ec)));
                             self->on_read(size);
                           });
                         });
}

void ProxyTunnel::on_read(std::size_t size) {
  switch (decoder_.feed(std::string_view(buffer_.data(), size))) {
    case ResponseDecoder::Progress::more:
      return read();
    case ResponseDecoder::Progress::failed:
      return finish(failed(Status::protocol, problem()));
    default:
      return check();
  }
}

std::string ProxyTunnel::read_problem(const boost::system::error_code& reason) {
  if (reason != boost::asio::error::eof) return reason_text(reason);
  decoder_.end_of_stream();
  return decoder_.problem();
}

std::string ProxyTunnel::problem() const {
  if (decoder_.not_http().empty()) return decoder_.problem();
  return decoder_.problem() + ": " + in_quotes(one_line(secrets_.blanked(decoder_.not_http())));
}

bool ProxyTunnel::take_head(ResponseHead head) {
  status_ = head.status;
  // What follows is the tunnel, whatever the header says (RFC 9110, section 9.3.6), or of no use.
  return false;
}

void ProxyTunnel::check() {
  // The status is told: unlike others, no retry mends it.
  if (status_ == 407) return finish(Error{Status::transport, "proxy authentication required (407)", {}, 407});
  if (status_ < 200 || status_ > 299) return finish(failed(Status::transport, "status " + std::to_string(status_)));
  // The client speaks first, in TLS as in HTTP.
  if (decoder_.unread() != 0) return finish(failed(Status::protocol, "unexpected bytes after the response header"));
  finish(std::nullopt);
}

void ProxyTunnel::finish(const std::optional<Error>& error) {
  const Done done = std::exchange(done_, nullptr);
  done(error);
}

}  // namespace ksr::transport
