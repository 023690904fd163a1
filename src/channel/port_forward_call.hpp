// `PortForwardCall` is one TCP connection to a port of a pod: kind=portforward; used by make_channel_call. Lives on the
// network thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "channel/channel_codec.hpp"
#include "channel/port_codec.hpp"
#include "channel/websocket_call.hpp"

namespace ksr::channel {

class PortForwardCall final : public WebSocketCall {
 public:
  PortForwardCall(Environment environment, ChannelOptions options, ChannelTarget target);

 private:
  Handshake handshake() override;
  void opened(const std::string& subprotocol) override;
  void received(std::string message, transport::MessageType type) override;
  bool begin_stream(std::string_view bytes) override;
  void receive_more(std::string_view bytes) override { give(kPartData, bytes); }
  void closed(const std::optional<Error>& error) override;
  std::optional<Message> next_message() override;
  std::string keepalive() const override;

  PortCodec port_;
  std::optional<ChannelCodec> codec_;
  bool told_open_ = false;
};

}  // namespace ksr::channel
