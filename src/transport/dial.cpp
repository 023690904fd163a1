#include "transport/dial.hpp"

#include <openssl/x509_vfy.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <utility>

#include "base/exception_error.hpp"
#include "base/resource_exhaustion.hpp"
#include "base/thread_check.hpp"
#include "transport/failures.hpp"
#include "transport/io_service.hpp"
#include "transport/proxy_tunnel.hpp"
#include "transport/sockets.hpp"

namespace ksr::transport {
namespace {

using boost::asio::ip::tcp;

// An address that drops packets must leave time for the next ones (the rule of Go's net.Dialer, partialDeadline).
constexpr Milliseconds kMinTimePerAddress{2000};

}  // namespace

class Dial::Steps final : public std::enable_shared_from_this<Dial::Steps> {
 public:
  Steps(std::shared_ptr<const Route> route, bool tunnel, Done done)
      : route_(std::move(route)), tunnel_(route_->proxy && (tunnel || route_->tls)), done_(std::move(done)) {}

  Executor& executor() const { return route_->executor; }

  void start() {
    Executor& executor = route_->executor;
    step_ = "connecting to " + route_->next_hop();
    if (route_->connect_timeout.count() != 0) {
      deadline_ = executor.now() + route_->connect_timeout;
      timer_ = executor.schedule(*deadline_, [this] { guarded([this] { time_is_up(); }); });
    }
    const std::string& host = route_->proxy ? route_->proxy->host : route_->server.host;
    boost::system::error_code not_literal;
    const auto literal = boost::asio::ip::make_address(host, not_literal);
    if (!not_literal) {
      addresses_ = {literal};
      executor.post([self = shared_from_this()] { self->guarded([&] { self->try_next_address(); }); });
      return;
    }
    step_ = "resolving " + host;
    lookup_ = route_->resolver->resolve(host, [self = shared_from_this()](Expected<Addresses> outcome) {
      if (!self->done_) return;
      self->guarded([&] {
        if (!outcome) return self->fail(self->name_error(std::move(outcome).error()));
        self->step_ = "connecting to " + self->route_->next_hop();
        self->addresses_ = std::move(outcome).value();
        self->try_next_address();
      });
    });
  }

  // `done` is not called any more.
  void abandon() {
    done_ = nullptr;
    timer_.reset();
    address_timer_.reset();
    lookup_.cancel();
    boost::system::error_code ignored;
    if (tunnel_request_) tunnel_request_->abandon();
    if (socket_) socket_->close(ignored);
    if (tls_) tls_->close();
  }

 private:
  // Runs `step`, which the network thread has called; an exception of it ends this dial, and is rethrown only where
  // that had ended before.
  template <class Step>
  void guarded(Step&& step) {
    const auto self = shared_from_this();
    try {
      step();
    } catch (...) {
      if (!done_) throw;
      fail(error_of_exception(step_));
    }
  }

  Error name_error(const Error& error) const {
    return route_->proxy ? error.within("connecting to " + route_->next_hop()) : error;
  }

  void try_next_address() {
    if (!done_) return;
    const auto address = addresses_[next_address_++];
    const std::uint16_t port = route_->proxy ? route_->proxy->port : route_->server.port;
    const tcp::endpoint endpoint(address, port);
    auto opened = open_socket(endpoint);
    if (!opened) return address_failed(opened.error());
    socket_ = std::make_shared<tcp::socket>(std::move(opened).value());
    arm_for_this_address();
    socket_->async_connect(endpoint,
                           [self = shared_from_this(), socket = socket_](const boost::system::error_code& ec) {
                             if (!self->done_ || self->socket_ != socket) return;
                             self->guarded([&] {
                               self->address_timer_.reset();
                               if (ec) return self->address_failed(ec);
                               self->connected();
                             });
                           });
  }

  void arm_for_this_address() {
    const auto left = static_cast<Milliseconds::rep>(addresses_.size() - next_address_);
    if (left == 0 || !deadline_) return;
    const auto now = route_->executor.now();
    const auto share = std::chrono::duration_cast<Milliseconds>(*deadline_ - now) / (left + 1);
    address_timer_ = route_->executor.schedule(now + std::max(share, kMinTimePerAddress), [this] {
      guarded([this] { address_failed(boost::asio::error::timed_out); });
    });
  }

