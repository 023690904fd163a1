#include "channel/port_codec.hpp"

#include <doctest/doctest.h>

using namespace ksr;
using namespace ksr::channel;

TEST_CASE("both channels begin with the port, whole or in two messages, then come the bytes") {
  PortCodec codec(28080);
  CHECK(codec.decode({0, std::string("\xb0", 1)}).value().empty());
  CHECK_FALSE(codec.open());
  CHECK(codec.decode({0, std::string("\x6d", 1) + "first"}).value() == "first");
  CHECK(codec.decode({1, "\xb0\x6d"}).value().empty());
  CHECK(codec.open());
  CHECK(codec.decode({0, std::string("\0\xff", 2)}).value() == std::string("\0\xff", 2));
  CHECK(codec.failure().empty());
}

TEST_CASE("the server's words on a port that it cannot reach") {
  PortCodec codec(80);
  CHECK(codec.decode({0, std::string("\x50\0", 2)}));
  CHECK(codec.decode({1, std::string("\x50\0", 2) + "error forwarding port 80: connection\n"}));
  CHECK(codec.decode({1, "refused\n"}));
  CHECK(codec.failure().find("connection") != std::string::npos);
  CHECK(codec.failure().find("refused") != std::string::npos);
  CHECK(codec.failure().find('\n') == std::string::npos);
}

TEST_CASE("another port is an error, another channel is nothing") {
  PortCodec codec(80);
  CHECK(codec.decode({0, "\x51\1"}).error().status == Status::protocol);
  CHECK(PortCodec(80).decode({7, "bytes"}).value().empty());
}
