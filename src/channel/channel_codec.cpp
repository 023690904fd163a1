#include "channel/channel_codec.hpp"

#include <array>
#include <utility>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace ksr::channel {
namespace {

constexpr std::array<std::pair<ChannelProtocol, const char*>, 5> kNames{{
    {ChannelProtocol::v5, "v5.channel.k8s.io"},
    {ChannelProtocol::v4, "v4.channel.k8s.io"},
    {ChannelProtocol::v4_base64, "v4.base64.channel.k8s.io"},
    {ChannelProtocol::v1, "channel.k8s.io"},
    {ChannelProtocol::v1_base64, "base64.channel.k8s.io"},
}};
constexpr unsigned char kClose = 255;

Error malformed(const std::string& what) {
  return {Status::protocol, "a message of the server " + what};
}

}  // namespace

std::optional<ChannelProtocol> channel_protocol(std::string_view subprotocol) {
  if (subprotocol.empty()) return ChannelProtocol::v1;
  for (const auto& [protocol, name] : kNames) {
    if (subprotocol == name) return protocol;
  }
  return std::nullopt;
}

const char* subprotocol_of(ChannelProtocol protocol) {
  for (const auto& [held, name] : kNames) {
    if (held == protocol) return name;
  }
  return "";
}

bool ChannelCodec::binary() const noexcept {
  return protocol_ != ChannelProtocol::v4_base64 && protocol_ != ChannelProtocol::v1_base64;
}

Expected<std::optional<ChannelMessage>> ChannelCodec::decode(std::string_view message) const {
  if (message.empty()) return std::optional<ChannelMessage>();
  ChannelMessage read;
  if (binary()) {
    const auto channel = static_cast<unsigned char>(message.front());
    if (closes_channels() && channel == kClose) {
      if (message.size() != 2) return malformed("closes a channel with other than two bytes");
      read.channel = static_cast<unsigned char>(message[1]);
      read.closes = true;
      return std::optional(std::move(read));
    }
    read.channel = channel;
    read.payload = message.substr(1);
  } else {
    if (!is_digit(message.front())) return malformed("does not begin with the digit of a channel");
    read.channel = message.front() - '0';
    auto payload = base64_decode(message.substr(1));
    if (!payload) return malformed("is not base64");
    read.payload = *std::move(payload);
  }
  if (read.payload.empty()) return std::optional<ChannelMessage>();
  return std::optional(std::move(read));
}

std::string ChannelCodec::encode(int channel, std::string_view payload) const {
  if (!binary()) return static_cast<char>('0' + channel) + base64_encode(payload);
  std::string message(1, static_cast<char>(channel));
  message += payload;
  return message;
}

std::string ChannelCodec::encode_close(int channel) const {
  return {static_cast<char>(kClose), static_cast<char>(channel)};
}

std::string ChannelCodec::encode_resize(std::uint16_t columns, std::uint16_t rows) const {
  return encode(kResize, "{\"Width\":" + std::to_string(columns) + ",\"Height\":" + std::to_string(rows) + "}");
}

std::string ChannelCodec::encode_keepalive() const {
  return encode(kStdin, "");
}

}  // namespace ksr::channel
