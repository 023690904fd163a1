// Tests aggregated API servers whose lists or objects have no resourceVersion, and resources without a watch.
#include <doctest/doctest.h>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;
using json::EventType;

TEST_CASE(
    "a list without a resourceVersion is shown; the watch begins without one, and its end is followed by a list") {
  Rig rig(plain());
  rig.start();
  rig.list({pod("a", "")}, "");
  CHECK(rig.held() == "a=");
  REQUIRE(rig.last().is_watch);
  CHECK(rig.last().watch.resource_version.empty());
  rig.open();
  CHECK(rig.state() == State::live);
  rig.event(EventType::added, pod("a", ""));
  rig.event(EventType::added, pod("b", ""));
  rig.bookmark("");
  CHECK(rig.held() == "a= b=");
  CHECK(rig.errors.empty());
  SUBCASE("end") {
    rig.end();
  }
  SUBCASE("failure") {
    rig.fail(unreachable_error());
    rig.advance(800ms);
  }
  SUBCASE("sleep") {
    rig.reflector.on_clock_jump(rig.now);
  }
  SUBCASE("lost step") {
    Error lost;
    lost.status = Status::out_of_memory;
    rig.reflector.on_exception(lost, rig.now);
    rig.advance(800ms);
  }
  REQUIRE_FALSE(rig.last().is_watch);
  CHECK(rig.last().list.resource_version.empty());
  rig.list({pod("b", "")}, "");
  CHECK(rig.held() == "b=");
}

TEST_CASE("without a version there is no successor: nothing says where it would begin") {
  Options options = plain();
  options.watch_timeout = 60s;
  Rig rig(options);
  rig.start();
  rig.list({pod("a", "")}, "");
  rig.open();
  rig.advance(59s);
  CHECK(rig.requests.size() == 2);
}

TEST_CASE("versions that do not compare: no successor, which would send again what the watch has sent") {
  Options options = plain();
  options.watch_timeout = 60s;
  Rig rig(options);
  rig.go_live({pod("a", "first")}, "L");
  rig.event(json::EventType::modified, pod("a", "x1"));
  rig.advance(59s);
  CHECK(rig.requests.size() == 2);
  rig.end();
  CHECK(rig.requests.size() == 3);
  CHECK(rig.last().watch.resource_version == "x1");
}

TEST_CASE("versions that do not compare: a mute watch ends before the next one is opened") {
  for (const WatchTransport wanted : {WatchTransport::automatic, WatchTransport::http}) {
    CAPTURE(static_cast<int>(wanted));
    Options options = plain();
    options.transport = wanted;
    Rig rig(options);
    rig.go_live({pod("a", "first")}, "L");
    const RequestId mute = rig.last().id;
    rig.advance(95s);
    if (wanted == WatchTransport::http) {
      CHECK(rig.requests.size() == 2);
      continue;
    }
    REQUIRE(rig.requests.size() == 3);
    CHECK(rig.requests[1].stopped);
    CHECK(rig.last().watch.resource_version == "L");
    rig.event(mute, EventType::modified, pod("a", "x1"));
    rig.open();
    CHECK(rig.state() == State::live);
    CHECK(rig.held() == "a=first");
    CHECK(rig.errors.empty());
  }
}

TEST_CASE("a bookmark or an event says that versions do not compare: no successor from then on") {
  for (const bool requested : {false, true}) {
    for (const bool bookmark : {false, true}) {
      CAPTURE(requested);
      CAPTURE(bookmark);
      Options options = plain();
      options.watch_timeout = 60s;
      Rig rig(options);
      rig.go_live();
      const RequestId watch = rig.last().id;
      rig.advance(requested ? 50s : 40s);
      REQUIRE(rig.requests.size() == (requested ? 3 : 2));
      if (bookmark) {
        rig.reflector.on_watch_bookmark(watch, "x1", false, rig.now);
      } else {
        rig.event(watch, EventType::modified, pod("a", "x1"));
      }
      if (requested) CHECK(rig.last().stopped);
      rig.advance(59s - (requested ? 50s : 40s));
      CHECK(rig.requests.size() == (requested ? 3 : 2));
      CHECK_FALSE(rig.requests[1].stopped);
      rig.reflector.on_watch_end(watch, rig.now);
      CHECK(rig.last().watch.resource_version == "x1");
    }
  }
}

TEST_CASE("a list with a version and objects without one") {
  Options options = plain();
  options.watch_timeout = 60s;
  Rig rig(options);
  rig.start();
  rig.list({pod("a", "")}, "10");
  CHECK(rig.last().watch.resource_version == "10");
  rig.open();
  rig.event(EventType::modified, pod("a", ""));
  rig.event(EventType::added, pod("b", ""));
  CHECK(rig.held() == "a= b=");
  CHECK(rig.reflector.counters().events == 2);
  CHECK(rig.version == "10");
  rig.advance(55s);
  CHECK(rig.requests.size() == 2);
  rig.end();
  CHECK_FALSE(rig.last().is_watch);
  CHECK(rig.errors.empty());
}

TEST_CASE("initial events that end without a version") {
  Options options = plain();
  options.initial = Initial::watchlist;
  Rig rig(options);
  rig.start();
  rig.open();
  rig.event(EventType::added, pod("a", ""));
  rig.bookmark("", true);
  CHECK(rig.held() == "a=");
  CHECK(rig.state() == State::live);
  rig.event(EventType::modified, pod("a", ""));
  rig.end();
  CHECK(rig.last().watch.send_initial_events);
  CHECK(rig.errors.empty());
}

