// Tests how the reflector watches.
#include <doctest/doctest.h>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;
using json::EventType;

TEST_CASE("an event and the version of the view that it makes are one step") {
  Rig rig(plain());
  rig.go_live();
  rig.event(json::EventType::modified, pod("a", "12"));
  CHECK(rig.applied_version == "12");
  CHECK(rig.version == "12");
}

TEST_CASE("live only once the watch is open") {
  Rig rig(plain());
  rig.start();
  rig.list({pod("a", "1")}, "10");
  CHECK(rig.state() == State::connecting);
  rig.open();
  CHECK(rig.state() == State::live);
  CHECK(rig.states == std::vector<State>{State::connecting, State::listing, State::connecting, State::live});
}

TEST_CASE("events change the view and move the resourceVersion") {
  Rig rig(plain());
  rig.go_live({pod("a", "5"), pod("b", "6")});
  rig.event(EventType::added, pod("c", "11"));
  rig.event(EventType::modified, pod("a", "12"));
  rig.event(EventType::deleted, pod("b", "13"));
  CHECK(rig.held() == "a=12 c=11");
  CHECK(rig.version == "13");
  CHECK(rig.reflector.counters().events == 3);
}

TEST_CASE("an event that changes nothing is not counted") {
  Rig rig(plain());
  rig.go_live();
  rig.event(EventType::deleted, pod("unknown", "11"));
  CHECK(rig.reflector.counters().events == 0);
  CHECK(rig.version == "11");
}

TEST_CASE("the same name with another uid replaces the object") {
  Rig rig(plain());
  rig.go_live({{"uid-1", "web", "5"}});
  rig.event(EventType::added, {"uid-2", "web", "11"});
  CHECK(rig.held() == "web=11");
  CHECK(rig.cache.count() == 1);
}

TEST_CASE("bookmarks move the resourceVersion") {
  Rig rig(plain());
  rig.go_live();
  rig.bookmark("20");
  CHECK(rig.version == "20");
  CHECK(rig.reflector.counters().bookmarks == 1);
  rig.end();
  CHECK(rig.last().watch.resource_version == "20");
}

TEST_CASE("resource versions that are not numbers are accepted in any order") {
  Rig rig(plain());
  rig.go_live({pod("a", "x1")}, "x9");
  rig.event(EventType::modified, pod("a", "x2"));
  CHECK(rig.version == "x2");
  CHECK(rig.held() == "a=x2");
}

TEST_CASE("resource versions longer than any integer type compare as numbers") {
  Rig rig(plain());
  rig.go_live({pod("a", "99999999999999999999998")}, "99999999999999999999998");
  rig.event(EventType::modified, pod("a", "100000000000000000000001"));
  CHECK(rig.held() == "a=100000000000000000000001");
}

TEST_CASE("the watch lasts a random 5 to 10 minutes") {
  for (const auto& [unit, expected] : {std::pair(0.0, 300s), std::pair(0.5, 450s), std::pair(0.9999, 600s)}) {
    Rig rig(plain());
    rig.random.value = unit;
    rig.start();
    rig.list({}, "10");
    CHECK(rig.last().watch.timeout == expected);
  }
}

TEST_CASE("watch_timeout is sent in whole seconds, at least one") {
  for (const auto& [given, sent] :
       {std::pair(Milliseconds(90s), 90s), std::pair(Milliseconds(1500), 2s), std::pair(Milliseconds(0), 1s)}) {
    Options options = plain();
    options.watch_timeout = given;
    Rig rig(options);
    rig.start();
    rig.list({}, "10");
    CHECK(rig.last().watch.timeout == sent);
  }
}

TEST_CASE("a watch that ends in order is reopened at once") {
  Rig rig(plain());
  rig.go_live();
  rig.event(EventType::added, pod("b", "12"));
  rig.advance(5s);
  rig.end();
  REQUIRE(rig.requests.size() == 3);
  CHECK(rig.last().watch.resource_version == "12");
  CHECK(rig.state() == State::connecting);
  rig.open();
  CHECK(rig.state() == State::live);
  CHECK(rig.reflector.counters().watches == 2);
  CHECK(rig.reflector.counters().reconnects == 1);
  CHECK(rig.errors.empty());
}

