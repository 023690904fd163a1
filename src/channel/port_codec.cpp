#include "channel/port_codec.hpp"

#include <utility>

#include "base/text.hpp"

namespace ksr::channel {
namespace {

constexpr std::size_t kHeadSize = 2;
constexpr std::size_t kMaxFailure = 4'096;

}  // namespace

Expected<std::string> PortCodec::after_head(Channel& channel, std::string payload) const {
  if (channel.begun) return payload;
  channel.head += payload;
  if (channel.head.size() < kHeadSize) return std::string();
  const unsigned port =
      static_cast<unsigned char>(channel.head[0]) + 256U * static_cast<unsigned char>(channel.head[1]);
  if (port != port_) {
    return Error{Status::protocol,
                 "the server forwards port " + std::to_string(port) + ", expected " + std::to_string(port_)};
  }
  channel.begun = true;
  return std::exchange(channel.head, {}).substr(kHeadSize);
}

Expected<std::string> PortCodec::decode(ChannelMessage message) {
  if (message.channel != kData && message.channel != kError) return std::string();
  Expected<std::string> bytes = after_head(message.channel == kData ? data_ : error_, std::move(message.payload));
  if (!bytes || message.channel == kData) return bytes;
  failure_ += bytes->substr(0, kMaxFailure - std::min(kMaxFailure, failure_.size()));
  failure_ = one_line(failure_, kMaxFailure);
  return std::string();
}

}  // namespace ksr::channel
