// Tests the choice between WebSocket and HTTP.
#include <doctest/doctest.h>

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

TEST_CASE("a refused handshake: HTTP at once, recorded for the server once the watch is open") {
  auto server_state = std::make_shared<ServerState>();
  Rig rig(transport(WatchTransport::automatic), server_state);
  rig.start();
  rig.list({}, "10");
  rig.fail(http_error(400));
  REQUIRE(rig.requests.size() == 3);
  CHECK_FALSE(rig.last().watch.websocket);
  CHECK(rig.last().watch.resource_version == "10");
  CHECK(rig.errors.empty());
  CHECK_FALSE(server_state->websocket_refused());
  rig.open();
  CHECK(server_state->websocket_refused());
  CHECK(rig.state() == State::live);
  rig.end();
  CHECK_FALSE(rig.last().watch.websocket);

  Rig other(transport(WatchTransport::automatic), server_state);
  other.start();
  other.list({}, "10");
  CHECK_FALSE(other.last().watch.websocket);
}

TEST_CASE("a request that is refused over HTTP as well says nothing about WebSocket") {
  auto server_state = std::make_shared<ServerState>();
  Rig rig(transport(WatchTransport::automatic), server_state);
  rig.start();
  rig.list({}, "10");
  rig.fail(http_error(400));
  rig.fail(http_error(400), api_status(400, "BadRequest"));
  CHECK_FALSE(rig.errors.at(0).next_try);
  CHECK_FALSE(server_state->websocket_refused());
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
  for (const int code : {401, 403, 404, 410, 429}) {
    Rig rig(transport(WatchTransport::automatic));
    rig.start();
    rig.list({}, "10");
    rig.fail(http_error(code));
    rig.advance(60s);
    if (!rig.last().is_watch) rig.list({}, "20");
    REQUIRE(rig.last().is_watch);
    CHECK(rig.last().watch.websocket);
  }
}

TEST_CASE("two handshakes without an answer: HTTP for one watch, then WebSocket again") {
  auto server_state = std::make_shared<ServerState>();
  Rig rig(transport(WatchTransport::automatic), server_state);
  rig.start();
  rig.list({}, "10");
  rig.fail(unreachable_error());
  rig.advance(800ms);
  CHECK(rig.last().watch.websocket);
  rig.fail(http_error(503));
  rig.advance(1600ms);
  CHECK_FALSE(rig.last().watch.websocket);
  rig.open();
  CHECK_FALSE(server_state->websocket_refused());
  rig.advance(5s);
  rig.end();
  CHECK(rig.last().watch.websocket);
}

TEST_CASE("WatchList uses WebSocket, and HTTP where that is refused") {
  Rig rig{Options{}};
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
