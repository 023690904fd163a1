// Tests how a successor replaces a watch.
#include <doctest/doctest.h>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;
using json::EventType;

namespace {

Options a_minute() {
  Options options = plain();
  options.watch_timeout = 60s;
  return options;
}

}  // namespace

TEST_CASE("a successor is requested before a watch ends, and replaces it once open") {
  Rig rig(a_minute());
  rig.go_live();
  const RequestId old = rig.last().id;
  rig.advance(1s);
  rig.event(EventType::added, pod("b", "12"));
  rig.advance(48s);
  CHECK(rig.requests.size() == 2);
  rig.advance(1s);
  REQUIRE(rig.requests.size() == 3);
  CHECK(rig.last().watch.resource_version == "12");
  CHECK_FALSE(rig.requests[1].stopped);

  rig.event(old, EventType::added, pod("c", "13"));
  CHECK(rig.held() == "a=5 b=12 c=13");
  rig.open();
  CHECK(rig.requests[1].stopped);
  CHECK(rig.state() == State::live);
  CHECK(std::count(rig.states.begin(), rig.states.end(), State::live) == 1);

  SUBCASE("an event that both send counts once") {
    rig.event(EventType::added, pod("c", "13"));
    rig.event(EventType::modified, pod("c", "14"));
    CHECK(rig.reflector.counters().events == 3);
    CHECK(rig.held() == "a=5 b=12 c=14");
    CHECK(rig.version == "14");
    CHECK(rig.errors.empty());
  }
  SUBCASE("the old one is ignored") {
    rig.event(old, EventType::deleted, pod("a", "15"));
    CHECK(rig.held() == "a=5 b=12 c=13");
  }
}

TEST_CASE("an old bookmark of the successor does not move the resourceVersion back") {
  Rig rig(a_minute());
  rig.go_live();
  const RequestId old = rig.last().id;
  rig.advance(50s);
  rig.event(old, EventType::added, pod("c", "13"));
  rig.open();
  rig.bookmark("12");
  CHECK(rig.version == "13");
  CHECK(rig.errors.empty());
}

TEST_CASE("when the old watch ends first, the requested successor is awaited") {
  Rig rig(a_minute());
  rig.go_live();
  const RequestId old = rig.last().id;
  rig.advance(50s);
  REQUIRE(rig.requests.size() == 3);
  SUBCASE("in order") {
    rig.reflector.on_watch_end(old, rig.now);
  }
  SUBCASE("broken") {
    rig.reflector.on_watch_failed(old, unreachable_error(), std::nullopt, rig.now);
  }
  CHECK(rig.requests.size() == 3);
  CHECK(rig.state() == State::connecting);
  rig.open();
  CHECK(rig.state() == State::live);
  CHECK(rig.errors.empty());
}

TEST_CASE("a watch that goes on beyond its time is closed, whatever it sends and whatever its successor does") {
  Rig rig(a_minute());
  rig.sent = true;
  rig.go_live();
  const RequestId old = rig.last().id;
  for (int second = 1; second <= 64; ++second) {
    rig.advance(1s);
    rig.event(old, EventType::added, pod("b" + std::to_string(second), std::to_string(10 + second)));
  }
  CHECK_FALSE(rig.requests[1].stopped);
  rig.advance(1s);
  CHECK(rig.requests[1].stopped);
  CHECK(rig.requests.size() > 2);
}

TEST_CASE("when the successor cannot be opened the old watch continues, without further requests") {
  Rig rig(a_minute());
  rig.go_live();
  const RequestId old = rig.last().id;
  rig.advance(50s);
  rig.fail(http_error(500));
  CHECK(rig.state() == State::live);
  rig.advance(9s);
  CHECK(rig.requests.size() == 3);
  rig.event(old, EventType::added, pod("b", "12"));
  CHECK(rig.held() == "a=5 b=12");
  rig.reflector.on_watch_end(old, rig.now);
  REQUIRE(rig.requests.size() == 4);
  CHECK(rig.last().watch.resource_version == "12");
}

TEST_CASE("a 410 in the old watch stops the successor as well") {
  Rig rig(a_minute());
  rig.go_live();
  const RequestId old = rig.last().id;
  rig.advance(50s);
  rig.reflector.on_watch_error_event(old, api_status(410, "Expired"), rig.now);
  CHECK(rig.requests[2].stopped);
  CHECK_FALSE(rig.last().is_watch);
}

TEST_CASE("a watch that outlives its timeout is stopped") {
  Rig rig(a_minute());
  rig.go_live();
  rig.advance(50s);
  rig.fail(unreachable_error());
  rig.advance(14s);
  CHECK_FALSE(rig.requests[1].stopped);
  rig.advance(1s);
  CHECK(rig.requests[1].stopped);
  CHECK(rig.last().is_watch);
  CHECK(rig.requests.size() == 4);
}

TEST_CASE("a short watch is rotated in its last quarter") {
  Options options = plain();
  options.watch_timeout = 4s;
  Rig rig(options);
  rig.go_live();
  rig.advance(2900ms);
  CHECK(rig.requests.size() == 2);
  rig.advance(100ms);
  CHECK(rig.requests.size() == 3);
}

TEST_CASE("a successor that needs new credentials, or HTTP, is requested again while the old watch continues") {
  Options options = a_minute();
  options.transport = WatchTransport::automatic;
  Rig rig(options);
  rig.go_live();
  rig.advance(50s);
  REQUIRE(rig.requests.size() == 3);
  rig.fail(http_error(401), api_status(401, "Unauthorized"));
  CHECK(rig.credentials_refreshed == 1);
  REQUIRE(rig.requests.size() == 4);
  rig.fail(http_error(400));
  REQUIRE(rig.requests.size() == 5);
  CHECK_FALSE(rig.last().watch.websocket);
  CHECK(rig.state() == State::live);
  rig.fail(http_error(401));
  CHECK(rig.requests.size() == 5);
  CHECK(rig.credentials_refreshed == 1);
  CHECK(rig.state() == State::live);
  CHECK_FALSE(rig.requests[1].stopped);
  CHECK(rig.errors.empty());
}
