// `WebSocketCall` is what the channels over a WebSocket have in common: the handshake and what is tried again of it,
// messages in both directions, the end; `RawWebSocketCall` is kind=websocket. Used by make_channel_call. Live on the
// network thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "channel/channel_call.hpp"
#include "sync/call_retries.hpp"
#include "transport/transport.hpp"

namespace ksr::channel {

class WebSocketCall : public ChannelCall, private transport::ExchangeObserver {
 protected:
  struct Handshake {
    std::string target;
    std::vector<std::string> subprotocols;
  };
  struct Message {
    std::string bytes;
    transport::MessageType type = transport::MessageType::binary;
    // Bytes of the host in it.
    std::size_t payload = 0;
  };
  // A handshake that was refused, or that did not come to an answer.
  struct Refusal {
    sync::CallFailure failure;
    bool has_body = false;
  };

  WebSocketCall(Environment environment, ChannelOptions options, ChannelTarget target);

  virtual Handshake handshake() = 0;
  virtual void opened(const std::string& subprotocol) = 0;
  virtual void received(std::string message, transport::MessageType type) = 0;
  // The first bytes of a message. True: its bytes are data that the host may have as they come, which receive_more()
  // gets; received() does not get the message.
  virtual bool begin_stream(std::string_view /*bytes*/) { return false; }
  virtual void receive_more(std::string_view /*bytes*/) {}
  // After it was open: in order, or with an error.
  virtual void closed(const std::optional<Error>& error) = 0;
  virtual std::optional<Message> next_message() = 0;
  // Tries again what may be tried again, else ends the channel.
  virtual void refused(Refusal refusal);
  // Keeps the server from its limit of idle time; empty: nothing is sent.
  virtual std::string keepalive() const { return {}; }

  void begin() override { try_once(); }
  void stop() override;
  void pump() override;
  void try_once();
  void try_later(const Error& error, Milliseconds delay);
  // Of a message that is larger than max_message_.
  virtual Error too_large() const;
  std::size_t max_message_ = std::size_t{33} << 20;

 private:
  void on_head(const transport::ResponseHead& head) override;
  void on_body(std::string_view bytes) override;
  void on_message_end(transport::MessageType type) override;
  void on_close(int code, std::string_view reason) override;
  void on_pong(std::chrono::microseconds round_trip) override;
  void on_drained() override {
    guarded([this] { drained(); });
  }
  void on_end(const std::optional<Error>& error) override;

  void send_handshake(Expected<cluster::RequestAuth> auth);
  void end_try(Refusal refusal);
  void send(Message message);
  void written();
  void drop_in_flight();
  void keep_alive_later();

  transport::ResponseHead head_;
  std::string message_;  // or the body of a refusal
  bool open_ = false;
  bool streams_ = false;  // the message that comes
  // Given to the transport: one at a time, so that what follows can still be overtaken by a resize.
  std::optional<Message> in_flight_;
  // Goes before all else, once it can be sent.
  std::optional<Message> waiting_;
  Instant last_sent_{};
  // Whatever it opens must not be opened twice.
  sync::RetryPolicy policy_{sync::Retries::safe, false};
  std::unique_ptr<Timer> retry_timer_;
  std::unique_ptr<Timer> keepalive_timer_;
  std::unique_ptr<Timer> close_timer_;
};

class RawWebSocketCall final : public WebSocketCall {
 public:
  RawWebSocketCall(Environment environment, ChannelOptions options, ChannelTarget target);

 private:
  Handshake handshake() override { return {target_.target, options_.subprotocols}; }
  void opened(const std::string& subprotocol) override;
  void received(std::string message, transport::MessageType type) override;
  void closed(const std::optional<Error>& error) override;
  void refused(Refusal refusal) override;
  Error too_large() const override;
  std::optional<Message> next_message() override;
  void reconnect(const Error& error);
};

}  // namespace ksr::channel
