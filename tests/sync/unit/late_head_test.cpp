// Tests watches over HTTP whose head a gateway keeps back until the first event.
#include <doctest/doctest.h>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;
using json::EventType;

namespace {

// A server whose heads were found to be late by themselves.
std::shared_ptr<ServerState> slow_server() {
  auto server_state = std::make_shared<ServerState>();
  server_state->path().note_prompt(Instant(std::chrono::hours(1)));
  return server_state;
}

// Listed, and the watch is with the server.
void request_watch(Rig& rig) {
  rig.sent = true;
  rig.start();
  rig.list({pod("a", "5")}, "10");
}

}  // namespace

TEST_CASE("the head of an HTTP watch is missing: LIVE as of the list once the request is sent, without an error") {
  Rig rig(plain(), slow_server());
  request_watch(rig);
  CHECK(rig.last().watch.head_limit == 0ms);
  const Instant listed = rig.now;
  CHECK(rig.held() == "a=5");
  CHECK(rig.state() == State::connecting);
  rig.advance(2s);
  CHECK(rig.state() == State::live);
  CHECK(rig.reflector.transport() == WatchTransport::http);
  rig.advance(100s);
  CHECK(rig.state() == State::live);
  CHECK(rig.requests.size() == 2);
  CHECK(rig.errors.empty());
  CHECK(rig.reflector.fresh_at() == listed);
  rig.open();
  rig.event(EventType::added, pod("b", "11"));
  CHECK(rig.held() == "a=5 b=11");
  CHECK(rig.state() == State::live);
  // It may have been kept back as well, and so may what comes right behind it.
  CHECK(rig.reflector.fresh_at() == listed);
  rig.advance(9s);
  rig.event(EventType::added, pod("c", "12"));
  CHECK(rig.reflector.fresh_at() == listed);
  rig.advance(1s);
  rig.event(EventType::added, pod("d", "13"));
  CHECK(rig.reflector.fresh_at() == rig.now);
}

TEST_CASE("heads came by themselves, but this one does not come at all: the next one is looked at again") {
  Rig rig(plain(), slow_server());
  request_watch(rig);
  rig.advance(150s);
  REQUIRE(rig.requests.size() == 3);
  CHECK_FALSE(rig.last().watch.poll);
  rig.advance(2s);
  REQUIRE(rig.requests.size() == 4);
  CHECK(rig.last().watch.poll);
  // What is held back comes when it ends.
  rig.advance(rig.last().watch.timeout);
  rig.open();
  rig.event(EventType::modified, pod("a", "11"));
  CHECK(rig.held() == "a=11");
}

TEST_CASE("a request that has not been sent is no watch") {
  Rig rig(plain());
  request_watch(rig);
  rig.sent = false;
  rig.advance(20s);
  CHECK(rig.state() == State::connecting);
  rig.sent = true;
  rig.advance(2s);
  CHECK(rig.state() == State::live);
}

TEST_CASE("a watch that waits for its head is refused") {
  Rig rig(plain());
  request_watch(rig);
  rig.advance(5s);
  REQUIRE(rig.state() == State::live);
  rig.fail(http_error(503));
  CHECK(rig.state() == State::waiting);
  CHECK(rig.errors.size() == 1);
}

TEST_CASE("the server ends a watch without an event: the head comes with the end, which is no expiry") {
  Options options = plain();
  options.watch_timeout = 60s;
  Rig rig(options, slow_server());
  request_watch(rig);
  for (int i = 0; i < 3; ++i) {
    rig.advance(60s);
    rig.open();
    rig.end();
    REQUIRE(rig.last().is_watch);
    CHECK(rig.last().watch.resource_version == "10");
    rig.advance(5s);
    if (rig.state() == State::waiting) rig.advance(30s);
    CHECK(rig.state() == State::live);
  }
  CHECK(rig.reflector.counters().lists == 1);
  CHECK(rig.errors.empty());
}

