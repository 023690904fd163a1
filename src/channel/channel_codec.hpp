// `ChannelCodec` puts the channels of exec, attach and port-forward into WebSocket messages, and takes them out again;
// used by the channels of those kinds. Pure. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/expected.hpp"

namespace ksr::channel {

// k8s.io/streaming pkg/httpstream/wsstream/conn.go, and KEP-4006.
enum class ChannelProtocol : std::uint8_t {
  v5,         // v5.channel.k8s.io: v4, and a message that closes one channel
  v4,         // v4.channel.k8s.io: channel 3 has a Status
  v4_base64,  // v4.base64.channel.k8s.io
  v1,         // channel.k8s.io, or none: channel 3 has plain text
  v1_base64,  // base64.channel.k8s.io
};

// The subprotocol that the server has chosen; "" is none. Empty: another one.
std::optional<ChannelProtocol> channel_protocol(std::string_view subprotocol);
const char* subprotocol_of(ChannelProtocol protocol);
// Channel 3 has plain text, and only of failures, in the place of a Status.
inline bool tells_failures_in_text(ChannelProtocol protocol) {
  return protocol == ChannelProtocol::v1 || protocol == ChannelProtocol::v1_base64;
}

// Of exec and attach.
inline constexpr int kStdin = 0;
inline constexpr int kStdout = 1;
inline constexpr int kStderr = 2;
inline constexpr int kStatus = 3;
inline constexpr int kResize = 4;

struct ChannelMessage {
  int channel = 0;
  std::string payload;
  // v5: the server has closed the channel.
  bool closes = false;
};

class ChannelCodec {
 public:
  // A frame is a message to the server, and larger ones are lost without a word: data is written in such parts.
  static constexpr std::size_t kMaxPayload = std::size_t{32} * 1024;

  explicit ChannelCodec(ChannelProtocol protocol) : protocol_(protocol) {}

  ChannelProtocol protocol() const noexcept { return protocol_; }
  bool binary() const noexcept;
  // v5 alone: the end of stdin.
  bool closes_channels() const noexcept { return protocol_ == ChannelProtocol::v5; }

  // A message of the server; empty for one without data, which it sends first. Status::protocol: it is none.
  Expected<std::optional<ChannelMessage>> decode(std::string_view message) const;
  // At most kMaxPayload bytes.
  std::string encode(int channel, std::string_view payload) const;
  // Only where closes_channels().
  std::string encode_close(int channel) const;
  std::string encode_resize(std::uint16_t columns, std::uint16_t rows) const;
  // Keeps a connection from the servers' limit of four hours without data, which pings do not.
  std::string encode_keepalive() const;

 private:
  const ChannelProtocol protocol_;
};

}  // namespace ksr::channel
