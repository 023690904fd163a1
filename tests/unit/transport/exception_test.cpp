// An exception on the network thread belongs to the exchange in which it was thrown; the others go on.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/allocation_failure.hpp"
#include "support/urls.hpp"
#include "support/wait_limit.hpp"
#include "unit/transport/listener.hpp"
#include "unit/transport/raw_server.hpp"
#include "unit/transport/websocket_peer.hpp"

using namespace test;
using Point = Listener::Point;

namespace {

void answer_in_two_pieces(Peer& peer) {
  if (peer.receive_head().empty()) return;
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
  peer.send("def");
  peer.wait_for_close();
}

void send_one_message(Peer& peer) {
  accept_websocket(peer);
  peer.send(frame(text_frame, "one"));
  peer.wait_for_close();
}

// How an exchange ends whose observer throws once, at `where`.
template <class Failure>
std::optional<Error> outcome_of_throwing(bool websocket, Point where, const Failure& failure) {
  RawServer server([&](Peer& peer) { websocket ? send_one_message(peer) : answer_in_two_pieces(peer); });
  Listener listener;
  listener.at = [&](Point point) {
    if (point == where) throw failure;
  };
  const auto connection = connect(server.url());
  websocket ? listener.open_websocket(connection, request_for("/")) : listener.get(connection, request_for("/"));
  REQUIRE(listener.wait_for_end());
  CHECK(listener.ends() == 1);
  return listener.error();
}

// Allocates nothing.
struct EndNote final : ksr::transport::ExchangeObserver {
  void on_head(const ResponseHead&) override {}
  void on_body(std::string_view) override {}
  void on_end(const std::optional<Error>&) override { ended.set_value(); }
  std::promise<void> ended;
};

// What the server receives of a handshake during which the allocation after `left` others fails.
std::string handshake_without_memory(std::size_t left, bool& has_failed) {
  std::string seen;
  std::unique_ptr<Exchange> exchange;
  EndNote observer;
  auto ended = observer.ended.get_future();
  bool opened = false;
  {
    RawServer server([&](Peer& peer) {
      while (seen.find("\r\n\r\n") == std::string::npos) {
        const std::string more = peer.receive();
        if (more.empty()) return;
        seen += more;
      }
      peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
      peer.wait_for_close();
    });
    auto connection = connect(server.url());
    Request request = request_for("/api/v1/pods?watch=1");
    request.headers = {{"Authorization", "Bearer x"}};
    request.subprotocol = "first.channel.k8s.io, second.channel.k8s.io";
    request.response_timeout = Milliseconds(2000);
    on_network([&] {
      ksr::testing::allocations_left = left;
      try {
        exchange = connection->open_websocket(request, observer);
        opened = true;
      } catch (const std::bad_alloc&) {
      }
    });
    if (opened) CHECK(ended.wait_for(ksr::testing::kWaitLimit) == std::future_status::ready);
    on_network([&] {
      has_failed = std::exchange(ksr::testing::allocations_left, ksr::testing::kNever) == ksr::testing::kNever;
      exchange.reset();
      connection.reset();
    });
  }
  return seen;
}

}  // namespace

TEST_CASE("whichever allocation of a handshake fails, the server receives the whole head or nothing") {
  bool has_failed = true;
  std::size_t left = 0;
  for (; has_failed; ++left) {
    const std::string seen = handshake_without_memory(left, has_failed);
    if (seen.empty()) continue;
    CAPTURE(left);
    CAPTURE(seen);
    CHECK(seen.find("GET /api/v1/pods?watch=1 HTTP/1.1\r\n") == 0);
    CHECK(seen.find("\r\n\r\n") == seen.size() - 4);
    CHECK(header_value(seen, "Upgrade") == "websocket");
    CHECK_FALSE(header_value(seen, "Sec-WebSocket-Key").empty());
    CHECK(header_value(seen, "Sec-WebSocket-Protocol") == "first.channel.k8s.io, second.channel.k8s.io");
    CHECK(header_value(seen, "Authorization") == "Bearer x");
  }
  // Otherwise nothing was tried.
  CHECK(left > 50);
}

TEST_CASE("an exchange in which an exception is thrown ends with an error that says which, on one line") {
  for (const bool websocket : {false, true}) {
    CAPTURE(websocket);
    for (const Point where : {Point::head, Point::body}) {
      const auto error = outcome_of_throwing(websocket, where, std::runtime_error("first line\r\nsecond\x1b[0m"));
      REQUIRE(error);
      CHECK(error->status == Status::internal);
      CHECK(error->message.find("127.0.0.1:") != std::string::npos);
      CHECK(error->message.find("first line  second?[0m") != std::string::npos);
    }
  }
}