TEST_CASE("a watch that ends in order twice in a row is reopened after the backoff, whatever it sent") {
  Rig rig(plain());
  rig.go_live();
  rig.event(EventType::added, pod("b", "12"));
  rig.end();
  rig.open();
  rig.event(EventType::modified, pod("b", "13"));
  rig.end();
  CHECK(rig.requests.size() == 3);
  CHECK(rig.state() == State::waiting);
  CHECK(rig.errors.empty());
  rig.advance(800ms);
  CHECK(rig.requests.size() == 4);
}

TEST_CASE("a watch that breaks is reopened after the backoff, from the last resourceVersion") {
  Rig rig(plain());
  rig.go_live();
  rig.event(EventType::added, pod("b", "12"));
  rig.fail(unreachable_error());
  CHECK(rig.state() == State::waiting);
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].next_try == 800ms);
  CHECK(rig.reflector.next_try_at() == rig.now + 800ms);
  rig.advance(800ms);
  CHECK(rig.last().is_watch);
  CHECK(rig.last().watch.resource_version == "12");
  CHECK_FALSE(rig.reflector.next_try_at());
}

TEST_CASE("progress or two minutes reset the backoff, less does not") {
  const auto server_state = std::make_shared<ServerState>();
  Rig rig(plain(), server_state);
  server_state->path().note_event_came(rig.now);
  rig.go_live();
  const auto break_after = [&](Milliseconds open_for) {
    rig.advance(open_for);
    rig.fail(unreachable_error());
    const Milliseconds wait = *rig.errors.back().next_try;
    rig.advance(wait);
    rig.open();
    return wait;
  };
  CHECK(break_after(1s) == 800ms);
  CHECK(break_after(60s) == 1600ms);
  CHECK(break_after(100s) == 3200ms);
  CHECK(break_after(120s) == 800ms);
  CHECK(break_after(1s) == 1600ms);
  rig.event(EventType::added, pod("b", "12"));
  CHECK(break_after(1s) == 800ms);
}

TEST_CASE("two very short watches in a row without events mean that the resourceVersion expired") {
  Rig rig(plain());
  rig.go_live();
  rig.end();
  REQUIRE(rig.last().is_watch);
  rig.open();
  rig.end();
  CHECK(rig.state() == State::waiting);
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].error.status == Status::gone);
  rig.advance(800ms);
  CHECK_FALSE(rig.last().is_watch);
  CHECK(rig.last().list.resource_version == "10");
}

TEST_CASE("very short watches with a longer one in between are not in a row") {
  Rig rig(plain());
  rig.go_live();
  for (const Milliseconds lived : {0ms, 5000ms, 0ms, 5000ms}) {
    rig.advance(lived);
    rig.end();
    if (rig.state() == State::waiting) rig.advance(60s);
    REQUIRE(rig.last().is_watch);
    rig.open();
  }
  CHECK(rig.errors.empty());
}

TEST_CASE("a watch of 2 s is not very short") {
  Rig rig(plain());
  rig.go_live();
  for (int i = 0; i < 4; ++i) {
    rig.advance(2s);
    rig.end();
    if (rig.state() == State::waiting) rig.advance(60s);
    REQUIRE(rig.last().is_watch);
    rig.open();
  }
}

TEST_CASE("for Events the first very short watch relists, at once") {
  Options options = plain();
  options.events = true;
  Rig rig(options);
  rig.start();
  json::ListMeta meta;
  meta.resource_version = "10";
  rig.reflector.on_list_end(rig.last().id, meta, rig.now);
  rig.open();
  rig.end();
  CHECK_FALSE(rig.last().is_watch);
  CHECK(rig.errors.empty());
}

TEST_CASE("410 in its forms: as the first event, as a later one, and as an HTTP status") {
  SUBCASE("first event") {
    Rig rig(plain());
    rig.go_live();
    rig.error_event(api_status(410, "Expired", "too old resource version: 100 (5000)"));
    CHECK_FALSE(rig.last().is_watch);
  }
  SUBCASE("later event, from a server up to 1.17, without a code") {
    Rig rig(plain());
    rig.go_live();
    rig.event(EventType::added, pod("b", "12"));
    rig.error_event(api_status(0, "Gone"));
    CHECK_FALSE(rig.last().is_watch);
  }
  SUBCASE("HTTP status of the watch or its handshake") {
    Rig rig(plain());
    rig.start();
    rig.list({}, "10");
    rig.fail(http_error(410), api_status(410, "Expired"));
    CHECK_FALSE(rig.last().is_watch);
  }
  SUBCASE("HTTP status with a plain text body") {
    Rig rig(plain());
    rig.start();
    rig.list({}, "10");
    rig.fail(http_error(410));
    CHECK_FALSE(rig.last().is_watch);
  }
}

