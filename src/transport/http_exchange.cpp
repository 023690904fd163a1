#include "transport/http_exchange.hpp"

#include <utility>

namespace ksr::transport {
namespace {

class HttpDriver final : public web::connection_driver, public ExchangeDriver {
 public:
  HttpDriver(std::shared_ptr<const Route> route, Request request, ExchangeObserver& observer)
      : ExchangeDriver(std::move(route), std::move(request), observer, false) {}

  void connect(connected done) override { dial(false, std::move(done)); }
  std::string request_head() override;
  void attached(std::shared_ptr<web::connected_stream> stream) override { on_attached(std::move(stream)); }
  reading receive(const char* data, std::size_t size) override { return on_receive(data, size); }
  reading end_of_stream() override { return on_end_of_stream(); }
  void broken(const boost::system::error_code& reason, bool while_writing) override {
    on_broken(reason, while_writing);
  }
  void finished() override { on_finished(); }
  void threw() override { on_exception(); }

 private:
  void release() override {}
};

std::string HttpDriver::request_head() {
  const Url& server = route_->server;
  // A proxy forwards plain requests by their full URL (RFC 9112, section 3.2.2); TLS goes through a tunnel.
  const bool forwarded = route_->proxy && !server.secure();
  std::string head = "GET " + (forwarded ? server.origin() : "") + target() + " HTTP/1.1\r\n";
  head += "Host: " + server.authority() + "\r\n";
  if (forwarded && !route_->proxy->userinfo.empty()) {
    head += "Proxy-Authorization: " + route_->proxy->basic_authorization() + "\r\n";
  }
  if (request_.accept_gzip) head += "Accept-Encoding: gzip\r\n";
  return head + request_lines() + "\r\n";
}

}  // namespace

std::unique_ptr<Exchange> start_get(web::http::client::http_client& client, std::shared_ptr<const Route> route,
                                    Request request, ExchangeObserver& observer) {
  auto driver = std::make_shared<HttpDriver>(std::move(route), std::move(request), observer);
  web::http::http_request message(web::http::methods::GET);
  message.set_connection_driver(driver);
  // Held before it starts: whatever is thrown from here on, the observer hears nothing more.
  std::unique_ptr<Exchange> held = hold(std::move(driver));
  // The driver hears of every end; the task only has to be observed.
  client.request(message).then([](const pplx::task<web::http::http_response>& outcome) {
    try {
      outcome.get();
    } catch (...) {
    }
  });
  return held;
}

}  // namespace ksr::transport
