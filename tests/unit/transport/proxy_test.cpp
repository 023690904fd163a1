// Through an HTTP proxy: forwarded plainly, tunnelled for TLS and WebSockets.
#include <doctest/doctest.h>

#include "support/certificates.hpp"
#include "support/urls.hpp"
#include "unit/transport/listener.hpp"
#include "unit/transport/raw_server.hpp"
#include "unit/transport/websocket_peer.hpp"

using namespace test;
using namespace ksr::testing;

namespace {

ConnectionSettings through(const RawServer& proxy, const std::string& server) {
  ConnectionSettings settings;
  settings.server = ksr::testing::url_of(server);
  settings.proxy = ksr::testing::proxy_of("http://user:hunter2@" + proxy.authority());
  return settings;
}

const std::string credentials = "\r\nProxy-Authorization: Basic dXNlcjpodW50ZXIy\r\n";

}  // namespace

TEST_CASE("a proxy forwards plain requests by their full URL") {
  std::string seen;
  RawServer proxy([&](Peer& peer) {
    seen = peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  });
  Listener listener;
  listener.get(connect(through(proxy, "http://server.test:8080/p")), request_for("/api"));
  REQUIRE(listener.wait_for_end());
  CHECK(listener.body() == "hi");
  CHECK(seen.find("GET http://server.test:8080/p/api HTTP/1.1\r\nHost: server.test:8080\r\n") == 0);
  CHECK(seen.find(credentials) != std::string::npos);
}

TEST_CASE("TLS goes through a tunnel, and the credentials stay with the proxy") {
  // Ignored (RFC 9110, section 9.3.6).
  std::string framing = "Content-Length: 5\r\n";
  SUBCASE("a length") {}
  SUBCASE("several lengths") {
    framing = "Content-Length: 5, 6\r\n";
  }
  SUBCASE("a transfer coding") {
    framing = "Transfer-Encoding: gzip\r\n";
  }
  const CertificateAuthority authority;
  const ServerContext context = server_context(authority.issue("s", "DNS:server.test"));
  std::string tunnel;
  RawServer proxy([&](Peer& peer) {
    tunnel = peer.receive_head();
    // Interim responses may come before (RFC 9110, section 15.2).
    peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nA: b\r\n\r\n");
    peer.send("HTTP/1.1 200 Connection established\r\nX: y\r\n" + framing + "\r\n");
    if (!peer.start_tls(context.get())) return;
    for (std::string inner = peer.receive_head(); !inner.empty(); inner = peer.receive_head()) {
      CHECK(inner.find("Proxy-Authorization") == std::string::npos);
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    }
  });
  ConnectionSettings settings = through(proxy, "https://server.test");
  settings.tls.ca_pem = authority.certificate_pem();
  const auto connection = connect(settings);
  for (int i = 0; i < 2; ++i) {
    Listener listener;
    listener.get(connection, request_for("/"));
    REQUIRE(listener.wait_for_end());
    CHECK((listener.error() ? listener.error()->message : "") == "");
    CHECK(listener.body() == "hi");
  }
  CHECK(tunnel == "CONNECT server.test:443 HTTP/1.1\r\nHost: server.test:443" + credentials + "\r\n");
  CHECK(proxy.connections() == 1);
}

TEST_CASE("a WebSocket goes through a tunnel even without TLS") {
  std::string tunnel;
  RawServer proxy([&](Peer& peer) {
    tunnel = peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\n\r\n");
    accept_websocket(peer);
    peer.send(frame(text_frame, "hi") + frame(close_frame, close_payload(1000)));
    peer.wait_for_close();
  });
  Listener listener;
  listener.open_websocket(connect(through(proxy, "http://server.test")), request_for("/"));
  REQUIRE(listener.wait_for_end());
  CHECK_FALSE(listener.error());
  CHECK(listener.messages() == std::vector<std::string>{"hi"});
  CHECK(tunnel.find("CONNECT server.test:80 HTTP/1.1\r\n") == 0);
}

