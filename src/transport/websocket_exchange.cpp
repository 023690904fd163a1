#include "transport/websocket_exchange.hpp"

#include <cpprest/ws_client.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "base/thread_check.hpp"
#include "transport/failures.hpp"
#include "transport/header_rules.hpp"
#include "transport/sockets.hpp"

namespace ksr::transport {
namespace {

using Client = web::websockets::client::websocket_callback_client;
using ClientConfig = web::websockets::client::websocket_client_config;

// What may wait to be sent, and what a message counts in addition to its payload.
constexpr std::size_t kMaxQueuedSize = std::size_t{1024} * 1024;
constexpr std::size_t kMessageOverhead = 64;

// Close codes of RFC 6455, section 7.4.1.
constexpr int kNormalClosure = 1000;
constexpr int kGoingAway = 1001;
constexpr int kNoStatus = 1005;

// Reads nothing while it is paused.
class PausableStream final : public web::connected_stream, public std::enable_shared_from_this<PausableStream> {
 public:
  explicit PausableStream(std::shared_ptr<web::connected_stream> stream) : stream_(std::move(stream)) {}

  void read_some(void* data, std::size_t size, handler done) override {
    if (!paused_) return stream_->read_some(data, size, std::move(done));
    waiting_ = {data, size, std::move(done)};
  }
  void write_all(std::string data, handler done) override { stream_->write_all(std::move(data), std::move(done)); }
  bool at_rest() noexcept override { return stream_->at_rest(); }
  // A read that waits is dropped: this is called when nothing is delivered any more.
  void close() noexcept override {
    const auto self = weak_from_this().lock();  // noexcept, unlike shared_from_this()
    const Read dropped = std::exchange(waiting_, {});
    stream_->close();
  }
  int native_handle() noexcept override { return stream_->native_handle(); }

  void pause() { paused_ = true; }
  void resume() {
    paused_ = false;
    if (!waiting_.done) return;
    Read next = std::exchange(waiting_, {});
    stream_->read_some(next.data, next.size, std::move(next.done));
  }

 private:
  struct Read {
    void* data = nullptr;
    std::size_t size = 0;
    handler done = nullptr;
  };

  const std::shared_ptr<web::connected_stream> stream_;
  Read waiting_;
  bool paused_ = false;
};

class WebSocketDriver final : public ExchangeDriver, public web::websocket_driver {
 public:
  WebSocketDriver(std::shared_ptr<const Route> route, Request request, ExchangeObserver& observer,
                  std::weak_ptr<ConnectionPool> idle)
      : ExchangeDriver(std::move(route), std::move(request), observer, true) {
    idle_connections_ = std::move(idle);
  }

  void start();
  SendStatus send(std::string_view message, MessageType type, std::function<void()>&& written);
  std::size_t unsent() const noexcept { return queued_.size() - (is_sending_ ? 1 : 0); }
  void close(int code, std::string_view reason);
  void pause() override;
  void resume() override;

  void connect(connected done) override;
  std::string header_lines() override;
  answer answered() const override { return answer_; }
  std::string accepted_head() const override;
  std::size_t bytes_after_head() const override { return unread_bytes(); }
  void opened() override;
  void message_part(const std::string& bytes) override;
  void message(const std::string& payload, bool is_text) override;
  void drained() override { notify_drained(); }
  void pong() override;
  void sending() override { is_sending_ = true; }
  void sent() override;
  void closed(int code, const std::string& reason) override;
  void protocol_violated(const std::string& what) override;
  void frame_too_large() override;
  void stream_failed(const boost::system::error_code& reason, bool while_writing) override;

 private:
  struct QueuedMessage {
    std::size_t size;
    std::function<void()> written;
  };

  void release() override;
  bool take_head(ResponseHead head) override;
  bool take_body(std::string_view bytes) override;
  void ping_later();
  void ping();
  void await_pong();
  void check_acknowledgements_later();
  void check_acknowledgements();
  void violated(const std::string& what);
  std::string handshake_problem() const;
  std::string step() const { return "WebSocket of " + peer(); }

