// Tests WatchList: the initial state as events of a watch.
#include <doctest/doctest.h>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;
using json::EventType;

namespace {

Options streaming() {
  Options options = plain();
  options.initial = Initial::watchlist;
  options.resource = "v1/pods";
  return options;
}

}  // namespace

TEST_CASE("WatchList: the initial events become the view at the bookmark that ends them, and the watch continues") {
  Rig rig(streaming());
  rig.start();
  REQUIRE(rig.last().is_watch);
  CHECK(rig.last().watch.send_initial_events);
  CHECK(rig.last().watch.resource_version_match == "NotOlderThan");
  CHECK(rig.last().watch.resource_version.empty());
  rig.open();
  CHECK(rig.state() == State::listing);
  rig.event(EventType::added, pod("b", "7"));
  rig.event(EventType::added, pod("a", "3"));
  CHECK(rig.held().empty());
  CHECK_FALSE(rig.reflector.fresh_at());
  rig.bookmark("10", true);
  CHECK(rig.held() == "a=3 b=7");
  CHECK(rig.version == "10");
  CHECK(rig.state() == State::live);
  CHECK(rig.reflector.fresh_at() == rig.now);
  CHECK(rig.reflector.counters().events == 0);
  CHECK(rig.reflector.counters().lists == 0);
  rig.event(EventType::modified, pod("a", "11"));
  CHECK(rig.held() == "a=11 b=7");
  CHECK(rig.requests.size() == 1);
  rig.end();
  CHECK(rig.last().watch.resource_version == "11");
  CHECK_FALSE(rig.last().watch.send_initial_events);
}

TEST_CASE("WatchList: changes between the initial events are applied") {
  Rig rig(streaming());
  rig.start();
  rig.open();
  rig.event(EventType::added, pod("a", "3"));
  rig.event(EventType::added, pod("b", "4"));
  rig.event(EventType::modified, pod("a", "8"));
  rig.event(EventType::deleted, pod("b", "9"));
  CHECK(rig.applied == 0);
  rig.bookmark("10", true);
  CHECK(rig.held() == "a=8");
  // In one step: no snapshot shows what was deleted.
  CHECK(rig.applied == 0);
}

TEST_CASE("WatchList refused: list at once, remembered for the resource") {
  for (const int code : {400, 422, 500}) {
    auto server_state = std::make_shared<ServerState>();
    Rig rig(streaming(), server_state);
    rig.start();
    rig.fail(http_error(code), api_status(code, "Invalid"));
    CHECK_FALSE(rig.last().is_watch);
    CHECK(rig.errors.empty());
    rig.list({pod("a", "3")}, "10");
    CHECK(rig.held() == "a=3");
    Rig other(streaming(), server_state);
    other.start();
    CHECK_FALSE(other.last().is_watch);
    Options pods = streaming();
    pods.resource = "v1/configmaps";
    Rig another(pods, server_state);
    another.start();
    CHECK(another.last().is_watch);
  }
}

TEST_CASE("WatchList unsupported by etcd comes as an ERROR event") {
  auto server_state = std::make_shared<ServerState>();
  Rig rig(streaming(), server_state);
  rig.start();
  rig.open();
  rig.error_event(api_status(500, "InternalError", "the required storage feature RequestWatchProgress is disabled"));
  CHECK_FALSE(rig.last().is_watch);
  CHECK(server_state->watchlist_refused("v1/pods#0"));
}

TEST_CASE("WatchList ignored by the server: an ordinary bookmark, or no end within 30 s, however busy it is") {
  auto server_state = std::make_shared<ServerState>();
  Rig rig(streaming(), server_state);
  rig.start();
  rig.open();
  rig.event(EventType::added, pod("a", "3"));
  SUBCASE("bookmark") {
    rig.bookmark("10", false);
  }
  SUBCASE("silence") {
    rig.advance(30s);
  }
  SUBCASE("a change each second") {
    for (int i = 0; i < 29; ++i) {
      rig.advance(1s);
      rig.event(EventType::modified, pod("a", std::to_string(4 + i)));
      CHECK(rig.requests.size() == 1);
    }
    rig.advance(1s);
  }
  REQUIRE(rig.requests.size() == 2);
  CHECK_FALSE(rig.last().is_watch);
  CHECK(server_state->watchlist_refused("v1/pods#0"));
  rig.list({pod("c", "5")}, "10");
  CHECK(rig.held() == "c=5");
}

TEST_CASE("WatchList broken: a list this time, nothing is remembered, the view has no part of it") {
  auto server_state = std::make_shared<ServerState>();
  Rig rig(streaming(), server_state);
  rig.start();
  rig.open();
  rig.event(EventType::added, pod("a", "3"));
  SUBCASE("broken") {
    rig.fail(unreachable_error());
  }
  SUBCASE("ended") {
    rig.end();
  }
  CHECK(rig.held().empty());
  CHECK_FALSE(rig.last().is_watch);
  CHECK_FALSE(server_state->watchlist_refused("v1/pods#0"));
  rig.list({pod("b", "4")}, "10");
  rig.open();
  rig.error_event(api_status(410, "Expired"));
  CHECK(rig.last().watch.send_initial_events);
}

TEST_CASE("WatchList unreachable: tried again after the backoff") {
  Rig rig(streaming());
  rig.start();
  rig.fail(unreachable_error());
  CHECK(rig.errors.at(0).next_try == 800ms);
  rig.advance(800ms);
  CHECK(rig.last().watch.send_initial_events);
}

TEST_CASE("after 410 WatchList begins not older than the last seen, and then at the most recent") {
  Rig rig(streaming());
  rig.start();
  rig.open();
  rig.event(EventType::added, pod("a", "3"));
  rig.bookmark("10", true);
  rig.error_event(api_status(410, "Expired"));
  REQUIRE(rig.last().watch.send_initial_events);
  CHECK(rig.last().watch.resource_version == "10");
  CHECK(rig.reflector.counters().relists == 1);
  rig.fail(http_error(410), api_status(410, "Expired"));
  REQUIRE(rig.last().watch.send_initial_events);
  CHECK(rig.last().watch.resource_version.empty());
  rig.open();
  rig.event(EventType::added, pod("b", "13"));
  CHECK(rig.held() == "a=3");
  rig.bookmark("20", true);
  CHECK(rig.held() == "b=13");
}

TEST_CASE("WatchList: an object that is too large fails it") {
  Rig rig(streaming());
  rig.start();
  rig.open();
  rig.event(EventType::added, pod("a", "3"));
  Error error;
  error.status = Status::too_large;
  error.message = "object of 70 MB";
  rig.bad_event(error);
  CHECK(rig.requests[0].stopped);
  CHECK(rig.errors.at(0).error.status == Status::too_large);
  rig.advance(800ms);
  CHECK_FALSE(rig.last().is_watch);
}
