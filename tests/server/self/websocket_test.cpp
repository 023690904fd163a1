// The handshake rules of kube-apiserver 1.36.
#include <doctest/doctest.h>

#include "server/query.hpp"
#include "server/self/client.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

TEST_CASE("no Origin: 403, two subprotocols: 400, both empty; the one offered is echoed") {
  ApiServer server;
  const auto without = shake_hands(server, kPodsWatch, {});
  CHECK(without->answer.status == 403);
  CHECK(without->answer.body.empty());
  CHECK(shake_hands(server, kPodsWatch, {{"Origin", "nowhere"}})->answer.status == 403);
  const auto two = shake_hands(server, kPodsWatch, {kOrigin, {kProtocols, "a, b"}});
  CHECK(two->answer.status == 400);
  CHECK(two->answer.body.empty());
  const auto one = shake_hands(server, kPodsWatch, {kOrigin, {kProtocols, "whatever"}});
  CHECK(one->answer.status == 101);
  CHECK(one->answer.header(kProtocols) == "whatever");
  CHECK(shake_hands(server, kPodsWatch, {kOrigin})->answer.header(kProtocols).empty());
}

TEST_CASE("a refusal is a Status, as over HTTP") {
  ksr::testserver::ServerOptions options;
  options.tokens = {{"t", "jane"}};
  options.denials = {{"jane", "watch", "pods", ""}};
  ApiServer server(options);
  const auto unknown = shake_hands(server, kPodsWatch, {kOrigin});
  CHECK(unknown->answer.status == 401);
  CHECK(unknown->answer.message() == "Unauthorized");
  const auto denied = shake_hands(server, kPodsWatch, {kOrigin, {"Authorization", "Bearer t"}});
  CHECK(denied->answer.status == 403);
  CHECK(denied->answer.message().find("cannot watch") != std::string::npos);
}

TEST_CASE("the bearer token as a subprotocol, next to another one") {
  ksr::testserver::ServerOptions options;
  options.tokens = {{"t", "jane"}};
  ApiServer server(options);
  const std::string bearer = "base64url.bearer.authorization.k8s.io." + ksr::testserver::base64url("t");
  const auto good = shake_hands(server, kPodsWatch, {kOrigin, {kProtocols, bearer + ", base64.binary.k8s.io"}});
  CHECK(good->answer.status == 101);
  CHECK(good->answer.header(kProtocols) == "base64.binary.k8s.io");
  CHECK(shake_hands(server, kPodsWatch, {kOrigin, {kProtocols, bearer}})->answer.status == 401);
}

TEST_CASE("pings are answered with their payload, and a close with a close") {
  ApiServer server;
  const auto hands = shake_hands(server, kPodsWatch, {kOrigin});
  REQUIRE(hands->socket);
  std::string pong;
  hands->socket->control_callback([&](boost::beast::websocket::frame_type kind, boost::beast::string_view payload) {
    if (kind == boost::beast::websocket::frame_type::pong) pong = std::string(payload);
  });
  hands->socket->ping("are you there");
  server.script("create pods a");
  boost::beast::flat_buffer buffer;
  hands->socket->read(buffer);
  if (pong.empty()) {
    server.script("create pods b");
    hands->socket->read(buffer);
  }
  CHECK(pong == "are you there");
  hands->socket->close(boost::beast::websocket::close_code::normal);
  CHECK(hands->socket->reason().code == 1000);
}