  void address_failed(const boost::system::error_code& reason) {
    const auto self = shared_from_this();
    address_timer_.reset();
    boost::system::error_code ignored;
    if (auto socket = std::exchange(socket_, nullptr)) socket->close(ignored);
    // No other address needs less.
    if (is_resource_exhaustion(reason)) return fail(io_error(step_, reason));
    if (next_address_ < addresses_.size()) return try_next_address();
    std::string step = step_;
    if (addresses_.size() > 1) step += " (the last of " + std::to_string(addresses_.size()) + " addresses)";
    if (reason == boost::asio::error::timed_out) return fail(timed_out(step, "no answer"));
    fail(transport_error(step, reason_text(reason)));
  }

  void connected() {
    if (!tunnel_) return secure();
    step_ = "asking proxy " + route_->proxy->host_port() + " for a tunnel to " + route_->server.host_port();
    tunnel_request_ =
        std::make_shared<ProxyTunnel>(*socket_, route_->server.host_port(), route_->proxy->basic_authorization());
    tunnel_request_->start([self = shared_from_this()](const std::optional<Error>& error) {
      if (!self->done_) return;
      self->guarded([&] {
        if (error) return self->fail(error->within(self->step_));
        self->secure();
      });
    });
  }

  void secure() {
    if (!route_->tls) return succeed(plain_stream(std::move(*std::exchange(socket_, nullptr))));
    step_ = "TLS handshake with " + route_->peer();
    {
      const TlsUse use;
      if (use) tls_ = route_->tls->open(std::move(*std::exchange(socket_, nullptr)), route_->server.host);
    }
    if (!tls_) return fail(tls_unusable(step_));
    tls_->handshake([self = shared_from_this()](const boost::system::error_code& ec) {
      if (!self->done_) return;
      self->guarded([&] {
        if (ec) return self->fail(self->handshake_error(ec));
        self->succeed(std::exchange(self->tls_, nullptr));
      });
    });
  }

  Error handshake_error(const boost::system::error_code& ec) const {
    const TlsUse use;
    const long verified = use ? SSL_get_verify_result(tls_->ssl()) : X509_V_OK;
    // Any other end of the connection, in order or not, says nothing about TLS: a gateway that restarts ends it here.
    if (ec.category() != boost::asio::error::get_ssl_category()) return io_error(step_, ec);
    if (tls_->was_answered_in_http()) {
      return tls_failure(step_, "the server answered in HTTP without TLS; expected TLS, since the URL is https");
    }
    if (verified == X509_V_OK) return io_error(step_, ec);
    if (verified == X509_V_ERR_OUT_OF_MEM) return io_error(step_, boost::asio::error::no_memory);
    // The system's CAs are read as they are needed, and what cannot be read is missing in silence.
    if (const int lacking = route_->tls->system_cas() ? lack_of_descriptors() : 0) {
      return resource_exhausted(step_ + ": reading the system's CA certificates", lacking);
    }
    std::string reason = "the server's certificate failed the check for " + tls_->server_name() + ": " +
                         X509_verify_cert_error_string(verified);
    if (!tls_->names_of_server().empty()) reason += "; " + tls_->names_of_server();
    return tls_failure(step_, reason);
  }

  void time_is_up() {
    const auto self = shared_from_this();
    fail(timed_out(step_, "not done within " + duration_text(route_->connect_timeout.count())));
  }

  void fail(Error error) {
    const auto self = shared_from_this();
    const Done done = std::exchange(done_, nullptr);
    abandon();
    if (done) done(std::move(error));
  }

  void succeed(Stream stream) {
    const auto self = shared_from_this();
    const Done done = std::exchange(done_, nullptr);
    timer_.reset();
    done(std::move(stream));
  }

  const std::shared_ptr<const Route> route_;
  const bool tunnel_;
  Done done_;
  std::string step_;
  std::optional<Instant> deadline_;
  std::unique_ptr<Timer> timer_;
  std::unique_ptr<Timer> address_timer_;
  PendingCall lookup_;
  Addresses addresses_;
  std::size_t next_address_ = 0;
  std::shared_ptr<tcp::socket> socket_;
  std::shared_ptr<ProxyTunnel> tunnel_request_;
  std::shared_ptr<TlsStream> tls_;
};

Dial::Dial(std::shared_ptr<const Route> route, bool tunnel, Done done)
    : steps_(std::make_shared<Steps>(std::move(route), tunnel, std::move(done))) {
  try {
    steps_->start();
  } catch (...) {
    // There will be no Dial to destroy, and what was begun must not call back.
    steps_->abandon();
    throw;
  }
}

Dial::~Dial() {
  KSR_ASSERT_ON_THREAD(steps_->executor());
  steps_->abandon();
}

}  // namespace ksr::transport