TEST_CASE("a second 410 in a row: the relist waits, and requests the most recent state") {
  Rig rig(plain());
  rig.go_live();
  rig.error_event(api_status(410, "Expired"));
  CHECK(rig.last().list.resource_version == "10");
  rig.list({pod("a", "5")}, "10");
  rig.open();
  rig.error_event(api_status(410, "Expired"));
  CHECK(rig.state() == State::waiting);
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].error.status == Status::gone);
  rig.advance(800ms);
  REQUIRE_FALSE(rig.last().is_watch);
  CHECK(rig.last().list.resource_version.empty());
}

TEST_CASE("an ERROR event of any other kind relists after the backoff") {
  for (const json::ApiStatus& status : {api_status(500, "InternalError"), api_status(0, "InternalError"),
                                        api_status(0, ""), api_status(504, "Timeout")}) {
    Rig rig(plain());
    rig.go_live();
    rig.error_event(status);
    REQUIRE(rig.errors.size() == 1);
    CHECK(rig.errors[0].error.message.find("ERROR event") != std::string::npos);
    CHECK(rig.last().stopped);
    rig.advance(800ms);
    CHECK_FALSE(rig.last().is_watch);
  }
}

TEST_CASE("an ERROR event 429 watches again after its retryAfterSeconds") {
  Rig rig(plain());
  rig.go_live();
  json::ApiStatus status = api_status(429, "TooManyRequests");
  status.retry_after_seconds = 7;
  rig.error_event(status);
  CHECK(rig.errors.at(0).next_try == 7s);
  rig.advance(7s);
  CHECK(rig.last().is_watch);
}

TEST_CASE("no effect comes after cancel") {
  Rig rig(plain());
  rig.go_live();
  const RequestId watch = rig.last().id;
  rig.reflector.cancel();
  CHECK(rig.running() == 1);  // the list, which has ended
  CHECK_FALSE(rig.timer);
  const std::size_t states = rig.states.size();
  rig.event(watch, EventType::added, pod("b", "12"));
  rig.reflector.on_watch_failed(watch, unreachable_error(), std::nullopt, rig.now);
  rig.reflector.on_timer(rig.now + 1h);
  rig.reflector.on_clock_jump(rig.now + 1h);
  rig.reflector.cancel();
  CHECK(rig.requests.size() == 2);
  CHECK(rig.errors.empty());
  CHECK(rig.states.size() == states);
  CHECK(rig.held() == "a=5");
  CHECK_FALSE(rig.timer);
}

TEST_CASE("cancel during a list abandons what was staged") {
  Rig rig(plain());
  rig.start();
  rig.item(pod("a", "1"));
  rig.reflector.cancel();
  CHECK(rig.last().stopped);
  CHECK_FALSE(rig.listing);
}

TEST_CASE("an event proves the view current only when its watch has caught up") {
  Rig rig(plain());
  rig.go_live();
  const Instant listed = *rig.reflector.fresh_at();
  rig.advance(3s);
  rig.event(EventType::added, pod("b", "12"));
  CHECK(rig.reflector.fresh_at() == listed);
  rig.advance(1s);
  rig.bookmark("13");
  CHECK(rig.reflector.fresh_at() == rig.now);
  rig.advance(1s);
  rig.event(EventType::added, pod("c", "14"));
  CHECK(rig.reflector.fresh_at() == rig.now);
}

TEST_CASE("without bookmarks an event counts once its watch is 10 s old") {
  Rig rig(plain());
  rig.go_live();
  rig.advance(10s);
  const Instant listed = *rig.reflector.fresh_at();
  rig.event(EventType::added, pod("b", "12"));
  // It may have been held back on the way.
  CHECK(rig.reflector.fresh_at() == listed);
  rig.advance(1s);
  rig.event(EventType::added, pod("c", "13"));
  CHECK(rig.reflector.fresh_at() == rig.now);
}
