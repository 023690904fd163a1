// `HttpClient` sends the requests of one Connection through cpprestsdk's http_client; used by RealConnection. The
// http_client's pipeline ends in `HttpStage`, which does the I/O. Lives on the network thread.
#pragma once

#include <cpprest/http_client.h>

#include <memory>

#include "transport/connection_pool.hpp"
#include "transport/exchange_driver.hpp"

namespace ksr::transport {

class HttpExchange;

// The stage that http_client::add_handler adds. It takes method, URI and headers from the http_request, and the body
// where it lies, in the exchange; it connects, sends, reads, and never calls the next stage. The task that it returns
// has the http_response, with status and headers, once the head has arrived; the body goes to the ExchangeObserver, for
// which an http_request has no place.
class HttpStage final : public web::http::http_pipeline_stage {
 public:
  explicit HttpStage(std::shared_ptr<const Route> route);

  // Of the http_request that http_client::request gets next: the exchange that carries it.
  void expect(std::shared_ptr<HttpExchange> exchange) { next_exchange_ = std::move(exchange); }
  pplx::task<web::http::http_response> propagate(web::http::http_request request) override;
  const std::shared_ptr<ConnectionPool>& pool() const { return pool_; }

 private:
  const std::shared_ptr<const Route> route_;
  // This connection's alone: the credentials of two settings never share a socket.
  const std::shared_ptr<ConnectionPool> pool_;
  std::shared_ptr<HttpExchange> next_exchange_;
};

class HttpClient {
 public:
  explicit HttpClient(std::shared_ptr<const Route> route);

  struct Started {
    std::unique_ptr<Exchange> exchange;
    // Never completes when the exchange ends without a head.
    pplx::task<web::http::http_response> response;
  };
  Started start(Request request, ExchangeObserver& observer);
  const std::shared_ptr<ConnectionPool>& pool() const { return stage_->pool(); }

 private:
  const std::shared_ptr<const Route> route_;
  const std::shared_ptr<HttpStage> stage_;
  web::http::client::http_client client_;
};

}  // namespace ksr::transport
