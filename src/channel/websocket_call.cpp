#include "channel/websocket_call.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "cluster/refusal.hpp"

namespace ksr::channel {
namespace {

// For the answer to the handshake: a kubelet may have to be reached first.
constexpr Milliseconds kHandshakeTimeout{30'000};
// From the close on, for what is being written, our close frame and the server's: the transport ends the exchange then.
constexpr Milliseconds kCloseTimeout{1'000};
// The CRI's streaming server and kube-apiserver end a connection without data after four hours (cri-streaming
// pkg/streaming, DefaultConfig); pings are no data.
constexpr Milliseconds kKeepaliveInterval{std::chrono::minutes(30)};
constexpr int kNormalClosure = 1000;
constexpr int kMessageTooBig = 1009;
// What Headlamp's frontend offers for what is not a channel; one of the channel's own stands in its place.
constexpr std::string_view kHeadlampDefault = "base64.binary.k8s.io";

}  // namespace

WebSocketCall::WebSocketCall(Environment environment, ChannelOptions options, ChannelTarget target)
    : ChannelCall(std::move(environment), std::move(options), std::move(target)) {}

// ---- the handshake --------------------------------------------------------------------------------------------------

void WebSocketCall::try_once() {
  exchange_.reset();
  head_ = {};
  message_.clear();
  streams_ = false;
  if (const auto to = host()) to->on_connecting();
  if (ended()) return;
  pending_ = environment_.access->authenticate(
      cluster::Purpose::websocket,
      [this](Expected<cluster::RequestAuth> auth) { guarded([&] { send_handshake(std::move(auth)); }); });
}

void WebSocketCall::send_handshake(Expected<cluster::RequestAuth> auth) {
  if (const Error* error = auth.if_error()) {
    sync::CallFailure failure{*error};
    failure.before_request = true;
    return end_try({std::move(failure)});
  }
  Handshake wanted = handshake();
  transport::Request request;
  request.target = std::move(wanted.target);
  if (target_.below_headlamp_url) {
    if (const auto sent = cluster::send_to_headlamp(request, *auth); !sent) return fail(sent.error());
  }
  request.headers = target_.headers;
  cluster::add_headers(request, *auth);
  for (const std::string& subprotocol : auth->subprotocols) {
    if (subprotocol != kHeadlampDefault || wanted.subprotocols.empty()) wanted.subprotocols.push_back(subprotocol);
  }
  for (const std::string& subprotocol : wanted.subprotocols) {
    request.subprotocol += (request.subprotocol.empty() ? "" : ", ") + subprotocol;
  }
  request.response_timeout = kHandshakeTimeout;
  request.ping_interval = options_.ping_interval;
  request.pong_timeout = options_.pong_timeout;
  request.close_timeout = kCloseTimeout;
  request.peer_may_pause = true;
  // A message is at least as large as one frame of it.
  request.max_frame = max_message_;
  maybe_done_.begin_try();
  exchange_ = auth->connection->open_websocket(std::move(request), *this);
}

void WebSocketCall::on_head(const transport::ResponseHead& head) {
  guarded([&] {
    head_ = head;
    environment_.access->on_response_head(head);
    if (head.status != 101) return;
    open_ = true;
    maybe_done_.set();
    last_sent_ = now();
    std::string subprotocol;
    for (const transport::Header& header : head.headers) {
      if (header.name == "sec-websocket-protocol") subprotocol = trimmed(header.value);
    }
    tell_info("protocol", subprotocol);
    opened(subprotocol);
    if (ended()) return;
    if (reading_rests()) exchange_->pause();
    if (!keepalive().empty()) keep_alive_later();
    pump();
  });
}

void WebSocketCall::end_try(Refusal refusal) {
  maybe_done_.end_try(refusal.failure);
  refused(std::move(refusal));
}

void WebSocketCall::refused(Refusal refusal) {
  using What = sync::RetryDecision::What;
  Error& error = refusal.failure.error;
  const sync::RetryDecision decision = policy_.decide(refusal.failure, now(), std::nullopt, *environment_.random);
  if (decision.what == What::give_up) {
    // The message of the transport does not tell it: to that a handshake is a GET.
    error.maybe_done = false;
    maybe_done_.tell(error);
    return fail(std::move(error));
  }
  if (decision.what == What::retry_with_new_credentials) environment_.access->reject_credentials();
  try_later(error, decision.delay);
}

void WebSocketCall::try_later(const Error& error, Milliseconds delay) {
  if (delay.count() > 0) {
    environment_.counts->reconnects.fetch_add(1, std::memory_order_relaxed);
    interrupted(error, delay);
    if (ended()) return;
  }
  // Also without a delay: the exchange that has ended is on the stack.
  retry_timer_ = after(delay, [this] {
    const auto fired = std::move(retry_timer_);
    try_once();
  });
}

// ---- messages -------------------------------------------------------------------------------------------------------

void WebSocketCall::on_body(std::string_view bytes) {
  guarded([&] {
    if (streams_) return receive_more(bytes);
    if (open_ && message_.empty() && begin_stream(bytes)) {
      streams_ = true;
      return;
    }
    const std::size_t limit = open_ ? max_message_ : transport::kMaxRefusedCall;
    if (open_ && bytes.size() > limit - std::min(limit, message_.size())) {
      exchange_->close(kMessageTooBig, "");
      return fail(too_large());
    }
    message_ += bytes.substr(0, limit - std::min(limit, message_.size()));
  });
}

void WebSocketCall::on_message_end(transport::MessageType type) {
  guarded([&] {
    if (std::exchange(streams_, false) || !open_) return;
    received(std::exchange(message_, {}), type);
  });
}

void WebSocketCall::on_close(int code, std::string_view reason) {
  guarded([&] {
    tell_info("close_code", std::to_string(code));
    tell_info("close_reason", one_line(reason));
  });
}

void WebSocketCall::on_pong(std::chrono::microseconds round_trip) {
  environment_.counts->ping_rtt_us.store(static_cast<std::uint64_t>(round_trip.count()), std::memory_order_relaxed);
}

void WebSocketCall::on_end(const std::optional<Error>& error) {
  const auto self = shared_from_this();
  if (ended()) {
    // It was closed by cancel().
    exchange_.reset();
    const auto timer = std::move(close_timer_);
    return;
  }
  guarded([&] {
    if (std::exchange(open_, false)) {
      keepalive_timer_.reset();
      // For the next WebSocket, if there is one. What has begun must not be repeated.
      if (exchange_->unsent() > 0) waiting_ = std::exchange(in_flight_, std::nullopt);
      drop_in_flight();
      // Announced, and refused before it came.
      return error && error->status == Status::too_large ? fail(too_large()) : closed(error);
    }
    if (head_.status != 0) {
      cluster::Refusal answer = cluster::read_call_refusal(head_, message_, std::chrono::system_clock::now());
      sync::CallFailure failure{std::move(answer.error)};
      failure.answered = true;
      // With a Status it is kube-apiserver's, which has not asked a node then. A gateway's comes without, and may come
      // when the server behind it has begun.
      failure.before_request = head_.status == 503 && answer.status;
      failure.status = std::move(answer.status);
      return end_try({std::move(failure), !message_.empty()});
    }
    sync::CallFailure failure{
        error.value_or(Error{Status::protocol, "the connection ended before a response came", "", 502})};
    failure.error.maybe_done = exchange_->is_sent();
    end_try({std::move(failure)});
  });
}

Error WebSocketCall::too_large() const {
  return {Status::too_large, "a message of the server is larger than " + std::to_string(max_message_) + " bytes"};
}

void WebSocketCall::pump() {
  while (open_ && !ended() && !in_flight_) {
    std::optional<Message> message = waiting_ ? std::exchange(waiting_, std::nullopt) : next_message();
    if (!message) return;
    send(*std::move(message));
    if (waiting_) return;
  }
}

void WebSocketCall::send(Message message) {
  const auto status = exchange_->send(message.bytes, message.type, [this] { guarded([&] { written(); }); });
  if (status != transport::SendStatus::queued) {
    waiting_ = std::move(message);
    return;
  }
  in_flight_ = std::move(message);
  environment_.counts->blocked.begin(now());
  last_sent_ = now();
}

void WebSocketCall::written() {
  environment_.counts->bytes_sent.fetch_add(in_flight_->payload, std::memory_order_relaxed);
  drop_in_flight();
  pump();
}

void WebSocketCall::drop_in_flight() {
  environment_.counts->blocked.end(now());
  const std::size_t payload = in_flight_ ? in_flight_->payload : 0;
  in_flight_.reset();
  const auto to = host();
  if (to && payload > 0) to->release_outgoing(payload);
}

void WebSocketCall::keep_alive_later() {
  keepalive_timer_ = after(kKeepaliveInterval, [this] {
    if (open_ && !in_flight_ && !waiting_ && now() - last_sent_ >= kKeepaliveInterval) {
      send({keepalive()});
    }
    keep_alive_later();
  });
}

void WebSocketCall::stop() {
  pending_.cancel();
  retry_timer_.reset();
  keepalive_timer_.reset();
  if (!open_ || !exchange_) {
    exchange_.reset();
    return;
  }
  open_ = false;
  try {
    // Of a timer that holds this call until the close frame is written and answered, or the time is over.
    close_timer_ = environment_.executor.schedule(now() + 2 * kCloseTimeout, [self = shared_from_this(), this] {
      const auto fired = std::move(close_timer_);
      exchange_.reset();
    });
    exchange_->resume();
    exchange_->close(kNormalClosure, "");
  } catch (...) {
    exchange_.reset();
    close_timer_.reset();
  }
}

// ---- kind=websocket -------------------------------------------------------------------------------------------------

RawWebSocketCall::RawWebSocketCall(Environment environment, ChannelOptions options, ChannelTarget target)
    : WebSocketCall(std::move(environment), std::move(options), std::move(target)) {
  max_message_ = options_.max_message;
}

void RawWebSocketCall::opened(const std::string&) {
  if (const auto to = host()) to->on_open();
}

void RawWebSocketCall::received(std::string message, transport::MessageType type) {
  give_message(type == transport::MessageType::text ? kPartText : kPartBinary, std::move(message));
}

std::optional<WebSocketCall::Message> RawWebSocketCall::next_message() {
  const auto to = host();
  auto next = to ? to->take_outgoing() : std::nullopt;
  if (!next) return std::nullopt;
  const std::size_t payload = next->bytes.size();
  return Message{std::move(next->bytes),
                 next->part == kPartText ? transport::MessageType::text : transport::MessageType::binary, payload};
}

void RawWebSocketCall::closed(const std::optional<Error>& error) {
  if (options_.reconnect) {
    const Error ended{Status::lost, "the server closed the WebSocket"};
    return reconnect(error.value_or(ended));
  }
  if (!error) mark(kPartText, Mark::finished);
  if (!error) mark(kPartBinary, Mark::finished);
  end({error, std::nullopt});
}

Error RawWebSocketCall::too_large() const {
  return {Status::too_large,
          "a message of the server is larger than max_message, " + std::to_string(max_message_) + " bytes"};
}

// As Headlamp does: whatever the reason was.
void RawWebSocketCall::refused(Refusal refusal) {
  if (!options_.reconnect) return WebSocketCall::refused(std::move(refusal));
  const sync::CallFailure& failure = refusal.failure;
  if (failure.answered && failure.error.http_status == 401) environment_.access->reject_credentials();
  reconnect(failure.error);
}

void RawWebSocketCall::reconnect(const Error& error) {
  const Milliseconds asked = error.retry_after.value_or(Milliseconds(0));
  try_later(error, std::max({options_.reconnect_delay, asked, Milliseconds(1)}));
}

}  // namespace ksr::channel
