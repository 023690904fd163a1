// Tests the choice between WebSocket and HTTP.
#include <doctest/doctest.h>

#include <algorithm>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;

namespace {

Options transport(WatchTransport wanted) {
  Options options = plain();
  options.transport = wanted;
  return options;
}

}  // namespace

TEST_CASE("transport=auto watches over WebSocket first; http and websocket allow only that") {
  for (const auto& [wanted, websocket] :
       {std::pair(WatchTransport::automatic, true), std::pair(WatchTransport::websocket, true),
        std::pair(WatchTransport::http, false)}) {
    Rig rig(transport(wanted));
    rig.start();
    rig.list({}, "10");
    CHECK(rig.last().watch.websocket == websocket);
  }
}

TEST_CASE("a handshake that a gateway refuses: HTTP at once, remembered for the server, logged once") {
  for (const int code : {200, 302, 400, 401, 403, 404, 405, 426, 500, 501, 502, 503, 504}) {
    CAPTURE(code);
    auto server_state = std::make_shared<ServerState>();
    Rig rig(transport(WatchTransport::automatic), server_state);
    rig.start();
    rig.list({}, "10");
    rig.fail(http_error(code));
    REQUIRE(rig.requests.size() == 3);
    CHECK_FALSE(rig.last().watch.websocket);
    CHECK(rig.last().watch.resource_version == "10");
    CHECK(rig.errors.empty());
    CHECK(rig.credentials_refreshed == 0);
    rig.open();
    CHECK(rig.state() == State::live);
    CHECK(rig.reflector.transport() == WatchTransport::http);
    CHECK(std::count_if(rig.logger.lines.begin(), rig.logger.lines.end(), [](const std::string& line) {
            return line.find("watching over HTTP, since the WebSocket handshake was refused") != std::string::npos;
          }) == 1);
    const std::size_t lines = rig.logger.lines.size();
    rig.end();
    CHECK_FALSE(rig.last().watch.websocket);
    rig.open();
    CHECK(rig.logger.lines.size() == lines);

    Rig other(transport(WatchTransport::automatic), server_state);
    other.start();
    other.list({}, "10");
    CHECK_FALSE(other.last().watch.websocket);
  }
}

TEST_CASE("410 without a Status costs a list, and HTTP the second time") {
  Rig rig(transport(WatchTransport::automatic));
  rig.start();
  for (int i = 0; i < 2; ++i) {
    rig.list({}, "10");
    CHECK(rig.last().watch.websocket);
    rig.fail(http_error(410));
    rig.advance(60s);
    REQUIRE_FALSE(rig.last().is_watch);
  }
  rig.list({}, "10");
  CHECK_FALSE(rig.last().watch.websocket);
}

TEST_CASE("a handshake that is answered by something that is no HTTP upgrade") {
  Rig rig(transport(WatchTransport::automatic));
  rig.start();
  rig.list({}, "10");
  rig.fail(protocol_error());
  CHECK_FALSE(rig.last().watch.websocket);
  CHECK(rig.errors.empty());
}

TEST_CASE("a request that is refused over HTTP in the same way says nothing about WebSocket") {
  auto server_state = std::make_shared<ServerState>();
  Rig rig(transport(WatchTransport::automatic), server_state);
  rig.start();
  rig.list({}, "10");
  rig.fail(http_error(400));
  CHECK_FALSE(server_state->transport().websocket(rig.now));
  rig.fail(http_error(400), api_status(400, "BadRequest"));
  CHECK_FALSE(rig.errors.at(0).next_try);
  CHECK(server_state->transport().websocket(rig.now));
}

TEST_CASE("a refusal over HTTP is taken for the API's word, whatever the handshake was refused with") {
  Rig rig(transport(WatchTransport::automatic));
  rig.start();
  rig.list({}, "10");
  rig.fail(http_error(403));
  rig.fail(http_error(403), api_status(403, "Forbidden"));
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].error.status == Status::forbidden);
  CHECK(rig.errors[0].next_try == 30s);
}

TEST_CASE("WebSocket is tried again after an hour, beside the watch that is open") {
  Options options = transport(WatchTransport::automatic);
  options.watch_timeout = 60s;
  Rig rig(options);
  rig.start();
  rig.list({}, "10");
  rig.fail(http_error(403));
  rig.open();
  const Instant begin = rig.now;
  while (!rig.last().watch.websocket && rig.now - begin < 2h) {
    rig.advance(50s);
    if (!rig.last().watch.websocket) rig.open();
    rig.bookmark(std::to_string(100 + rig.requests.size()));
  }
  CHECK(rig.now - begin >= 1h);
  REQUIRE(rig.last().watch.websocket);
  CHECK(rig.state() == State::live);
  rig.fail(http_error(403));
  CHECK_FALSE(rig.last().watch.websocket);
  CHECK(rig.state() == State::live);
  CHECK(rig.errors.empty());
}

