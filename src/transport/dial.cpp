#include "transport/dial.hpp"

#include <openssl/x509_vfy.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

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

// Happy Eyeballs: an address that drops packets must not delay the next ones (RFC 8305, section 5).
constexpr Milliseconds kAttemptDelay{250};
// At so many addresses the first one has had 2 s, in which it may have repeated its SYN once (RFC 6298).
constexpr std::size_t kMaxAttempts = 8;
constexpr std::size_t kMaxToldAddresses = 4;

// The families take turns, so that one that does not work as a whole delays the other one once (RFC 8305, section 4).
// Within a family the order of RFC 6724 stays, in which the system lists them.
Addresses interleaved(Addresses addresses) {
  const auto same = [first = addresses.front().is_v6()](const auto& address) { return address.is_v6() == first; };
  const auto others = std::stable_partition(addresses.begin(), addresses.end(), same);
  Addresses turns;
  turns.reserve(addresses.size());
  auto of_first = addresses.begin();
  auto of_second = others;
  while (of_first != others || of_second != addresses.end()) {
    if (of_first != others) turns.push_back(*of_first++);
    if (of_second != addresses.end()) turns.push_back(*of_second++);
  }
  return turns;
}

std::string joined(const std::vector<std::string>& told, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < std::min(told.size(), kMaxToldAddresses); ++i) {
    if (i > 0) text += separator;
    text += told[i];
  }
  if (told.size() > kMaxToldAddresses) {
    text.append(separator) += std::to_string(told.size() - kMaxToldAddresses) + " more";
  }
  return text;
}

}  // namespace

class Dial::Steps final : public std::enable_shared_from_this<Dial::Steps> {
 public:
  Steps(std::shared_ptr<const Route> route, std::optional<Milliseconds> tunnel, Done done)
      : route_(std::move(route)),
        tunnel_(route_->proxy && (tunnel || route_->tls)),
        tunnel_limit_(route_->tls ? Milliseconds(0) : tunnel.value_or(Milliseconds(0))),
        done_(std::move(done)) {}

  Executor& executor() const { return route_->executor; }

  void start() {
    Executor& executor = route_->executor;
    step_ = "connecting to " + route_->next_hop();
    if (route_->connect_timeout.count() != 0) {
      timer_ =
          executor.schedule(executor.now() + route_->connect_timeout, [this] { guarded([this] { time_is_up(); }); });
    }
    const std::string& host = route_->proxy ? route_->proxy->host : route_->server.host;
    boost::system::error_code not_literal;
    const auto literal = boost::asio::ip::make_address(host, not_literal);
    if (!not_literal) {
      addresses_ = {literal};
      executor.post([self = shared_from_this()] { self->guarded([&] { self->attempt_next(); }); });
      return;
    }
    step_ = "resolving " + host;
    lookup_ = route_->resolver->resolve(host, [self = shared_from_this()](Expected<Addresses> outcome) {
      if (!self->done_) return;
      self->guarded([&] {
        if (!outcome) return self->fail(self->name_error(std::move(outcome).error()));
        self->step_ = "connecting to " + self->route_->next_hop();
        self->is_name_ = true;
        self->addresses_ = interleaved(std::move(outcome).value());
        self->attempt_next();
      });
    });
  }

  // `done` is not called any more.
  void abandon() {
    done_ = nullptr;
    timer_.reset();
    tunnel_timer_.reset();
    lookup_.cancel();
    drop_attempts();
    boost::system::error_code ignored;
    if (tunnel_request_) tunnel_request_->abandon();
    if (socket_) socket_->close(ignored);
    if (tls_) tls_->close();
  }

  std::string step() const {
    if (attempts_.empty() || !is_name_) return step_;
    std::vector<std::string> told;
    for (const Attempt& attempt : attempts_) told.push_back(attempt.address.to_string());
    return step_ + " at " + joined(told, ", ");
  }

 private:
  struct Attempt {
    boost::asio::ip::address address;
    std::shared_ptr<tcp::socket> socket;
  };
  struct Failure {
    boost::asio::ip::address address;
    boost::system::error_code reason;
  };

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

  void attempt_next() {
    if (!done_) return;
    attempt_timer_.reset();
    attempts_.reserve(kMaxAttempts);
    while (next_address_ < addresses_.size()) {
      if (attempts_.size() == kMaxAttempts) give_up(attempts_.begin(), boost::asio::error::timed_out);
      const auto address = addresses_[next_address_];
      const tcp::endpoint endpoint(address, route_->proxy ? route_->proxy->port : route_->server.port);
      auto opened = open_socket(endpoint);
      if (opened) {
        ++next_address_;
        return attempt(endpoint, std::make_shared<tcp::socket>(std::move(opened).value()));
      }
      if (is_resource_exhaustion(opened.error())) {
        // No other address needs less. What is under way has what it needs.
        if (attempts_.empty()) return fail(io_error(step_, opened.error()));
        return attempt_later();
      }
      ++next_address_;
      failures_.push_back({address, opened.error()});
    }
    if (attempts_.empty()) fail(all_failed());
  }

