#include "channel/port_forward_call.hpp"

#include "base/query_string.hpp"

namespace ksr::channel {

PortForwardCall::PortForwardCall(Environment environment, ChannelOptions options, ChannelTarget target)
    : WebSocketCall(std::move(environment), std::move(options), std::move(target)), port_(options_.port) {}

WebSocketCall::Handshake PortForwardCall::handshake() {
  QueryString query;
  query.add("ports", std::to_string(options_.port));
  query.add_all(target_.query);
  return {query.after(pod_path(target_) + "/portforward"), {subprotocol_of(ChannelProtocol::v4)}};
}

void PortForwardCall::opened(const std::string& subprotocol) {
  const auto protocol = channel_protocol(subprotocol);
  if (protocol != ChannelProtocol::v4 && protocol != ChannelProtocol::v4_base64) {
    return fail({Status::protocol, "the server chose the subprotocol " + subprotocol + ", expected v4.channel.k8s.io"});
  }
  codec_.emplace(*protocol);
  environment_.counts->protocol.store(4, std::memory_order_relaxed);
}

// Once both channels have begun, what comes on that of data is data.
bool PortForwardCall::begin_stream(std::string_view bytes) {
  if (!codec_ || !codec_->binary() || !port_.open() || bytes.empty() || bytes.front() != PortCodec::kData) return false;
  give(kPartData, bytes.substr(1));
  return true;
}

void PortForwardCall::received(std::string message, transport::MessageType) {
  auto decoded = codec_->decode(message);
  if (!decoded) return fail(decoded.error());
  if (!*decoded) return;
  const Expected<std::string> bytes = port_.decode(**std::move(decoded));
  if (!bytes) return fail(bytes.error());
  if (port_.open() && port_.failure().empty() && !std::exchange(told_open_, true)) {
    if (const auto to = host()) to->on_open();
  }
  give(kPartData, *bytes);
}

std::optional<WebSocketCall::Message> PortForwardCall::next_message() {
  const auto to = host();
  const auto next = to ? to->take_outgoing() : std::nullopt;
  if (!next || next->finishes) return std::nullopt;
  return Message{codec_->encode(PortCodec::kData, next->bytes),
                 codec_->binary() ? transport::MessageType::binary : transport::MessageType::text, next->bytes.size()};
}

std::string PortForwardCall::keepalive() const {
  return codec_ && codec_->binary() ? codec_->encode_keepalive() : std::string();
}

void PortForwardCall::closed(const std::optional<Error>& error) {
  const std::string port = "port " + std::to_string(options_.port) + ": ";
  if (!port_.failure().empty()) return fail({Status::transport, port + port_.failure()});
  if (error) return fail({Status::lost, port + "the connection ended without a close: " + error->message});
  // kubelet tells the port on both channels as soon as it takes the request.
  if (!port_.open()) return fail({Status::lost, port + "the server closed before it had opened the port"});
  mark(kPartData, Mark::finished);
  end({});
}

}  // namespace ksr::channel