TEST_CASE("two WebSockets that pass on nothing: HTTP, whatever ends them") {
  for (const int how : {0, 1, 2}) {
    CAPTURE(how);
    auto server_state = std::make_shared<ServerState>();
    Rig rig(transport(WatchTransport::automatic), server_state);
    rig.start();
    rig.list({}, "10");
    for (int i = 0; i < 2; ++i) {
      REQUIRE(rig.last().is_watch);
      CHECK(rig.last().watch.websocket);
      rig.open();
      rig.advance(how == 2 ? 45s : 1s);
      if (how == 0) {
        rig.end();
      } else {
        rig.fail(how == 1 ? unreachable_error() : timeout_error());
      }
      rig.advance(60s);
      if (!rig.last().is_watch) rig.list({}, "10");
    }
    REQUIRE(rig.last().is_watch);
    CHECK_FALSE(rig.last().watch.websocket);
    rig.open();
    rig.bookmark("11");
    CHECK(rig.state() == State::live);
    rig.advance(10s);
    rig.end();
    CHECK_FALSE(rig.last().watch.websocket);
  }
}

TEST_CASE("WebSockets with messages, or that end at their time, are no reason for HTTP") {
  Options options = transport(WatchTransport::automatic);
  options.watch_timeout = 30s;
  for (const bool message : {false, true}) {
    Rig rig(options);
    rig.go_live();
    rig.bookmark("11");
    for (int i = 0; i < 3; ++i) {
      const RequestId id = rig.last().id;
      if (message) rig.bookmark(std::to_string(20 + i));
      rig.advance(message ? 1s : 30s);
      if (rig.last().id != id)
        rig.open();
      else
        rig.end();
      rig.advance(31s);
      CHECK(rig.last().watch.websocket);
      rig.open();
    }
  }
}

TEST_CASE("a WebSocket that is open and passes on nothing is replaced after 90 s, and by HTTP the second time") {
  Rig rig(transport(WatchTransport::automatic));
  rig.go_live();
  rig.advance(90s);
  REQUIRE(rig.requests.size() == 3);
  CHECK(rig.last().watch.websocket);
  CHECK(rig.state() == State::live);
  rig.open();
  rig.advance(90s);
  REQUIRE(rig.requests.size() == 4);
  CHECK_FALSE(rig.last().watch.websocket);
  rig.open();
  CHECK(rig.errors.empty());
  CHECK(rig.state() == State::live);
  rig.advance(80s);
  CHECK(rig.requests.size() == 4);
}

TEST_CASE("its successor is given up when it does not get through, and the watch continues") {
  Rig rig(transport(WatchTransport::automatic));
  rig.go_live();
  rig.advance(90s);
  REQUIRE(rig.requests.size() == 3);
  rig.advance(149s);
  CHECK_FALSE(rig.last().stopped);
  rig.advance(1s);
  CHECK(rig.requests[2].stopped);
  CHECK_FALSE(rig.requests[1].stopped);
  CHECK(rig.state() == State::live);
  CHECK(rig.errors.empty());
}

TEST_CASE("one that has passed on a message keeps its transport, however silent it is") {
  Rig rig(transport(WatchTransport::automatic));
  rig.go_live();
  rig.event(json::EventType::added, pod("b", "11"));
  rig.advance(140s);
  CHECK(rig.requests.size() == 2);
  rig.advance(60s);
  CHECK(rig.last().watch.websocket);
}

TEST_CASE("WatchList over a mute WebSocket: a list, and the watch over HTTP after the second") {
  auto server_state = std::make_shared<ServerState>();
  Options options;
  options.initial = Initial::watchlist;
  options.resource = "v1/pods";
  Rig rig(options, server_state);
  rig.start();
  rig.open();
  rig.advance(30s);
  REQUIRE_FALSE(rig.last().is_watch);
  // It was the transport, as far as is known.
  CHECK_FALSE(server_state->watchlist_refused("v1/pods#0"));
  rig.list({pod("a", "3")}, "10");
  CHECK(rig.last().watch.websocket);
  rig.open();
  rig.fail(timeout_error());
  rig.advance(1s);
  CHECK_FALSE(rig.last().watch.websocket);
}

