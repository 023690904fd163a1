// TLS: whom the client trusts, by which name, and with which certificate of its own.
#include <doctest/doctest.h>

#include "unit/transport/certificates.hpp"
#include "unit/transport/listener.hpp"
#include "unit/transport/raw_server.hpp"
#include "unit/transport/websocket_peer.hpp"

using namespace test;

namespace {

const Authority& authority() {
  static const Authority made;
  return made;
}

struct TlsServer {
  explicit TlsServer(const std::string& names, bool ipv6 = false)
      : context(server_context(authority().issue("server", names))),
        server(
            [this](Peer& peer) {
              if (!peer.start_tls(context.get())) return;
              sni = peer.sni();
              while (!peer.receive_head().empty()) {
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
              }
            },
            ipv6) {}
  ServerContext context;
  std::string sni;
  RawServer server;
};

ConnectionSettings trusting(const std::string& url) {
  ConnectionSettings settings;
  settings.server = url;
  settings.tls.ca_pem = authority().pem();
  return settings;
}

std::optional<Error> outcome_of(const ConnectionSettings& settings) {
  Listener listener;
  listener.get(connect(settings), request_for("/"));
  REQUIRE(listener.wait_for_end());
  if (!listener.error()) CHECK(listener.body() == "secret");
  return listener.error();
}

}  // namespace

TEST_CASE("a server whose certificate names its address is trusted") {
  TlsServer ipv4("IP:127.0.0.1");
  CHECK_FALSE(outcome_of(trusting(ipv4.server.tls_url())));
  CHECK(ipv4.sni.empty());
  TlsServer ipv6("IP:::1", true);
  CHECK_FALSE(outcome_of(trusting(ipv6.server.tls_url())));
  CHECK(ipv6.sni.empty());
}

TEST_CASE("a WebSocket runs over TLS") {
  const ServerContext context = server_context(authority().issue("server", "IP:127.0.0.1"));
  RawServer server([&](Peer& peer) {
    if (!peer.start_tls(context.get())) return;
    accept_websocket(peer);
    peer.send(frame(text_frame, "{\"type\":\"ADDED\"}") + frame(close_frame, close_payload(1000)));
    peer.wait_for_close();
  });
  Listener listener;
  listener.open_websocket(connect(trusting(server.tls_url())), request_for("/watch"));
  REQUIRE(listener.wait_for_end());
  CHECK((listener.error() ? listener.error()->message : "") == "");
  CHECK(listener.head().status == 101);
  CHECK(listener.messages() == std::vector<std::string>{"{\"type\":\"ADDED\"}"});
}