TEST_CASE("no head for 150 s: the request is sent again, and once a short one has no answer either that is an error") {
  Rig rig(plain(), slow_server());
  request_watch(rig);
  rig.advance(150s);
  REQUIRE(rig.requests.size() == 3);
  CHECK(rig.requests[1].stopped);
  CHECK(rig.errors.empty());
  // Now it may be held back: what is asked for until then ends soon, and is not answered either.
  rig.advance(1s);
  REQUIRE(rig.last().watch.poll);
  CHECK(rig.state() == State::connecting);
  rig.advance(rig.last().watch.head_limit.value());
  rig.fail(timeout_error());
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].error.status == Status::timeout);
  CHECK(rig.state() == State::waiting);
}

TEST_CASE("without bookmarks a head may be missing for as long as the watch lasts") {
  Options options = plain();
  options.watch_timeout = 300s;
  options.events = true;
  Rig rig(options, slow_server());
  rig.sent = true;
  rig.start();
  json::ListMeta meta;
  meta.resource_version = "10";
  rig.reflector.on_list_end(rig.last().id, meta, rig.now);
  rig.advance(304s);
  CHECK(rig.requests.size() == 2);
  CHECK(rig.state() == State::live);
  rig.advance(1s);
  CHECK(rig.requests.size() == 3);
}

TEST_CASE("a watch that waits for its head takes no place among the requests in flight") {
  auto server_state = slow_server();
  std::vector<std::unique_ptr<Rig>> rigs;
  for (int i = 0; i < 25; ++i) {
    rigs.push_back(std::make_unique<Rig>(plain(), server_state));
    Rig& rig = *rigs.back();
    rig.sent = true;
    rig.start();
    REQUIRE(rig.requests.size() == 1);
    rig.list({}, "10");
    rig.advance(3s);
    CHECK(rig.state() == State::live);
  }
  CHECK(server_state->limiter().in_flight() == 0);
}

TEST_CASE("transport=auto: where HTTP was never answered a late head is a reason to try WebSocket beside it") {
  Options options = plain();
  options.transport = WatchTransport::automatic;
  Rig rig(options, slow_server());
  request_watch(rig);
  rig.fail(http_error(502));
  REQUIRE_FALSE(rig.last().watch.websocket);
  rig.advance(29s);
  CHECK(rig.requests.size() == 3);
  CHECK(rig.state() == State::live);
  rig.advance(1s);
  REQUIRE(rig.requests.size() == 4);
  CHECK(rig.last().watch.websocket);
  CHECK(rig.running() >= 2);
  SUBCASE("it gets through") {
    rig.open();
    CHECK(rig.requests[2].stopped);
    rig.bookmark("11");
    CHECK(rig.reflector.transport() == WatchTransport::websocket);
    rig.advance(5s);
    rig.end();
    CHECK(rig.last().watch.websocket);
  }
  SUBCASE("it is refused: the watch over HTTP goes on") {
    rig.fail(http_error(502));
    CHECK(rig.requests.size() == 4);
    CHECK(rig.state() == State::live);
    rig.advance(60s);
    CHECK(rig.requests.size() == 4);
  }
  SUBCASE("the head comes") {
    rig.reflector.on_watch_open(rig.requests[2].id, rig.now);
    CHECK(rig.last().stopped);
    CHECK(rig.state() == State::live);
    CHECK(rig.reflector.transport() == WatchTransport::http);
  }
  CHECK(rig.errors.empty());
}

TEST_CASE("a successor without a head takes over when the old watch ends") {
  Options options = plain();
  options.watch_timeout = 60s;
  Rig rig(options);
  rig.sent = true;
  rig.go_live();
  rig.advance(50s);
  REQUIRE(rig.requests.size() == 3);
  rig.advance(10s);
  rig.states.clear();
  rig.reflector.on_watch_end(rig.requests[1].id, rig.now);
  CHECK(rig.state() == State::live);
  CHECK(rig.states.empty());
  rig.open();
  rig.event(EventType::added, pod("b", "11"));
  CHECK(rig.held() == "a=5 b=11");
}