  std::shared_ptr<Client> client_;
  std::function<void()> release_client_;
  answer answer_ = answer::unknown;
  ResponseHead accepted_head_;
  bool is_open_ = false;
  bool is_closing_ = false;
  std::size_t refusal_size_ = 0;
  // Not yet written, oldest first.
  std::deque<QueuedMessage> queued_;
  std::size_t queued_size_ = 0;
  bool is_sending_ = false;  // the oldest one
  std::unique_ptr<Timer> refusal_timer_;
  std::unique_ptr<Timer> close_timer_;
  std::unique_ptr<Timer> ping_timer_;
  std::unique_ptr<Timer> pong_timer_;
  std::unique_ptr<Timer> acknowledgement_timer_;
  // Data waits for the peer, which has acknowledged nothing since.
  std::optional<Instant> unacknowledged_since_;
  std::shared_ptr<PausableStream> pausable_;
  Instant pinged_{};
  bool is_pinging_ = false;  // a ping is unanswered
  bool sent_since_pong_ = false;
};

class HeldWebSocket final : public Exchange {
 public:
  explicit HeldWebSocket(std::shared_ptr<WebSocketDriver> driver) : driver_(std::move(driver)) {}
  ~HeldWebSocket() override {
    KSR_ASSERT_ON_THREAD(driver_->executor());
    driver_->abandon();
  }
  HeldWebSocket(const HeldWebSocket&) = delete;
  HeldWebSocket& operator=(const HeldWebSocket&) = delete;

  bool is_sent() const noexcept override { return driver_->is_sent(); }
  std::string connecting() const override { return driver_->connecting(); }
  std::size_t unsent() const noexcept override { return driver_->unsent(); }
  SendStatus send(std::string_view message, MessageType type, std::function<void()>&& written) override {
    const auto driver = driver_;
    return driver->send(message, type, std::move(written));
  }
  void close(int code, std::string_view reason) override {
    const auto driver = driver_;
    driver->close(code, reason);
  }
  void pause() override { driver_->pause(); }
  void resume() override {
    const auto driver = driver_;
    driver->resume();
  }

