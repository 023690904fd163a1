// Servers that cannot be reached, that say nothing, and names that resolve slowly or not at all.
#include <doctest/doctest.h>

#include <filesystem>
#include <future>

#include "support/urls.hpp"
#include "unit/transport/listener.hpp"
#include "unit/transport/raw_server.hpp"

using namespace test;
using ksr::transport::Addresses;

namespace {

struct Silence {
  RawServer server{[](Peer& peer) { peer.wait_for_close(); }};
};

std::optional<Error> outcome_of(const std::shared_ptr<Connection>& connection, Request request) {
  Listener listener;
  listener.get(connection, std::move(request));
  REQUIRE(listener.wait_for_end());
  return listener.error();
}

std::shared_ptr<Connection> connect_by(Transport& transport, const ConnectionSettings& settings) {
  std::shared_ptr<Connection> connection;
  on_network([&] { connection = *transport.connect(settings); });
  return released_on_network(std::move(connection));
}

std::shared_ptr<Connection> connect_by(Transport& transport, const std::string& server, int connect_timeout = 30'000) {
  ConnectionSettings settings;
  settings.server = ksr::testing::url_of(server);
  settings.connect_timeout = Milliseconds(connect_timeout);
  return connect_by(transport, settings);
}

// Every name has these addresses.
std::unique_ptr<Transport> named(const std::vector<std::string>& hosts) {
  Addresses addresses;
  for (const std::string& host : hosts) addresses.push_back(boost::asio::ip::make_address(host));
  return ksr::transport::make_transport([addresses](const std::string&) -> Expected<Addresses> { return addresses; });
}

std::size_t open_sockets() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry, gone).string().rfind("socket:", 0) == 0) ++count;
  }
  return count;
}

Addresses loopback() {
  return {boost::asio::ip::make_address("127.0.0.1")};
}

// `first`, and then `again` over and over, a byte at a time until the other side is gone.
void drip(Peer& peer, const std::string& first, const std::string& again) {
  for (std::size_t i = 0;; ++i) {
    const char next = i < first.size() ? first[i] : again[(i - first.size()) % again.size()];
    if (!peer.send(std::string(1, next))) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace

TEST_CASE("a refused connection is 502 and says where and why") {
  const std::string server = "127.0.0.1:" + std::to_string(closed_port());
  const auto error = outcome_of(connect("http://" + server), request_for("/"));
  REQUIRE(error);
  CHECK(error->status == Status::transport);
  CHECK(error->http_status == 502);
  CHECK(error->message == "connecting to " + server + ": Connection refused");
}

TEST_CASE("a server that does not answer is 408") {
  Silence silence;
  Request request = request_for("/");
  request.response_timeout = Milliseconds(50);
  const auto error = outcome_of(connect(silence.server.url()), request);
  REQUIRE(error);
  CHECK(error->status == Status::timeout);
  CHECK(error->http_status == 408);
  CHECK(error->message == "waiting for the response of " + silence.server.authority() + ": nothing received for 50 ms");
}

TEST_CASE("a body that stops is 408, and what came before restarts the idle time") {
  RawServer server([](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 5; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(40));
      peer.send("1\r\nx\r\n");
    }
    peer.wait_for_close();
  });
  Request request = request_for("/");
  request.idle_timeout = Milliseconds(2000);
  Listener listener;
  listener.get(connect(server.url()), request);
  REQUIRE(listener.wait_for_end());
  CHECK(listener.body() == "xxxxx");
  REQUIRE(listener.error());
  CHECK(listener.error()->http_status == 408);
}

TEST_CASE("a TLS handshake that never ends is 408 by the connect timeout") {
  Silence silence;
  ConnectionSettings settings;
  settings.server = ksr::testing::url_of(silence.server.tls_url());
  settings.connect_timeout = Milliseconds(50);
  const auto error = outcome_of(connect(settings), request_for("/"));
  REQUIRE(error);
  CHECK(error->http_status == 408);
  CHECK(error->message.find("TLS handshake") != std::string::npos);
}

