#include "transport/real_transport.hpp"

#include <cpprest/http_client.h>

#include <utility>

#include "transport/header_rules.hpp"
#include "transport/http_exchange.hpp"
#include "transport/route.hpp"
#include "transport/websocket_exchange.hpp"

namespace ksr::transport {
namespace {

using web::http::client::http_client;
using web::http::client::http_client_config;

// A request that cannot be sent. The observer hears of it later, as of every other end.
class RefusedExchange final : public Exchange {
 public:
  RefusedExchange(Executor& executor, Error error, ExchangeObserver& observer)
      : observer_(std::make_shared<ExchangeObserver*>(&observer)) {
    executor.post([told = observer_, error = std::move(error)] {
      if (*told != nullptr) std::exchange(*told, nullptr)->on_end(error);
    });
  }
  ~RefusedExchange() override { *observer_ = nullptr; }
  RefusedExchange(const RefusedExchange&) = delete;
  RefusedExchange& operator=(const RefusedExchange&) = delete;

 private:
  const std::shared_ptr<ExchangeObserver*> observer_;
};

http_client_config without_redirects() {
  http_client_config config;
  // cpprestsdk would send the Authorization header along to any host it is redirected to.
  config.set_max_redirects(0);
  return config;
}

class RealConnection final : public Connection {
 public:
  explicit RealConnection(std::shared_ptr<const Route> route)
      : route_(std::move(route)), client_(web::uri(route_->server.origin()), without_redirects()) {}

  std::unique_ptr<Exchange> get(Request request, ExchangeObserver& observer) override {
    if (auto error = check_request(request, false)) return refuse(std::move(*error), observer);
    return start_get(client_, route_, std::move(request), observer);
  }

  std::unique_ptr<Exchange> open_websocket(Request request, ExchangeObserver& observer) override {
    if (auto error = check_request(request, true)) return refuse(std::move(*error), observer);
    return start_websocket(route_, std::move(request), observer);
  }

 private:
  std::unique_ptr<Exchange> refuse(Error error, ExchangeObserver& observer) {
    return std::make_unique<RefusedExchange>(route_->executor, std::move(error), observer);
  }

  const std::shared_ptr<const Route> route_;
  // Its pool is this connection's alone: the credentials of two settings never share a socket.
  http_client client_;
};

class RealTransport final : public Transport {
 public:
  explicit RealTransport(LookUp look_up)
      : resolver_(std::make_shared<DnsResolver>(NetworkThread::instance(), std::move(look_up))) {}

  Expected<std::shared_ptr<Connection>> connect(const ConnectionSettings& settings) override {
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