TEST_CASE("a proxy that does not answer CONNECT has as long as a handshake, where only a WebSocket asks it for that") {
  RawServer proxy([](Peer& peer) {
    if (peer.receive_head().find("CONNECT ") == 0) return peer.wait_for_close();
    peer.send("HTTP/1.1 204 X\r\n\r\n");
  });
  const auto connection = connect(through(proxy, "http://server.test"));
  Request request = request_for("/");
  request.response_timeout = Milliseconds(100);
  Listener listener;
  listener.open_websocket(connection, request);
  REQUIRE(listener.wait_for_end());
  REQUIRE(listener.error());
  CHECK(listener.error()->status == Status::timeout);
  CHECK(listener.error()->message ==
        "asking proxy " + proxy.authority() + " for a tunnel to server.test:80: no answer within 100 ms");
  request.response_timeout = Milliseconds(0);
  Listener http;
  http.get(connection, request);
  REQUIRE(http.wait_for_end());
  CHECK_FALSE(http.error());
  // The others need the tunnel, too: the limit is that of the connection.
  ConnectionSettings settings = through(proxy, "https://server.test");
  settings.connect_timeout = Milliseconds(400);
  request.response_timeout = Milliseconds(100);
  Listener secure;
  secure.open_websocket(connect(settings), request);
  REQUIRE(secure.wait_for_end());
  REQUIRE(secure.error());
  CHECK(secure.error()->message.find(": not done within 400 ms") != std::string::npos);
}

TEST_CASE("a proxy that refuses is named, without its password") {
  for (const char* answer :
       {"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 503 X\r\n\r\n",
        "not HTTP\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nearly", "HTTP/1.9 200 OK\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 101 X\r\n\r\n", ""}) {
    RawServer proxy([&](Peer& peer) {
      peer.receive_head();
      peer.send(answer);
    });
    Listener listener;
    listener.get(connect(through(proxy, "https://server.test")), request_for("/"));
    REQUIRE(listener.wait_for_end());
    REQUIRE(listener.error());
    const bool wants_credentials = std::string(answer).find(" 407 ") != std::string::npos;
    CHECK(listener.error()->http_status == (wants_credentials ? 407 : 502));
    CHECK(listener.error()->message.find(proxy.authority()) != std::string::npos);
    CHECK(listener.error()->message.find("hunter2") == std::string::npos);
  }
}

TEST_CASE("what a proxy says that is no answer to CONNECT is quoted, without its password") {
  const auto problem_of = [](const std::string& answer) {
    RawServer proxy([&](Peer& peer) {
      peer.receive_head();
      peer.send(answer);
    });
    Listener listener;
    listener.get(connect(through(proxy, "https://server.test")), request_for("/"));
    REQUIRE(listener.wait_for_end());
    REQUIRE(listener.error());
    const std::string step = "asking proxy " + proxy.authority() + " for a tunnel to server.test:443: ";
    CHECK(listener.error()->message.find(step) == 0);
    return listener.error()->message.substr(step.size());
  };
  CHECK(problem_of("<html>hunter2 dXNlcjpodW50ZXIy</html>") ==
        "the status line is not that of HTTP/1.x: \"<html>***</html>\"");
  CHECK(problem_of("HTTP/1.1 200 OK\r\nA: b\r\n") == "the connection was closed within the response header");
  CHECK(problem_of("") == "the connection was closed before a response");
}

TEST_CASE("plain HTTP: the proxy is named as what the connection is to") {
  std::string answer;
  RawServer proxy([&](Peer& peer) {
    peer.receive_head();
    peer.send(answer);
  });
  const auto outcome = [&](Listener& listener, const ConnectionSettings& settings) {
    listener.get(connect(settings), request_for("/"));
    REQUIRE(listener.wait_for_end());
  };
  {
    Listener closed;
    outcome(closed, through(proxy, "http://server.test"));
    REQUIRE(closed.error());
    CHECK(closed.error()->message.find("server.test:80 through proxy " + proxy.authority() + ": ") !=
          std::string::npos);
  }
  {
    ConnectionSettings settings;
    settings.server = ksr::testing::url_of("http://server.test");
    settings.proxy = ksr::testing::proxy_of("http://127.0.0.1:" + std::to_string(closed_port()));
    Listener dead;
    outcome(dead, settings);
    REQUIRE(dead.error());
    CHECK(dead.error()->message.find("connecting to proxy 127.0.0.1:") == 0);
  }
  answer = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
  Listener refused;
  outcome(refused, through(proxy, "http://server.test"));
  CHECK(refused.head().proxy == proxy.authority());
}