TEST_CASE("name, proxy and TLS handshake have one limit as a whole: bytes that drip do not extend it") {
  // A record of 16 KiB with a ServerHello that fills it.
  const std::string hello("\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", 9);
  const std::string interim = "HTTP/1.1 100 Continue\r\n\r\n";
  const auto check = [](bool through_proxy, const std::string& step, const RawServer::Script& script) {
    CAPTURE(step);
    RawServer server(script);
    const auto transport = ksr::transport::make_transport([](const std::string&) -> Expected<Addresses> {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      return loopback();
    });
    const std::string name = "name.test:" + std::to_string(server.port());
    ConnectionSettings settings;
    settings.server = ksr::testing::url_of("https://" + (through_proxy ? "server.test" : name));
    if (through_proxy) settings.proxy = ksr::testing::proxy_of("http://" + name);
    settings.connect_timeout = Milliseconds(500);
    std::shared_ptr<Connection> connection;
    on_network([&] { connection = *transport->connect(settings); });
    connection = released_on_network(std::move(connection));
    Listener http, websocket;
    http.get(connection, request_for("/"));
    websocket.open_websocket(connection, request_for("/"));
    for (Listener* const listener : {&http, &websocket}) {
      REQUIRE(listener->wait_for_end());
      REQUIRE(listener->error());
      CAPTURE(listener->error()->message);
      CHECK(listener->error()->http_status == 408);
      CHECK(listener->error()->message.find(step) == 0);
      CHECK(listener->error()->message.find("not done within 500 ms") != std::string::npos);
    }
  };
  check(true, "asking proxy ", [](Peer& peer) { drip(peer, "HTTP/1.1 200 OK\r\nX: ", "x"); });
  check(true, "asking proxy ", [&](Peer& peer) { drip(peer, "", interim); });
  check(false, "TLS handshake ", [&](Peer& peer) { drip(peer, hello, "x"); });
  check(true, "TLS handshake ", [&](Peer& peer) {
    peer.send(interim);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    peer.send("HTTP/1.1 200 OK\r\n\r\n");
    peer.receive_head();
    peer.receive();
    drip(peer, hello, "x");
  });
}

TEST_CASE("a response head has a limit as a whole: bytes that drip do not extend it") {
  for (const auto& [first, again] :
       std::vector<std::pair<std::string, std::string>>{{"HTTP/1.1 200 OK\r\nX: ", "x"},
                                                        {"HTTP/1.1 101 Switching Protocols\r\nX: ", "x"},
                                                        {"", "HTTP/1.1 100 Continue\r\n\r\n"}}) {
    CAPTURE(first);
    RawServer server([bytes = first, more = again](Peer& peer) {
      peer.receive_head();
      drip(peer, bytes, more);
    });
    const auto connection = connect(server.url());
    Request request = request_for("/");
    request.response_timeout = Milliseconds(300);
    Listener http, websocket;
    http.get(connection, request);
    websocket.open_websocket(connection, request);
    for (Listener* const listener : {&http, &websocket}) {
      REQUIRE(listener->wait_for_end());
      REQUIRE(listener->error());
      CAPTURE(listener->error()->message);
      CHECK(listener->error()->http_status == 408);
      CHECK(listener->error()->message.find("waiting for the response of " + server.authority()) == 0);
      CHECK(listener->error()->message.find("was not complete within 300 ms") != std::string::npos);
      CHECK(listener->heads() == 0);
    }
  }
}

TEST_CASE("a connection that ends within the TLS handshake is no failure of TLS") {
  // What a server sends before it closes: nothing, the beginning of a record, close_notify.
  for (const std::string& bytes : {std::string(), std::string("\x16\x03\x03\x00\x7a\x02\x00", 7),
                                   std::string("\x15\x03\x03\x00\x02\x01\x00", 7)}) {
    for (const bool reset : {false, true}) {
      for (const bool through_proxy : {false, true}) {
        for (const bool websocket : {false, true}) {
          CAPTURE(bytes.size());
          CAPTURE(reset);
          CAPTURE(through_proxy);
          CAPTURE(websocket);
          RawServer server([&](Peer& peer) {
            if (through_proxy) {
              peer.receive_head();
              peer.send("HTTP/1.1 200 Connection established\r\n\r\n");
            }
            peer.receive();
            if (!bytes.empty()) peer.send(bytes);
            reset ? peer.reset() : peer.shut_down();
          });
          ConnectionSettings settings;
          settings.server = ksr::testing::url_of(through_proxy ? "https://server.test" : server.tls_url());
          if (through_proxy) settings.proxy = ksr::testing::proxy_of(server.url());
          Listener listener;
          const auto connection = connect(settings);
          websocket ? listener.open_websocket(connection, request_for("/"))
                    : listener.get(connection, request_for("/"));
          REQUIRE(listener.wait_for_end());
          REQUIRE(listener.error());
          CAPTURE(listener.error()->message);
          CHECK(listener.error()->status == Status::transport);
          CHECK(listener.error()->http_status == 502);
          CHECK(listener.error()->message.find("TLS handshake with ") == 0);
        }
      }
    }
  }
}