TEST_CASE("several WebSockets that one event has ended count once") {
  TransportChoice choice;
  const Instant now{1h};
  for (int i = 0; i < 5; ++i) choice.note_fruitless(true, now, now + 10s);
  CHECK(choice.websocket(now + 10s));
  choice.note_fruitless(true, now + 11s, now + 12s);
  CHECK_FALSE(choice.websocket(now + 12s));
}

TEST_CASE("where neither transport gets through they take turns") {
  TransportChoice choice;
  Instant now{1h};
  choice.note_refused(403, now);
  CHECK_FALSE(choice.websocket(now));
  for (int i = 0; i < 4; ++i) {
    now += 1s;
    const bool websocket = choice.websocket(now);
    choice.note_fruitless(websocket, now, now);
    now += 1s;
    choice.note_fruitless(websocket, now, now);
    CHECK(choice.websocket(now) != websocket);
  }
}

TEST_CASE(
    "where neither transport gets through a stream takes the other one than last, whatever other streams have seen") {
  auto server_state = std::make_shared<ServerState>();
  TransportChoice& choice = server_state->transport();
  Options options = transport(WatchTransport::automatic);
  options.watch_timeout = 10min;
  Rig rig(options, server_state);
  server_state->path().note_event_came(rig.now);
  rig.go_live();
  rig.bookmark("11");
  for (const bool websocket : {true, false}) {
    choice.note_fruitless(websocket, rig.now + 1s, rig.now + 2s);
    choice.note_fruitless(websocket, rig.now + 3s, rig.now + 4s);
  }
  rig.advance(10s);
  rig.end();
  rig.advance(10s);
  for (int i = 0; i < 4; ++i) {
    CAPTURE(i);
    REQUIRE(rig.last().is_watch);
    const bool websocket = rig.last().watch.websocket;
    rig.open();
    server_state->path().note_event_came(rig.now);
    // Those of other streams were quiet meanwhile, and it is their turn over the same transport again.
    rig.advance(298s);
    choice.note_fruitless(websocket, rig.now, rig.now);
    rig.advance(1s);
    choice.note_fruitless(!websocket, rig.now, rig.now);
    const std::size_t before = rig.requests.size();
    rig.advance(1s);
    REQUIRE(rig.requests.size() == before + 1);
    CHECK(rig.last().watch.websocket != websocket);
  }
}

TEST_CASE("transport=websocket: a refused handshake ends the stream") {
  Rig rig(transport(WatchTransport::websocket));
  rig.start();
  rig.list({}, "10");
  rig.fail(http_error(400));
  REQUIRE(rig.errors.size() == 1);
  CHECK_FALSE(rig.errors[0].next_try);
}

TEST_CASE("transport=websocket: a handshake that a gateway answers with a page is retried") {
  Rig rig(transport(WatchTransport::websocket));
  rig.start();
  rig.list({}, "10");
  rig.fail(http_error(200));
  REQUIRE(rig.errors.size() == 1);
  REQUIRE(rig.errors[0].next_try);
  rig.advance(60s);
  CHECK(rig.last().is_watch);
  CHECK(rig.last().watch.websocket);
}

TEST_CASE("answers to the request itself do not change the transport") {
  for (const auto& [code, reason] :
       {std::pair(401, "Unauthorized"), std::pair(403, "Forbidden"), std::pair(404, "NotFound"),
        std::pair(410, "Expired"), std::pair(429, "TooManyRequests"), std::pair(500, "InternalError")}) {
    Rig rig(transport(WatchTransport::automatic));
    rig.start();
    rig.list({}, "10");
    rig.fail(http_error(code), api_status(code, reason));
    rig.advance(60s);
    if (!rig.last().is_watch) rig.list({}, "20");
    REQUIRE(rig.last().is_watch);
    CHECK(rig.last().watch.websocket);
  }
}

TEST_CASE("two handshakes without an answer: HTTP, remembered once that is answered") {
  auto server_state = std::make_shared<ServerState>();
  Rig rig(transport(WatchTransport::automatic), server_state);
  rig.start();
  rig.list({}, "10");
  rig.fail(unreachable_error());
  rig.advance(800ms);
  CHECK(rig.last().watch.websocket);
  rig.fail(http_error(429));
  rig.advance(1600ms);
  CHECK_FALSE(rig.last().watch.websocket);
  SUBCASE("answered") {
    rig.open();
    rig.advance(5s);
    rig.end();
    CHECK_FALSE(rig.last().watch.websocket);
  }
  SUBCASE("not answered either: it was the server") {
    rig.fail(unreachable_error());
    rig.advance(60s);
    CHECK(rig.last().watch.websocket);
  }
}