TEST_CASE("DELETED with a resourceVersion older than seen: the object is gone, without an error or a list") {
  Rig rig(plain());
  rig.go_live({pod("a", "5"), pod("b", "6")});
  rig.event(EventType::modified, pod("a", "12"));
  rig.event(EventType::deleted, pod("b", "6"));
  CHECK(rig.held() == "a=12");
  rig.event(EventType::deleted, pod("a", "11"));
  CHECK(rig.held().empty());
  CHECK(rig.version == "12");
  CHECK(rig.errors.empty());
  CHECK(rig.requests.size() == 2);
  CHECK(rig.reflector.counters().events == 3);
  rig.event(EventType::added, pod("c", "13"));
  CHECK(rig.held() == "c=13");
}

TEST_CASE("a watch that answers 405: told once, then listed at the pace of watch_timeout, in either order") {
  for (const Initial initial : {Initial::list, Initial::watchlist}) {
    for (const WatchTransport wanted : {WatchTransport::http, WatchTransport::websocket, WatchTransport::automatic}) {
      CAPTURE(static_cast<int>(initial));
      CAPTURE(static_cast<int>(wanted));
      Options options;
      options.initial = initial;
      options.transport = wanted;
      options.watch_timeout = 60s;
      auto server_state = std::make_shared<ServerState>();
      Rig rig(options, server_state);
      rig.start();
      const auto refuse_watches = [&rig] {
        while (rig.last().is_watch && rig.state() != State::waiting) {
          rig.fail(http_error(405), api_status(405, "MethodNotAllowed"));
        }
      };
      refuse_watches();
      REQUIRE_FALSE(rig.last().is_watch);
      rig.list({pod("a", "5")}, "10");
      refuse_watches();
      CHECK(rig.held() == "a=5");
      REQUIRE(rig.errors.size() == 1);
      CHECK(rig.errors[0].error.http_status == 405);
      CHECK(rig.errors[0].next_try == 60s);
      CHECK(rig.state() == State::waiting);
      CHECK(server_state->transport().websocket(rig.now));
      for (int i = 0; i < 3; ++i) {
        rig.advance(60s);
        REQUIRE_FALSE(rig.last().is_watch);
        rig.list({pod("a", std::to_string(20 + i))}, std::to_string(30 + i));
        CHECK(rig.held() == "a=" + std::to_string(20 + i));
        CHECK(rig.state() == State::waiting);
      }
      CHECK(rig.errors.size() == 1);
    }
  }
}

TEST_CASE("an hour later the watch is tried again, and told of only when it works no more") {
  Options options = plain();
  options.watch_timeout = 600s;
  Rig rig(options);
  rig.start();
  rig.list({pod("a", "5")}, "10");
  rig.fail(http_error(405));
  for (int i = 0; i < 5; ++i) {
    rig.advance(600s);
    REQUIRE_FALSE(rig.last().is_watch);
    rig.list({pod("a", "5")}, "10");
  }
  rig.advance(600s);
  rig.list({pod("a", "5")}, "10");
  REQUIRE(rig.last().is_watch);
  CHECK(rig.errors.size() == 1);
  SUBCASE("refused") {
    rig.fail(http_error(405));
    CHECK(rig.errors.size() == 1);
    CHECK(rig.state() == State::waiting);
    rig.advance(600s);
    rig.list({pod("a", "5")}, "10");
    CHECK_FALSE(rig.last().is_watch);
  }
  SUBCASE("open") {
    rig.open();
    CHECK(rig.state() == State::live);
  }
}

TEST_CASE("the next name of a resource may have a watch where the one before had none") {
  Options options = plain();
  options.candidates = 2;
  options.watch_timeout = 60s;
  Rig rig(options);
  rig.start();
  rig.list({pod("a", "5")}, "10");
  rig.fail(http_error(405));
  rig.advance(60s);
  rig.fail_list(http_error(404));
  rig.list({pod("a", "5")}, "10");
  CHECK(rig.last().is_watch);
  rig.fail(http_error(405));
  REQUIRE(rig.errors.size() == 2);
  CHECK(rig.errors[1].error.http_status == 405);
}

TEST_CASE("reconnect=false: 405 ends the stream") {
  Options options = plain();
  options.reconnect = false;
  Rig rig(options);
  rig.start();
  rig.list({pod("a", "5")}, "10");
  rig.fail(http_error(405));
  REQUIRE(rig.errors.size() == 1);
  CHECK_FALSE(rig.errors[0].next_try);
}

TEST_CASE("a list without a version after one that had one is not believed until the third time") {
  Rig rig(plain());
  rig.go_live();
  rig.error_event(api_status(410, "Expired"));
  for (int i = 0; i < 2; ++i) {
    rig.list({pod("b", "")}, "");
    CHECK(rig.held() == "a=5");
    REQUIRE(rig.errors.size() == static_cast<std::size_t>(i) + 1);
    CHECK(rig.errors.back().error.message.find("has no resourceVersion") != std::string::npos);
    rig.advance(*rig.errors.back().next_try);
  }
  rig.list({pod("b", "")}, "");
  if (!rig.last().is_watch) {
    rig.advance(*rig.errors.back().next_try);
    rig.list({pod("b", "")}, "");
  }
  CHECK(rig.held() == "b=");
  CHECK(rig.last().is_watch);
}