TEST_CASE("a name that does not resolve is 502, and literals are never looked up") {
  const auto transport = ksr::transport::make_transport([](const std::string& host) -> Expected<Addresses> {
    return Error{Status::transport, "resolving " + host + ": no such name", {}, 502};
  });
  const auto error = outcome_of(connect_by(*transport, "http://nowhere.test"), request_for("/"));
  REQUIRE(error);
  CHECK(error->status == Status::transport);
  CHECK(error->message == "resolving nowhere.test: no such name");
  RawServer server([](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 204 X\r\n\r\n");
  });
  CHECK_FALSE(outcome_of(connect_by(*transport, server.url()), request_for("/")));
}

TEST_CASE("of several addresses each one that refuses is told") {
  const auto transport = named({"127.0.0.2", "127.0.0.1"});
  RawServer server([](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 204 X\r\n\r\n");
  });
  // 127.0.0.2 is loopback too, and has no listener.
  CHECK_FALSE(
      outcome_of(connect_by(*transport, "http://name.test:" + std::to_string(server.port())), request_for("/")));
  const std::string closed = "name.test:" + std::to_string(closed_port());
  const auto none = outcome_of(connect_by(*transport, "http://" + closed), request_for("/"));
  REQUIRE(none);
  CHECK(none->status == Status::transport);
  CHECK(none->message == "connecting to " + closed + ": 127.0.0.2: Connection refused; 127.0.0.1: Connection refused");
  const auto many = named({"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7"});
  const auto of_six = outcome_of(connect_by(*many, "http://" + closed), request_for("/"));
  REQUIRE(of_six);
  CHECK(of_six->message.find("127.0.0.5: Connection refused; 2 more") != std::string::npos);
}