 private:
  const std::shared_ptr<WebSocketDriver> driver_;
};

void WebSocketDriver::start() {
  ClientConfig config;
  config.set_driver(std::static_pointer_cast<WebSocketDriver>(shared_from_this()));
  config.set_max_message_size(request_.max_frame);
  client_ = std::make_shared<Client>(std::move(config));
  const Url& server = route_->server;
  // Made now: releasing the client must not need memory.
  release_client_ = [client = client_] {};
  // The driver receives every end. The task is never completed, and nothing may wait for it: a continuation would be
  // scheduled by the client's destructor.
  client_->connect(web::uri((server.secure() ? "wss://" : "ws://") + server.authority() +
                            request_.prefix.value_or(server.prefix) + request_.target));
}

void WebSocketDriver::connect(connected done) {
  ExchangeDriver::connect([this, done = std::move(done)](std::shared_ptr<web::connected_stream> stream) {
    pausable_ = std::make_shared<PausableStream>(std::move(stream));
    done(pausable_);
  });
}

void WebSocketDriver::pause() {
  ExchangeDriver::pause();
  if (pausable_) pausable_->pause();
}

void WebSocketDriver::resume() {
  ExchangeDriver::resume();
  if (ended() || !pausable_) return;
  guarded([this] { pausable_->resume(); });
}

std::string WebSocketDriver::header_lines() {
  std::string lines = "Origin: " + route_->server.origin() + "\r\n";
  // Not by websocketpp: its stream would shorten the list where memory is short.
  if (!request_.subprotocol.empty()) lines += "Sec-WebSocket-Protocol: " + request_.subprotocol + "\r\n";
  for (const Header& header : request_.headers) lines += header.name + ": " + header.value + "\r\n";
  return lines;
}

SendStatus WebSocketDriver::send(std::string_view message, MessageType type, std::function<void()>&& written) {
  KSR_ASSERT_ON_THREAD(executor());
  if (ended() || !is_open_ || is_closing_) return SendStatus::closed;
  const std::size_t size = message.size() + kMessageOverhead;
  if (!queued_.empty() && queued_size_ + size > kMaxQueuedSize) return SendStatus::full;
  sent_since_pong_ = true;
  try {
    queued_.push_back({size, std::move(written)});
    queued_size_ += size;
    web::websockets::client::websocket_outgoing_message outgoing;
    // As unsigned bytes: for a string cpprestsdk takes a buffer of char for one of unsigned char.
    auto body =
        concurrency::streams::bytestream::open_istream(std::vector<unsigned char>(message.begin(), message.end()));
    if (type == MessageType::text) {
      outgoing.set_utf8_message(body, message.size());
    } else {
      outgoing.set_binary_message(body, message.size());
    }
    // sent() reports the end; see start() for why nothing waits for the task.
    client_->send(std::move(outgoing));
  } catch (...) {
    abandon();
    throw;
  }
  return SendStatus::queued;
}

void WebSocketDriver::sent() {
  if (ended() || queued_.empty()) return;
  const QueuedMessage message = std::move(queued_.front());
  queued_.pop_front();
  is_sending_ = false;
  queued_size_ -= message.size;
  if (message.written) message.written();
}

void WebSocketDriver::close(int code, std::string_view reason) {
  KSR_ASSERT_ON_THREAD(executor());
  if (ended() || is_closing_) return;
  is_closing_ = true;
  close_timer_ = route_->executor.schedule(route_->executor.now() + request_.close_timeout,
                                           [this] { guarded([this] { end(std::nullopt); }); });
  try {
    client_->close(static_cast<web::websockets::client::websocket_close_status>(code), std::string(reason));
  } catch (...) {
    abandon();
    throw;
  }
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
  if (refusal_size_ > kMaxRefusedCall) {
    end(std::nullopt);
    return false;
  }
  return ExchangeDriver::take_body(bytes);
}

// Only what websocketpp checks: the answer is as long as the server likes.
std::string WebSocketDriver::accepted_head() const {
  std::string head = "HTTP/1.1 101 Switching Protocols\r\n";
  for (const char* name : {"upgrade", "connection", "sec-websocket-accept"}) {
    const std::string value = joined_values(accepted_head_, name);
    if (!value.empty()) head += name + (": " + value) + "\r\n";
  }
  return head + "\r\n";
}

void WebSocketDriver::opened() {
  if (ended()) return;
  // RFC 6455, section 4.1: an extension or a subprotocol that was not asked for fails the connection.
  if (!list_parts(joined_values(accepted_head_, "sec-websocket-extensions")).empty()) {
    return violated("the server chose an extension, and none was requested");
  }
  const std::string chosen = joined_values(accepted_head_, "sec-websocket-protocol");
  const std::vector<std::string> offered = list_parts(request_.subprotocol);
  if (!chosen.empty() && std::find(offered.begin(), offered.end(), chosen) == offered.end()) {
    return violated("the server chose subprotocol " + from_peer(chosen) + ", which was not requested");
  }
  is_open_ = true;
  notify_head(accepted_head_);
  if (!ended() && request_.ping_interval.count() != 0) ping_later();
  if (ended() || !request_.peer_may_pause) return;
  wait_for_slow_reader(socket());
  check_acknowledgements_later();
}

void WebSocketDriver::check_acknowledgements_later() {
  acknowledgement_timer_ =
      executor().schedule(executor().now() + request_.acknowledgement_limit / 3, [this] { check_acknowledgements(); });
}

// What is sent after a long rest waits for its acknowledgement like any other, although the last one is as old as the
// rest: the time counts from the first look that finds data waiting.
void WebSocketDriver::check_acknowledgements() {
  guarded([this] {
    const Instant now = executor().now();
    const Instant since = unacknowledged_since_.value_or(now);
    const auto waited = std::chrono::duration_cast<Milliseconds>(now - since);
    if (acknowledges(socket(), waited)) {
      unacknowledged_since_.reset();
    } else if (waited >= request_.acknowledgement_limit) {
      const std::string limit = duration_text(request_.acknowledgement_limit.count());
      return end(timed_out(step(), "no acknowledgement within " + limit));
    } else {
      unacknowledged_since_ = since;
    }
    check_acknowledgements_later();
  });
}

void WebSocketDriver::message_part(const std::string& bytes) {
  if (ended()) return;
  note_activity();
  notify_body(bytes);
}

void WebSocketDriver::message(const std::string& payload, bool is_text) {
  if (ended()) return;
  note_activity();
  if (payload.empty() || notify_body(payload)) notify_message_end(is_text ? MessageType::text : MessageType::binary);
}

void WebSocketDriver::ping_later() {
  ping_timer_ = route_->executor.schedule(route_->executor.now() + request_.ping_interval,
                                          [this] { guarded([this] { ping(); }); });
}

// One at a time: while a ping is unanswered no other is sent, so that pings do not pile up for a peer that does not
// read.
void WebSocketDriver::ping() {
  if (!is_pinging_) {
    if (!client_->ping()) return end(transport_error(step(), "sending a ping failed"));
    is_pinging_ = true;
    pinged_ = executor().now();
    if (request_.pong_timeout.count() != 0) await_pong();
  }
  ping_later();
}

void WebSocketDriver::await_pong() {
  pong_timer_ = executor().schedule(executor().now() + request_.pong_timeout, [this] {
    guarded([this] {
      // Nothing is read, so that the pong would not be seen; or the peer may be busy with what was sent.
      if (paused() || (request_.peer_may_pause && (sent_since_pong_ || last_activity() > pinged_))) return await_pong();
      end(timed_out(step(), "no pong within " + duration_text(request_.pong_timeout.count())));
    });
  });
}

void WebSocketDriver::pong() {
  pong_timer_.reset();
  is_pinging_ = false;
  sent_since_pong_ = false;
  notify_pong(std::chrono::duration_cast<std::chrono::microseconds>(executor().now() - pinged_));
}

void WebSocketDriver::protocol_violated(const std::string& what) {
  violated(answer_ == answer::accepted && !is_open_ ? handshake_problem() : what);
}

void WebSocketDriver::violated(const std::string& what) {
  if (is_closing_) return end(std::nullopt);
  end(protocol_error(step(), one_line(what)));
}

// websocketpp has one word for a header that is missing and for one with another value.
std::string WebSocketDriver::handshake_problem() const {
  const auto problem = [this](const std::string& name, const std::string& expected) {
    const std::string value = joined_values(accepted_head_, lower_case(name));
    return value.empty()
               ? "the answer to the handshake has no header " + name
               : "the header " + name + " of the answer to the handshake has the wrong value, expected " + expected;
  };
  if (!has_list_token(joined_values(accepted_head_, "upgrade"), "websocket")) return problem("Upgrade", "websocket");
  if (!has_list_token(joined_values(accepted_head_, "connection"), "upgrade")) return problem("Connection", "Upgrade");
  return problem("Sec-WebSocket-Accept", "that of the key that was sent");
}

void WebSocketDriver::frame_too_large() {
  if (is_closing_) return end(std::nullopt);
  end(Error{Status::too_large,
            step() + ": a frame of the server is longer than " + std::to_string(request_.max_frame) + " bytes", "",
            502});
}

void WebSocketDriver::stream_failed(const boost::system::error_code& reason, bool while_writing) {
  if (is_closing_) return end(std::nullopt);
  ExchangeDriver::stream_failed(reason, while_writing);
}

void WebSocketDriver::closed(int code, const std::string& reason) {
  if (is_closing_) return end(std::nullopt);
  notify_close(code, reason);
  if (code == kNormalClosure || code == kGoingAway || code == kNoStatus) return end(std::nullopt);
  std::string what = "the server closed it with code " + std::to_string(code);
  if (!reason.empty()) what += " (" + from_peer(reason) + ")";
  end(transport_error(step(), what));
}

void WebSocketDriver::release() {
  refusal_timer_.reset();
  close_timer_.reset();
  ping_timer_.reset();
  pong_timer_.reset();
  acknowledgement_timer_.reset();
  if (!client_) return;
  client_->abort();
  client_.reset();
  // websocketpp may be the caller, and must find its client when this returns.
  if (release_client_) route_->executor.post(std::exchange(release_client_, nullptr));
}

}  // namespace

std::unique_ptr<Exchange> start_websocket(std::shared_ptr<const Route> route, Request request,
                                          ExchangeObserver& observer, std::weak_ptr<ConnectionPool> idle) {
  auto driver = std::make_shared<WebSocketDriver>(std::move(route), std::move(request), observer, std::move(idle));
  WebSocketDriver& started = *driver;
  // Held before it starts: whatever is thrown from here on, the observer is not called any more.
  std::unique_ptr<Exchange> held = std::make_unique<HeldWebSocket>(std::move(driver));
  started.start();
  return held;
}

}  // namespace ksr::transport
