// GET over plain HTTP.
#include <doctest/doctest.h>

#include "unit/transport/listener.hpp"
#include "unit/transport/raw_server.hpp"

using namespace test;

namespace {

std::string sized(const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
}

}  // namespace

TEST_CASE("a GET sends its target and headers and delivers head and body") {
  std::string seen;
  RawServer server([&](Peer& peer) {
    seen = peer.receive_head();
    peer.send(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Two: a\r\nRetry-After: 7\r\nX-Two: b\r\n"
        "Content-Length: 5\r\n\r\nhello");
  });
  Listener listener;
  Request request = request_for("/api/v1/pods?limit=500&labelSelector=a%3Db");
  request.headers = {{"Authorization", "Bearer x"}, {"Impersonate-Group", "a"}, {"Impersonate-Group", "b"}};
  listener.get(connect(server.url() + "/prefix/"), request);
  REQUIRE(listener.wait_for_end());
  CHECK_FALSE(listener.error());
  CHECK(listener.head().status == 200);
  CHECK(listener.head().content_type == "application/json");
  CHECK(listener.head().retry_after == "7");
  CHECK(listener.head().headers.size() == 5);
  CHECK(listener.head().headers[1] == Header{"x-two", "a"});
  CHECK(listener.body() == "hello");
  CHECK(seen == "GET /prefix/api/v1/pods?limit=500&labelSelector=a%3Db HTTP/1.1\r\nHost: " + server.authority() +
                    "\r\nAuthorization: Bearer x\r\nImpersonate-Group: a\r\nImpersonate-Group: b\r\n\r\n");
}

TEST_CASE("a complete response leaves its connection to the next request") {
  RawServer server([&](Peer& peer) {
    while (!peer.receive_head().empty()) peer.send(sized("x"));
  });
  const auto connection = connect(server.url());
  for (int i = 0; i < 5; ++i) {
    Listener listener;
    listener.get(connection, request_for("/"));
    REQUIRE(listener.wait_for_end());
    CHECK_FALSE(listener.error());
  }
  CHECK(server.connections() == 1);
}
