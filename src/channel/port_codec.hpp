// `PortCodec` reads the two channels of a forwarded port: data, and the server's words on what went wrong; used by the
// channels of kind=portforward. Pure. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "channel/channel_codec.hpp"

namespace ksr::channel {

class PortCodec {
 public:
  explicit PortCodec(std::uint16_t port) : port_(port) {}

  // What a message is for the host: bytes of the connection, or nothing. Status::protocol: another port.
  Expected<std::string> decode(ChannelMessage message);
  // Both channels have begun, so that the server has the port.
  bool open() const noexcept { return data_.begun && error_.begun; }
  // What the server has said of the connection; empty: nothing.
  const std::string& failure() const noexcept { return failure_; }

  static constexpr int kData = 0;
  static constexpr int kError = 1;

 private:
  // The first two bytes are the port, little-endian (kubelet pkg/kubelet/server/portforward/websocket.go).
  struct Channel {
    std::string head;
    bool begun = false;
  };
  Expected<std::string> after_head(Channel& channel, std::string payload) const;

  const std::uint16_t port_;
  Channel data_;
  Channel error_;
  std::string failure_;
};

}  // namespace ksr::channel
