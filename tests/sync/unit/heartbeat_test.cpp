// Tests how the reflector notices a dead watch.
#include <doctest/doctest.h>

#include <utility>

#include "support/rig.hpp"
#include "sync/watch_pair.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;
using json::EventType;

namespace {

// The server is asked how new its state is.
void check_silent_watches(WatchTransport transport) {
  Options options = plain();
  options.transport = transport;
  Rig rig(options);
  rig.go_live();
  rig.advance(10s);
  rig.bookmark("20");
  SUBCASE("two bookmarks tell how long it may be silent") {
    rig.advance(60s);
    rig.bookmark("21");
    rig.end();
    rig.open();
    const RequestId silent = rig.last().id;
    rig.advance(149s);
    CHECK(rig.last().id == silent);
    CHECK(rig.version_questions == 0);
    rig.advance(1s);
    rig.open();
    rig.advance(10s);
  }
  SUBCASE("one tells that there should have been another one, successors included") {
    rig.end();
    RequestId open = 0;
    for (int times = 0; times < 60; ++times) {
      CHECK(rig.version_questions == 0);
      if (std::exchange(open, rig.last().id) != rig.last().id) rig.open();
      rig.advance(10s);
    }
    rig.advance(10s);
  }
  CHECK(rig.version_questions == 1);
  rig.reflector.on_newest_version("15", rig.now);
  CHECK_FALSE(rig.last().is_watch);
}

}  // namespace

TEST_CASE("the interval is that of two bookmarks of one watch") {
  BookmarkHeartbeat heartbeat;
  const Instant start{std::chrono::hours(1)};
  CHECK_FALSE(heartbeat.silence_limit());
  heartbeat.note_bookmark(start);
  heartbeat.begin_watch();
  heartbeat.note_bookmark(start + 500s);
  CHECK_FALSE(heartbeat.silence_limit());
  heartbeat.note_bookmark(start + 560s);
  CHECK(heartbeat.silence_limit() == Milliseconds(150s));
}

TEST_CASE("the limit is at least 90 s") {
  BookmarkHeartbeat heartbeat;
  const Instant start{std::chrono::hours(1)};
  heartbeat.note_bookmark(start);
  heartbeat.note_bookmark(start + 5s);
  CHECK(heartbeat.silence_limit() == Milliseconds(90s));
}

TEST_CASE("a single long or short interval does not change the limit") {
  BookmarkHeartbeat heartbeat;
  Instant at{std::chrono::hours(1)};
  for (const auto interval : {0s, 60s, 60s, 400s, 60s, 1s}) heartbeat.note_bookmark(at += interval);
  CHECK(heartbeat.silence_limit() == Milliseconds(150s));
}

TEST_CASE("a watch silent for 2.5 times its interval is reopened") {
  Rig rig(plain());
  rig.go_live();
  rig.advance(10s);
  rig.bookmark("20");
  rig.advance(60s);
  rig.bookmark("21");
  const RequestId old = rig.last().id;
  rig.advance(149s);
  CHECK(rig.requests.size() == 2);
  rig.advance(1s);
  REQUIRE(rig.requests.size() == 3);
  CHECK(rig.requests[1].id == old);
  CHECK(rig.requests[1].stopped);
  CHECK(rig.last().watch.resource_version == "21");
  CHECK(rig.state() == State::connecting);
}

TEST_CASE("watches that send one bookmark without news, and end, are opened with a growing backoff") {
  Rig rig(plain());
  rig.go_live();
  const auto opened_in_a_minute = [&] {
    const Instant end = rig.now + 60s;
    int opened = 0;
    while (rig.now < end) {
      if (rig.state() == State::waiting) {
        rig.advance(*rig.timer_in());
        continue;
      }
      if (rig.last().is_watch) {
        ++opened;
        rig.open();
        rig.bookmark("10");
        rig.end();
      } else {
        rig.list({}, "10");
      }
    }
    return opened;
  };
  opened_in_a_minute();
  CHECK(opened_in_a_minute() < 6);
}

TEST_CASE("an event ends the silence") {
  Rig rig(plain());
  rig.go_live();
  rig.bookmark("20");
  rig.advance(60s);
  rig.bookmark("21");
  rig.advance(100s);
  rig.event(EventType::added, pod("b", "22"));
  rig.advance(100s);
  CHECK(rig.requests.size() == 2);
  rig.advance(50s);
  CHECK(rig.requests.size() == 3);
}

TEST_CASE("the interval is kept from watch to watch, so that the next half-open one is noticed as well") {
  Rig rig(plain());
  rig.go_live();
  rig.bookmark("20");
  rig.advance(60s);
  rig.bookmark("21");
  rig.end();
  rig.open();
  rig.advance(150s);
  CHECK(rig.requests.size() == 4);
  CHECK(rig.requests[2].stopped);
}

TEST_CASE("watches that are silent from their beginning on, where others had bookmarks") {
  SUBCASE("HTTP") {
    check_silent_watches(WatchTransport::http);
  }
  SUBCASE("either transport") {
    check_silent_watches(WatchTransport::automatic);
  }
}

TEST_CASE("without bookmarks only the timeout ends a silent watch") {
  const auto server_state = std::make_shared<ServerState>();
  Rig rig(plain(), server_state);
  server_state->path().note_event_came(rig.now);
  rig.go_live();
  rig.advance(280s);
  CHECK(rig.requests.size() == 2);
  CHECK(rig.state() == State::live);
}

TEST_CASE("reconnect=false: silence ends the stream") {
  Options options = plain();
  options.reconnect = false;
  Rig rig(options);
  rig.go_live();
  rig.bookmark("20");
  rig.advance(60s);
  rig.bookmark("21");
  rig.advance(150s);
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].error.status == Status::timeout);
  CHECK_FALSE(rig.errors[0].next_try);
}

TEST_CASE("a watch request that is never answered is repeated") {
  Rig rig(plain());
  rig.start();
  rig.list({}, "10");
  rig.advance(149s);
  CHECK_FALSE(rig.last().stopped);
  rig.advance(1s);
  CHECK(rig.requests[1].stopped);
  CHECK(rig.requests.size() == 3);
}
