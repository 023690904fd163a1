#include "channel/channel_codec.hpp"

#include <doctest/doctest.h>

using namespace ksr;
using namespace ksr::channel;

TEST_CASE("the subprotocols, by their names") {
  for (const ChannelProtocol protocol : {ChannelProtocol::v5, ChannelProtocol::v4, ChannelProtocol::v4_base64,
                                         ChannelProtocol::v1, ChannelProtocol::v1_base64}) {
    CHECK(channel_protocol(subprotocol_of(protocol)) == protocol);
  }
  CHECK(channel_protocol("") == ChannelProtocol::v1);
  CHECK_FALSE(channel_protocol("v3.channel.k8s.io"));
  CHECK_FALSE(channel_protocol("V4.channel.k8s.io"));
}

TEST_CASE("messages are read as the server writes them") {
  const ChannelCodec v4(ChannelProtocol::v4);
  auto message = v4.decode(std::string("\1out\0put", 8)).value();
  REQUIRE(message);
  CHECK(message->channel == kStdout);
  CHECK(message->payload == std::string("out\0put", 7));
  // The first message, on the lowest channel, and an empty one.
  CHECK_FALSE(v4.decode("\1").value());
  CHECK_FALSE(v4.decode("").value());
  // v4 has no close: 255 is a channel that nobody has.
  message = v4.decode(std::string("\xff\0", 2)).value();
  REQUIRE(message);
  CHECK(message->channel == 255);
  CHECK_FALSE(message->closes);

  const ChannelCodec v5(ChannelProtocol::v5);
  message = v5.decode(std::string("\xff\1", 2)).value();
  REQUIRE(message);
  CHECK(message->closes);
  CHECK(message->channel == 1);
  CHECK(v5.decode("\xff").error().status == Status::protocol);
  CHECK(v5.decode("\xff\1\1").error().status == Status::protocol);

  const ChannelCodec base64(ChannelProtocol::v4_base64);
  message = base64.decode("2aGk=").value();
  REQUIRE(message);
  CHECK(message->channel == kStderr);
  CHECK(message->payload == "hi");
  CHECK(base64.decode("xaGk=").error().status == Status::protocol);
  CHECK(base64.decode("2a").error().status == Status::protocol);
}

TEST_CASE("messages are written as the server reads them, and are read again") {
  CHECK(ChannelCodec(ChannelProtocol::v4).encode(kStdin, "ls\n") == std::string("\0ls\n", 4));
  CHECK(ChannelCodec(ChannelProtocol::v1_base64).encode(kStdin, "hi") == "0aGk=");
  CHECK(ChannelCodec(ChannelProtocol::v5).encode_close(kStdin) == std::string("\xff\0", 2));
  CHECK(ChannelCodec(ChannelProtocol::v4).encode_resize(80, 24) == "\4{\"Width\":80,\"Height\":24}");
  CHECK(ChannelCodec(ChannelProtocol::v4).encode_keepalive() == std::string("\0", 1));
  CHECK(ChannelCodec(ChannelProtocol::v5).closes_channels());
  CHECK_FALSE(ChannelCodec(ChannelProtocol::v4).closes_channels());
  for (const ChannelProtocol protocol : {ChannelProtocol::v5, ChannelProtocol::v4, ChannelProtocol::v4_base64,
                                         ChannelProtocol::v1, ChannelProtocol::v1_base64}) {
    const ChannelCodec codec(protocol);
    const std::string bytes("any \0\xff\xfe bytes\n", 14);
    const auto message = codec.decode(codec.encode(kStdout, bytes)).value();
    REQUIRE(message);
    CHECK(message->payload == bytes);
    CHECK(message->channel == kStdout);
  }
}