TEST_CASE("a handshake that nothing answers within 3 s: HTTP at once") {
  Rig rig(transport(WatchTransport::automatic));
  rig.start();
  rig.list({}, "10");
  CHECK(rig.last().watch.head_limit == 3s);
  rig.fail(timeout_error());
  CHECK_FALSE(rig.last().watch.websocket);
  CHECK(rig.errors.empty());
}

TEST_CASE("Retry-After of a refused handshake is honoured") {
  Rig rig(transport(WatchTransport::automatic));
  rig.start();
  rig.list({}, "10");
  rig.fail(http_error(503, 5s));
  CHECK(rig.requests.size() == 2);
  CHECK(rig.errors.at(0).next_try == 5s);
}

TEST_CASE("a handshake that is refused without a Status, with a Retry-After that no API server has: HTTP at once") {
  for (const int code : {429, 503, 504}) {
    Rig rig(transport(WatchTransport::automatic));
    rig.start();
    rig.list({}, "10");
    rig.fail(http_error(code, 600s));
    REQUIRE(rig.requests.size() == 3);
    CHECK_FALSE(rig.last().watch.websocket);
    CHECK(rig.errors.empty());
  }
}

TEST_CASE("a gateway that answers handshakes with an overload is said to refuse them") {
  Rig rig(transport(WatchTransport::automatic));
  rig.start();
  rig.list({}, "10");
  for (int i = 0; i < 2; ++i) {
    rig.fail(http_error(429));
    rig.advance(5s);
  }
  REQUIRE_FALSE(rig.last().watch.websocket);
  rig.open();
  rig.event(json::EventType::added, pod("b", "11"));
  const auto has_notice = [&](const std::string& line) {
    return line.find("refused; remembered") != std::string::npos;
  };
  CHECK(std::count_if(rig.logger.lines.begin(), rig.logger.lines.end(), has_notice) == 1);
}

TEST_CASE("a gateway that sends something else over WebSocket than events: HTTP the second time") {
  Rig rig(transport(WatchTransport::automatic));
  rig.go_live();
  for (int i = 0; i < 2; ++i) {
    REQUIRE(rig.last().watch.websocket);
    rig.bad_event(protocol_error());
    rig.advance(10s);
    rig.list({pod("a", "5")}, "10");
    if (i == 0) rig.open();
  }
  REQUIRE(rig.last().is_watch);
  CHECK_FALSE(rig.last().watch.websocket);
}

TEST_CASE("WatchList uses WebSocket, and HTTP where that is refused") {
  Options options;
  options.initial = Initial::watchlist;
  Rig rig(options);
  rig.start();
  CHECK(rig.last().watch.websocket);
  CHECK(rig.last().watch.send_initial_events);
  rig.fail(http_error(426));
  CHECK_FALSE(rig.last().watch.websocket);
  CHECK(rig.last().watch.send_initial_events);
}

TEST_CASE("a successor whose handshake is refused is opened over HTTP, and the watch continues meanwhile") {
  Options options = transport(WatchTransport::automatic);
  options.watch_timeout = 60s;
  Rig rig(options);
  rig.go_live();
  rig.advance(50s);
  REQUIRE(rig.requests.size() == 3);
  rig.fail(http_error(400));
  CHECK(rig.state() == State::live);
  CHECK_FALSE(rig.requests[1].stopped);
  REQUIRE(rig.requests.size() == 4);
  CHECK_FALSE(rig.last().watch.websocket);
}

TEST_CASE("a handshake that was not answered is waited for longer the next time, until one is answered") {
  auto server_state = std::make_shared<ServerState>();
  const auto limit = [&] { return server_state->transport().handshake_limit(); };
  const Instant now{1h};
  CHECK(limit() == 3s);
  server_state->transport().note_unanswered(true, true, now);
  CHECK(limit() == 6s);
  server_state->transport().note_unanswered(false, true, now);
  server_state->transport().note_unanswered(true, false, now);
  CHECK(limit() == 6s);
  for (int i = 0; i < 5; ++i) server_state->transport().note_unanswered(true, true, now);
  CHECK(limit() == 24s);
  server_state->transport().note_open(false);
  CHECK(limit() == 24s);
  server_state->transport().note_open(true);
  CHECK(limit() == 3s);
}
