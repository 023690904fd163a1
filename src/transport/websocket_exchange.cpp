#include "transport/websocket_exchange.hpp"

#include <cpprest/ws_client.h>
#include <algorithm>

#include <utility>

#include "base/text.hpp"
#include "transport/failures.hpp"
#include "transport/header_rules.hpp"

namespace ksr::transport {
namespace {

using Client = web::websockets::client::websocket_callback_client;
using ClientConfig = web::websockets::client::websocket_client_config;

// Above the largest object that ksr takes, whatever max_object_size says.
constexpr std::size_t kMaxMessageSize = 256u * 1024 * 1024;
// Why the server refused is worth a moment, not more.
constexpr std::size_t kMaxRefusalSize = 1024 * 1024;
constexpr Milliseconds kMaxRefusalTime{5000};

// Close codes of RFC 6455, section 7.4.1.
constexpr int kNormalClosure = 1000;
constexpr int kGoingAway = 1001;
constexpr int kNoStatus = 1005;

class WebSocketDriver final : public web::websocket_driver, public ExchangeDriver {
 public:
  WebSocketDriver(std::shared_ptr<const Route> route, Request request, ExchangeObserver& observer)
      : ExchangeDriver(std::move(route), std::move(request), observer, true) {}

  void start();

  void connect(connected done) override { dial(true, std::move(done)); }
  std::string request_head() override;
  void attached(std::shared_ptr<web::connected_stream> stream) override { on_attached(std::move(stream)); }
  reading receive(const char* data, std::size_t size) override { return on_receive(data, size); }
  reading end_of_stream() override { return on_end_of_stream(); }
  void broken(const boost::system::error_code& reason, bool while_writing) override {
    on_broken(reason, while_writing);
  }
  void finished() override { on_finished(); }
  void threw() override { on_exception(); }

  answer answered() const override { return answer_; }
  void opened() override;
  void message(const std::string& payload) override;
  void drained() override { on_drained(); }
  void pong() override { pong_timer_.reset(); }
  void closed(int code, const std::string& reason) override;
  void violated(const std::string& what) override { end(protocol_error("WebSocket of " + peer(), one_line(what))); }

 private:
  void release() override;
  bool take_head(ResponseHead head) override;
  bool take_body(std::string_view bytes) override;
  void ping_later();
  void ping();

  std::shared_ptr<Client> client_;
  std::function<void()> drop_client_;
  answer answer_ = answer::unknown;
  ResponseHead accepted_head_;
  std::size_t refusal_size_ = 0;
  std::unique_ptr<Timer> refusal_timer_;
  std::unique_ptr<Timer> ping_timer_;
  std::unique_ptr<Timer> pong_timer_;
};

void WebSocketDriver::start() {
  ClientConfig config;
  config.set_driver(std::static_pointer_cast<WebSocketDriver>(shared_from_this()));
  config.set_max_message_size(kMaxMessageSize);
  for (const std::string& subprotocol : list_parts(request_.subprotocol)) config.add_subprotocol(subprotocol);
  client_ = std::make_shared<Client>(std::move(config));
  const Url& server = route_->server;
  // Made now: letting go of the client must not need memory.
  drop_client_ = [client = client_] {};
  // The driver hears of every end. The task is never fulfilled, and nothing may wait for it: a continuation would be
  // scheduled by the client's destructor.
  client_->connect(web::uri((server.secure() ? "wss://" : "ws://") + server.authority() + target()));
}

std::string WebSocketDriver::request_head() {
  return "Origin: " + route_->server.origin() + "\r\n" + request_lines();
}

bool WebSocketDriver::take_head(ResponseHead head) {
  if (head.status == 101) {
    answer_ = answer::accepted;
    accepted_head_ = std::move(head);
    return true;
  }
  answer_ = answer::refused;
  // What comes of the body within the time is what could be had.
  refusal_timer_ = route_->executor.schedule(route_->executor.now() + kMaxRefusalTime,
                                             [this] { guarded([this] { end(std::nullopt); }); });
  return ExchangeDriver::take_head(std::move(head));
}

bool WebSocketDriver::take_body(std::string_view bytes) {
  refusal_size_ += bytes.size();
  if (refusal_size_ > kMaxRefusalSize) {
    end(std::nullopt);
    return false;
  }
  return ExchangeDriver::take_body(bytes);
}

void WebSocketDriver::opened() {
  if (ended()) return;
  // RFC 6455, section 4.1: a subprotocol that was not asked for fails the connection.
  const std::string chosen = joined_values(accepted_head_, "sec-websocket-protocol");
  const std::vector<std::string> offered = list_parts(request_.subprotocol);
  if (!chosen.empty() && std::find(offered.begin(), offered.end(), chosen) == offered.end()) {
    return violated("the server chose subprotocol " + one_line(chosen) + ", which was not asked for");
  }
  tell_head(accepted_head_);
  if (!ended() && request_.ping_interval.count() != 0) ping_later();
}

void WebSocketDriver::message(const std::string& payload) {
  if (ended()) return;
  heard();
  if (payload.empty() || tell_body(payload)) tell_message_end();
}

void WebSocketDriver::ping_later() {
  ping_timer_ = route_->executor.schedule(route_->executor.now() + request_.ping_interval,
                                          [this] { guarded([this] { ping(); }); });
}

// One at a time: while a ping is unanswered no other is sent, so that none queues up behind a peer that does not read.
void WebSocketDriver::ping() {
  if (!pong_timer_) {
    if (!client_->ping()) return end(transport_error("WebSocket of " + peer(), "a ping could not be sent"));
    pong_timer_ = route_->executor.schedule(route_->executor.now() + request_.pong_timeout, [this] {
      guarded([this] {
        end(timed_out("WebSocket of " + peer(), "no pong within " + duration_text(request_.pong_timeout.count())));
      });
    });
  }
  ping_later();
}

void WebSocketDriver::closed(int code, const std::string& reason) {
  if (code == kNormalClosure || code == kGoingAway || code == kNoStatus) return end(std::nullopt);
  std::string what = "the server closed it with code " + std::to_string(code);
  if (!reason.empty()) what += " (" + one_line(reason) + ")";
  end(transport_error("WebSocket of " + peer(), what));
}

void WebSocketDriver::release() {
  refusal_timer_.reset();
  ping_timer_.reset();
  pong_timer_.reset();
  if (!client_) return;
  client_->abort();
  client_.reset();
  // websocketpp may be the one who called; it must find its client when it is returned to.
  if (drop_client_) route_->executor.post(std::exchange(drop_client_, nullptr));
}

}  // namespace

std::unique_ptr<Exchange> start_websocket(std::shared_ptr<const Route> route, Request request,
                                          ExchangeObserver& observer) {
  auto driver = std::make_shared<WebSocketDriver>(std::move(route), std::move(request), observer);
  WebSocketDriver& started = *driver;
  // Held before it starts: whatever is thrown from here on, the observer hears nothing more.
  std::unique_ptr<Exchange> held = hold(std::move(driver));
  started.start();
  return held;
}

}  // namespace ksr::transport