TEST_CASE("addresses that drop packets do not delay the next one, for a server and for a proxy") {
  std::atomic<int> connected{0};
  RawServer server([&](Peer& peer) {
    ++connected;
    peer.receive_head();
    peer.send("HTTP/1.1 204 X\r\n\r\n");
  });
  const SilentAddress first("127.0.0.2", server.port());
  const SilentAddress second("127.0.0.3", server.port());
  const auto transport = named({"127.0.0.2", "127.0.0.3", "127.0.0.1"});
  const std::string url = "http://name.test:" + std::to_string(server.port());
  ConnectionSettings settings;
  settings.server = ksr::testing::url_of(url);
  // Less than 2 s for each, which was what an address had alone.
  settings.connect_timeout = Milliseconds(4'000);
  SUBCASE("a server") {}
  SUBCASE("a proxy") {
    settings.server = ksr::testing::url_of("http://server.test");
    settings.proxy = ksr::testing::proxy_of(url);
  }
  const auto error = outcome_of(connect_by(*transport, settings), request_for("/"));
  CHECK((error ? error->message : "") == "");
  CHECK(connected == 1);
}

TEST_CASE("what is not done in time tells the addresses, IPv4 and IPv6 in turn") {
  const SilentAddress first("127.0.0.2");
  const SilentAddress second("127.0.0.3", first.port());
  const SilentAddress third("::1", first.port());
  const auto transport = named({"127.0.0.2", "127.0.0.3", "127.0.0.4", "::1"});
  const std::string server = "name.test:" + std::to_string(first.port());
  const auto connection = connect_by(*transport, "http://" + server, 2'000);
  const auto error = outcome_of(connection, request_for("/"));
  REQUIRE(error);
  CHECK(error->status == Status::timeout);
  CHECK(error->message == "connecting to " + server + " at 127.0.0.2, ::1, 127.0.0.3: not done within 2 s");
}

TEST_CASE("an exchange says what it does while there is no connection, and leaves no socket of it when it is dropped") {
  const SilentAddress first("127.0.0.2");
  const SilentAddress second("127.0.0.3", first.port());
  const SilentAddress third("127.0.0.4", first.port());
  const auto transport = named({"127.0.0.2", "127.0.0.3", "127.0.0.4"});
  const std::string server = "name.test:" + std::to_string(first.port());
  const auto connection = connect_by(*transport, "http://" + server);
  const std::string all = "connecting to " + server + " at 127.0.0.2, 127.0.0.3, 127.0.0.4";
  for (const bool websocket : {false, true}) {
    CAPTURE(websocket);
    Listener listener;
    const std::size_t before = open_sockets();
    websocket ? listener.open_websocket(connection, request_for("/")) : listener.get(connection, request_for("/"));
    std::string step;
    for (int i = 0; i < 1'000 && step != all; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      on_network([&] { step = listener.exchange->connecting(); });
    }
    CHECK(step == all);
    CHECK(open_sockets() == before + 3);
    listener.drop();
    CHECK(open_sockets() == before);
    CHECK(listener.silent_since_drop());
  }
}

TEST_CASE("of many addresses that drop packets eight are tried at a time") {
  const SilentAddress first("127.0.0.2");
  std::vector<std::unique_ptr<SilentAddress>> others;
  std::vector<std::string> hosts{"127.0.0.2"};
  for (int i = 3; i < 12; ++i) {
    hosts.push_back("127.0.0." + std::to_string(i));
    others.push_back(std::make_unique<SilentAddress>(hosts.back(), first.port()));
  }
  const auto transport = named(hosts);
  const auto connection = connect_by(*transport, "http://name.test:" + std::to_string(first.port()), 5'000);
  const auto error = outcome_of(connection, request_for("/"));
  REQUIRE(error);
  CHECK(error->message.find(" at 127.0.0.4, 127.0.0.5, 127.0.0.6, 127.0.0.7, 4 more: not done") != std::string::npos);
}

TEST_CASE("a slow name delays no other exchange, counts towards the connect timeout, and can be cancelled") {
  std::promise<void> slow_may_end;
  const auto slow_end = slow_may_end.get_future().share();
  const auto transport = ksr::transport::make_transport([slow_end](const std::string& host) -> Expected<Addresses> {
    if (host == "slow.test") slow_end.wait();
    return loopback();
  });
  RawServer server([](Peer& peer) {
    while (!peer.receive_head().empty()) peer.send("HTTP/1.1 204 X\r\n\r\n");
  });
  const std::string port = std::to_string(server.port());
  Listener waiting;
  waiting.get(connect_by(*transport, "http://slow.test:" + port), request_for("/"));
  CHECK_FALSE(outcome_of(connect_by(*transport, "http://fast.test:" + port), request_for("/")));
  CHECK_FALSE(outcome_of(connect_by(*transport, server.url()), request_for("/")));
  const auto error = outcome_of(connect_by(*transport, "http://slow.test:" + port, 50), request_for("/"));
  REQUIRE(error);
  CHECK(error->http_status == 408);
  CHECK(error->message.find("resolving slow.test") != std::string::npos);
  CHECK(waiting.ends() == 0);
  waiting.drop();
  Listener patient;
  patient.get(connect_by(*transport, "http://slow.test:" + port), request_for("/"));
  slow_may_end.set_value();
  REQUIRE(patient.wait_for_end());
  CHECK_FALSE(patient.error());
  CHECK(waiting.silent_since_drop());
}

TEST_CASE("a look-up that hangs for ever is bounded each time, and does not keep its name from being looked up again") {
  std::promise<void> may_end;
  const auto end = may_end.get_future().share();
  std::atomic<int> lookups{0};
  const auto transport = ksr::transport::make_transport([&lookups, end](const std::string&) -> Expected<Addresses> {
    if (++lookups == 1) end.wait();
    return loopback();
  });
  RawServer server([](Peer& peer) {
    while (!peer.receive_head().empty()) peer.send("HTTP/1.1 204 X\r\n\r\n");
  });
  const std::string url = "http://name.test:" + std::to_string(server.port());
  std::optional<Error> error = outcome_of(connect_by(*transport, url, 500), request_for("/"));
  REQUIRE(error);
  CHECK(error->http_status == 408);
  for (int i = 0; i < 30 && error; ++i) error = outcome_of(connect_by(*transport, url, 500), request_for("/"));
  CHECK_FALSE(error);
  CHECK(lookups == 2);
  may_end.set_value();
}

TEST_CASE("a hundred names that hang do not delay another one") {
  std::promise<void> may_end;
  const auto end = may_end.get_future().share();
  const auto transport = ksr::transport::make_transport([end](const std::string& host) -> Expected<Addresses> {
    if (host != "fast.test") end.wait();
    return loopback();
  });
  RawServer server([](Peer& peer) {
    while (!peer.receive_head().empty()) peer.send("HTTP/1.1 204 X\r\n\r\n");
  });
  const std::string port = std::to_string(server.port());
  std::vector<std::unique_ptr<Listener>> hanging;
  for (int i = 0; i < 100; ++i) {
    hanging.push_back(std::make_unique<Listener>());
    hanging.back()->get(connect_by(*transport, "http://slow-" + std::to_string(i) + ".test:" + port), request_for("/"));
  }
  CHECK_FALSE(outcome_of(connect_by(*transport, "http://fast.test:" + port), request_for("/")));
  for (const auto& listener : hanging) CHECK(listener->ends() == 0);
  may_end.set_value();
  for (const auto& listener : hanging) CHECK(listener->wait_for_end());
}

TEST_CASE("an exchange can be dropped in every phase, and its observer is not called any more") {
  RawServer server([](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    peer.wait_for_close();
  });
  const auto connection = connect(server.url());
  SUBCASE("at once") {
    Listener listener;
    on_network([&] {
      listener.exchange = connection->send(request_for("/"), listener);
      listener.exchange.reset();
    });
    listener.drop();
    CHECK(listener.silent_since_drop());
    CHECK(listener.heads() == 0);
  }
  SUBCASE("while waiting for the response") {
    Silence silence;
    Listener listener;
    listener.get(connect(silence.server.url()), request_for("/"));
    listener.drop();
    CHECK(listener.silent_since_drop());
  }
  SUBCASE("within the body") {
    Listener listener;
    listener.get(connection, request_for("/"));
    REQUIRE(listener.wait_for_body(3));
    listener.drop();
    CHECK(listener.silent_since_drop());
  }
  SUBCASE("within the TLS handshake") {
    Silence silence;
    Listener listener;
    listener.get(connect(silence.server.tls_url()), request_for("/"));
    while (silence.server.connections() == 0) std::this_thread::yield();
    listener.drop();
    CHECK(listener.silent_since_drop());
  }
  for (const auto point : {Listener::Point::head, Listener::Point::body, Listener::Point::end}) {
    Listener listener;
    int calls_after = 0;
    bool dropped = false;
    listener.at = [&](Listener::Point now) {
      if (dropped) ++calls_after;
      if (now == point) {
        listener.exchange.reset();
        dropped = true;
      }
    };
    Request request = request_for("/");
    request.idle_timeout = Milliseconds(100);
    listener.get(connection, request);
    REQUIRE((point == Listener::Point::end ? listener.wait_for_end() : listener.wait_for_head()));
    if (point == Listener::Point::body) REQUIRE(listener.wait_for_body(3));
    listener.drop();
    CHECK(listener.silent_since_drop());
    CHECK(calls_after == 0);
  }
}

TEST_CASE("settings that can never work are refused at once") {
  const auto refusal = [](ConnectionSettings settings) {
    std::optional<Error> error;
    on_network([&] {
      const auto outcome = ksr::transport::real_transport().connect(settings);
      if (!outcome) error = outcome.error();
    });
    REQUIRE(error);
    CHECK(error->status == Status::invalid);
    return error->message;
  };
  ConnectionSettings settings;
  settings.server = ksr::testing::url_of("https://x");
  settings.tls.ca_pem = "no PEM";
  CHECK(refusal(settings).find("CA certificates") != std::string::npos);
  settings.tls.ca_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  CHECK(refusal(settings).find("CA certificates") != std::string::npos);
}
