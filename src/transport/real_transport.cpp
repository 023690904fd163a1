#include "transport/real_transport.hpp"

#include <utility>

#include "base/cancellable_callback.hpp"
#include "base/thread_check.hpp"
#include "transport/header_rules.hpp"
#include "transport/http_exchange.hpp"
#include "transport/route.hpp"
#include "transport/websocket_exchange.hpp"

namespace ksr::transport {
namespace {

// A request that cannot be sent. The observer is notified later, as of every other end.
class RefusedExchange final : public Exchange {
 public:
  RefusedExchange(Executor& executor, Error error, ExchangeObserver& observer) {
    const CancellableCallback<void(const Error&)> end([&observer](const Error& why) { observer.on_end(why); });
    pending_ = end.handle();
    executor.post([end, error = std::move(error)] { end(error); });
  }

 private:
  PendingCall pending_;
};

// CONNECT and TRACE have answers of their own kind.
std::optional<Error> check_method(const std::string& method) {
  if (is_token(method) && method != "CONNECT" && method != "TRACE") return std::nullopt;
  return Error{Status::invalid, "request method: expected a token such as GET or POST, not CONNECT or TRACE"};
}

class RealConnection final : public Connection {
 public:
  explicit RealConnection(const std::shared_ptr<const Route>& route) : route_(route), http_(route) {}
  ~RealConnection() override { KSR_ASSERT_ON_THREAD(route_->executor); }
  RealConnection(const RealConnection&) = delete;
  RealConnection& operator=(const RealConnection&) = delete;

  std::unique_ptr<Exchange> send(Request request, ExchangeObserver& observer) override {
    KSR_ASSERT_ON_THREAD(route_->executor);
    if (auto error = check_method(request.method)) return refuse(std::move(*error), observer);
    if (auto error = check_request(request, false)) return refuse(std::move(*error), observer);
    return http_.start(std::move(request), observer).exchange;
  }

  std::unique_ptr<Exchange> open_websocket(Request request, ExchangeObserver& observer) override {
    KSR_ASSERT_ON_THREAD(route_->executor);
    if (auto error = check_request(request, true)) return refuse(std::move(*error), observer);
    return start_websocket(route_, std::move(request), observer, http_.pool());
  }

 private:
  std::unique_ptr<Exchange> refuse(Error error, ExchangeObserver& observer) {
    return std::make_unique<RefusedExchange>(route_->executor, std::move(error), observer);
  }

  const std::shared_ptr<const Route> route_;
  HttpClient http_;
};

class RealTransport final : public Transport {
 public:
  explicit RealTransport(LookUp look_up)
      : resolver_(std::make_shared<DnsResolver>(NetworkThread::instance(), std::move(look_up))) {}

  Expected<std::shared_ptr<Connection>> connect(const ConnectionSettings& settings) override {
    KSR_ASSERT_ON_THREAD(NetworkThread::instance());
    Route route{NetworkThread::instance(), resolver_, settings.server, settings.proxy, {}, settings.connect_timeout};
    if (route.server.secure()) {
      auto tls = TlsContext::make(settings.tls);
      if (!tls) return std::move(tls).error();
      route.tls = std::move(tls).value();
    }
    return std::shared_ptr<Connection>(
        std::make_shared<RealConnection>(std::make_shared<const Route>(std::move(route))));
  }

 private:
  const std::shared_ptr<DnsResolver> resolver_;
};

}  // namespace

Transport& real_transport() {
  static Transport* const leaked = new RealTransport(look_up_with_the_system);
  return *leaked;
}

std::unique_ptr<Transport> make_transport(LookUp look_up) {
  return std::make_unique<RealTransport>(std::move(look_up));
}

}  // namespace ksr::transport