TEST_CASE("an exchange for which there is no memory ends with out_of_memory") {
  for (const bool websocket : {false, true}) {
    CAPTURE(websocket);
    for (const Point where : {Point::head, Point::body}) {
      const auto error = outcome_of_throwing(websocket, where, std::bad_alloc());
      REQUIRE(error);
      CHECK(error->status == Status::out_of_memory);
    }
  }
}

TEST_CASE("a message that cannot be taken in ends the exchange, too") {
  const auto error = outcome_of_throwing(true, Point::message_end, std::length_error("too long"));
  REQUIRE(error);
  CHECK(error->status == Status::internal);
}

TEST_CASE("an exception that is of no known type is an error like any other") {
  const auto error = outcome_of_throwing(false, Point::body, 7);
  REQUIRE(error);
  CHECK(error->status == Status::internal);
}

TEST_CASE("an exception in one exchange leaves the others of the same connection as they are") {
  std::promise<void> thrown;
  RawServer server([&](Peer& peer) {
    const bool patient = peer.receive_head().find("/good") != std::string::npos;
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
    if (patient) thrown.get_future().wait();
    peer.send("def");
    peer.wait_for_close();
  });
  const auto connection = connect(server.url());
  Listener good;
  good.get(connection, request_for("/good"));
  REQUIRE(good.wait_for_body(3));
  Listener bad;
  bad.at = [](Point point) {
    if (point == Point::body) throw std::runtime_error("bad");
  };
  bad.get(connection, request_for("/bad"));
  CHECK(bad.wait_for_end());
  thrown.set_value();
  REQUIRE(good.wait_for_body(6));
  REQUIRE(good.wait_for_end());
  CHECK_FALSE(good.error());
}

TEST_CASE("a resolver that throws fails the exchanges that wait for its answer") {
  const auto transport = ksr::transport::make_transport(
      [](const std::string&) -> Expected<ksr::transport::Addresses> { throw std::runtime_error("no such luck"); });
  std::shared_ptr<Connection> connection;
  ConnectionSettings settings;
  settings.server = ksr::testing::url_of("http://name.test");
  on_network([&] { connection = *transport->connect(settings); });
  connection = released_on_network(std::move(connection));
  Listener listener;
  listener.get(connection, request_for("/"));
  REQUIRE(listener.wait_for_end());
  REQUIRE(listener.error());
  CHECK(listener.error()->status == Status::internal);
  CHECK(listener.error()->message.find("no such luck") != std::string::npos);
}

TEST_CASE("names that cannot be verified are refused at once, and clearly") {
  for (const char* name : {"fe80::1%lo", "::1%1", "*", "*.example.test", ".example.test", "a..b", "example.test..", ".",
                           "a b", "-", "a/b", "[::1]", "1.2.3.4.", "\xc3\xa9.test"}) {
    CAPTURE(name);
    ConnectionSettings settings;
    settings.server = ksr::testing::url_of("https://127.0.0.1:1");
    settings.tls.server_name = name;
    std::optional<Expected<std::shared_ptr<Connection>>> outcome;
    on_network([&] { outcome = ksr::transport::real_transport().connect(settings); });
    REQUIRE_FALSE(outcome->has_value());
    CHECK(outcome->error().status == Status::invalid);
    CHECK(outcome->error().message.find("tls_server_name") != std::string::npos);
  }
  for (const char* name : {"kubernetes", "kubernetes.default.svc", "127.0.0.1", "::1", "fe80::1", "a_b.test",
                           "example.test.", "xn--bcher-kva.example"}) {
    CAPTURE(name);
    ConnectionSettings settings;
    settings.server = ksr::testing::url_of("https://127.0.0.1:1");
    settings.tls.server_name = name;
    connect(settings);
  }
}

TEST_CASE("a task whose exception is no one's is lost, other tasks run, and what is lost is recovered") {
  struct Seen {
    std::atomic<int> recoveries{0};
    std::promise<Error> recovered;
  };
  const auto seen = std::make_shared<Seen>();
  network_thread().on_lost_task([seen](const Error& error) {
    // It runs again until it no longer throws.
    if (++seen->recoveries == 1) throw std::bad_alloc();
    if (seen->recoveries == 2) seen->recovered.set_value(error);
  });
  network_thread().post([] { throw std::bad_alloc(); });
  on_network([] {});
  auto recovered = seen->recovered.get_future();
  REQUIRE(recovered.wait_for(ksr::testing::kWaitLimit) == std::future_status::ready);
  CHECK(recovered.get().status == Status::out_of_memory);
  network_thread().on_lost_task([](const Error&) {});
}