  void attempt(const tcp::endpoint& endpoint, const std::shared_ptr<tcp::socket>& socket) {
    attempts_.push_back({endpoint.address(), socket});
    attempt_later();
    socket->async_connect(endpoint, [self = shared_from_this(), socket](const boost::system::error_code& ec) {
      const auto at = self->attempt_of(socket);
      if (!self->done_ || at == self->attempts_.end()) return;
      self->guarded([&] {
        if (ec) return self->attempt_failed(at, ec);
        self->socket_ = socket;
        self->attempts_.erase(at);
        self->drop_attempts();
        self->connected();
      });
    });
  }

  void attempt_later() {
    if (next_address_ == addresses_.size()) return;
    attempt_timer_ = route_->executor.schedule(route_->executor.now() + kAttemptDelay,
                                               [this] { guarded([this] { attempt_next(); }); });
  }

  std::vector<Attempt>::iterator attempt_of(const std::shared_ptr<tcp::socket>& socket) {
    return std::find_if(attempts_.begin(), attempts_.end(),
                        [&](const Attempt& attempt) { return attempt.socket == socket; });
  }

  void attempt_failed(std::vector<Attempt>::iterator at, const boost::system::error_code& reason) {
    give_up(at, reason);
    if (is_resource_exhaustion(reason) && attempts_.empty()) return fail(io_error(step_, reason));
    attempt_next();
  }

  void give_up(std::vector<Attempt>::iterator at, const boost::system::error_code& reason) {
    boost::system::error_code ignored;
    at->socket->close(ignored);
    failures_.push_back({at->address, reason});
    attempts_.erase(at);
  }

  void drop_attempts() {
    attempt_timer_.reset();
    boost::system::error_code ignored;
    for (const Attempt& attempt : attempts_) attempt.socket->close(ignored);
    attempts_.clear();
  }

  Error all_failed() const {
    std::vector<std::string> told;
    bool no_answer = true;
    for (const auto& [address, reason] : failures_) {
      if (is_resource_exhaustion(reason)) return io_error(step_, reason);
      const bool silent = reason == boost::asio::error::timed_out;
      no_answer = no_answer && silent;
      const std::string why = silent ? "no answer" : reason_text(reason);
      told.push_back(addresses_.size() > 1 ? address.to_string() + ": " + why : why);
    }
    const std::string what = joined(told, "; ");
    return no_answer ? timed_out(step_, what) : transport_error(step_, what);
  }

  void connected() {
    if (!tunnel_) return secure();
    step_ = "asking proxy " + route_->proxy->host_port() + " for a tunnel to " + route_->server.host_port();
    if (tunnel_limit_.count() != 0) {
      tunnel_timer_ = route_->executor.schedule(route_->executor.now() + tunnel_limit_, [this] {
        guarded([this] { fail(timed_out(step_, "no answer within " + duration_text(tunnel_limit_.count()))); });
      });
    }
    tunnel_request_ =
        std::make_shared<ProxyTunnel>(*socket_, route_->server.host_port(), route_->proxy->basic_authorization());
    tunnel_request_->start([self = shared_from_this()](const std::optional<Error>& error) {
      if (!self->done_) return;
      self->guarded([&] {
        self->tunnel_timer_.reset();
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
    fail(timed_out(step(), "not done within " + duration_text(route_->connect_timeout.count())));
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
  const Milliseconds tunnel_limit_;
  Done done_;
  std::string step_;
  std::unique_ptr<Timer> timer_;
  std::unique_ptr<Timer> attempt_timer_;
  std::unique_ptr<Timer> tunnel_timer_;
  PendingCall lookup_;
  Addresses addresses_;
  bool is_name_ = false;  // of them
  std::size_t next_address_ = 0;
  // Oldest first.
  std::vector<Attempt> attempts_;
  std::vector<Failure> failures_;
  std::shared_ptr<tcp::socket> socket_;
  std::shared_ptr<ProxyTunnel> tunnel_request_;
  std::shared_ptr<TlsStream> tls_;
};

Dial::Dial(std::shared_ptr<const Route> route, std::optional<Milliseconds> tunnel, Done done)
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

std::string Dial::step() const {
  return steps_->step();
}

}  // namespace ksr::transport
