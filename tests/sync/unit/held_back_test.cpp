// Tests watches over HTTP that something on the way holds back until they end: short ones, one after the other.
#include <doctest/doctest.h>

#include <algorithm>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;
using json::EventType;

namespace {

std::size_t lines_with(const Rig& rig, const std::string& words) {
  return static_cast<std::size_t>(
      std::count_if(rig.logger.lines.begin(), rig.logger.lines.end(),
                    [&](const std::string& line) { return line.find(words) != std::string::npos; }));
}

// The poll's head, what it has, and its end come together, when the server ends it.
void end_poll(Rig& rig, const std::vector<TestObject>& changed = {}) {
  REQUIRE(rig.last().watch.poll);
  rig.advance(rig.last().watch.timeout);
  rig.open();
  for (const TestObject& object : changed) rig.event(EventType::modified, object);
  rig.end();
}

// Listed; the watch's head has not come for a second.
void find_held_back(Rig& rig) {
  rig.sent = true;
  rig.start();
  rig.list({pod("a", "5")}, "10");
  REQUIRE(rig.last().is_watch);
  CHECK_FALSE(rig.last().watch.poll);
  rig.advance(1s);
}

}  // namespace

TEST_CASE("the head of a watch does not come: polls, each at once after the last, LIVE all the time") {
  Rig rig(plain());
  find_held_back(rig);
  REQUIRE(rig.requests.size() == 3);
  CHECK(rig.requests[1].stopped);
  CHECK(rig.last().watch.poll);
  CHECK(rig.last().watch.timeout == 1s);
  CHECK(rig.last().watch.resource_version == "10");
  CHECK(rig.state() == State::live);
  rig.states.clear();
  end_poll(rig, {pod("a", "12")});
  CHECK(rig.held() == "a=12");
  CHECK(rig.last().watch.resource_version == "12");
  for (int i = 0; i < 20; ++i) end_poll(rig);
  CHECK(rig.requests.size() == 24);
  CHECK(rig.states.empty());
  CHECK(rig.errors.empty());
  CHECK(rig.reflector.counters().lists == 1);
  CHECK(rig.reflector.counters().reconnects == 0);
  CHECK(lines_with(rig, "watches over HTTP are held back") == 1);
}

TEST_CASE("what was found is known to the other streams of the server, for an hour") {
  auto server_state = std::make_shared<ServerState>();
  Rig rig(plain(), server_state);
  find_held_back(rig);
  end_poll(rig);
  Options options;
  options.initial = Initial::watchlist;
  options.transport = WatchTransport::http;
  Rig other(options, server_state);
  other.start();
  // The end of initial events would be held back.
  REQUIRE_FALSE(other.last().is_watch);
  other.list({pod("a", "5")}, "10");
  CHECK(other.last().watch.poll);
  CHECK(lines_with(other, "held back") == 0);

  Rig later(plain(), server_state);
  later.now += 2h;
  later.start();
  later.list({pod("a", "5")}, "10");
  CHECK_FALSE(later.last().watch.poll);
}

TEST_CASE("a poll's head that comes long before its end is not held back: a slow server is waited for from then on") {
  Rig rig(plain());
  find_held_back(rig);
  rig.advance(400ms);
  rig.open();
  rig.advance(700ms);
  rig.end();
  REQUIRE(rig.last().is_watch);
  CHECK_FALSE(rig.last().watch.poll);
  rig.advance(1s);
  CHECK(rig.requests.size() == 4);
  CHECK(rig.state() == State::live);
  CHECK(lines_with(rig, "held back") == 0);
}

TEST_CASE("a poll's head and a later event that come before its end are not held back; together they may be") {
  Rig rig(plain());
  find_held_back(rig);
  rig.advance(200ms);
  rig.open();
  rig.event(EventType::modified, pod("a", "11"));
  rig.advance(800ms);
  rig.end();
  REQUIRE(rig.last().watch.poll);
  rig.advance(200ms);
  rig.open();
  rig.advance(100ms);
  rig.event(EventType::modified, pod("a", "12"));
  rig.advance(700ms);
  rig.end();
  CHECK(rig.last().is_watch);
  CHECK_FALSE(rig.last().watch.poll);
}

TEST_CASE("an event without a version in a poll: there is nothing that the next one could begin at") {
  Rig rig(plain());
  find_held_back(rig);
  rig.advance(1s);
  rig.open();
  rig.event(EventType::modified, pod("a", ""));
  rig.end();
  CHECK_FALSE(rig.last().is_watch);
}

TEST_CASE("after a sleep an open poll has a successor, which goes on when the poll has ended, and may fail") {
  for (const bool succeeds : {true, false}) {
    CAPTURE(succeeds);
    Rig rig(plain());
    find_held_back(rig);
    rig.open();
    const RequestId poll = rig.last().id;
    rig.reflector.on_clock_jump(rig.now);
    rig.advance(1s);
    REQUIRE(rig.last().id != poll);
    const RequestId successor = rig.last().id;
    rig.reflector.on_watch_end(poll, rig.now);
    CHECK(rig.last().id == successor);
    if (succeeds) {
      rig.open();
      CHECK(rig.state() == State::live);
    } else {
      rig.fail(http_error(410), api_status(410, "Expired"));
      CHECK_FALSE(rig.last().is_watch);
      rig.list({pod("a", "20")}, "20");
    }
    CHECK(rig.running() >= 1);
    CHECK(rig.errors.empty());
  }
}

TEST_CASE("an event comes in part and nothing after it: it is at the end of a full block") {
  Rig rig(plain());
  rig.go_live();
  rig.event(EventType::modified, pod("a", "11"));
  rig.stalled = true;
  rig.advance(2s);
  REQUIRE(rig.requests.size() == 3);
  CHECK(rig.last().watch.poll);
  CHECK(rig.last().watch.resource_version == "11");
  CHECK(rig.state() == State::live);
  CHECK(rig.errors.empty());
}

TEST_CASE("an event comes in part long after the head") {
  Rig rig(plain());
  rig.go_live();
  rig.advance(20s);
  rig.stalled = true;
  rig.reflector.on_watch_event_begun(rig.last().id, rig.now);
  SUBCASE("and nothing after it") {
    rig.advance(2s);
    CHECK(rig.last().watch.poll);
    CHECK(rig.state() == State::live);
  }
  SUBCASE("and its rest, and the next one in part") {
    rig.advance(1s);
    rig.stalled = false;
    rig.event(EventType::modified, pod("a", "11"));
    rig.advance(5s);
    CHECK_FALSE(rig.last().watch.poll);
    rig.stalled = true;
    rig.reflector.on_watch_event_begun(rig.last().id, rig.now);
    rig.advance(2s);
    CHECK(rig.last().watch.poll);
  }
  SUBCASE("over WebSocket, whose messages are whole") {
    Options options = plain();
    options.transport = WatchTransport::websocket;
    Rig other(options);
    other.go_live();
    other.stalled = true;
    other.reflector.on_watch_event_begun(other.last().id, other.now);
    other.advance(10s);
    CHECK(other.requests.size() == 2);
  }
  CHECK(rig.errors.empty());
}

TEST_CASE(
    "a watch has sent something, and is silent then: where no bookmarks are known the next one shows what it has") {
  Options options = plain();
  SUBCASE("over HTTP") {}
  SUBCASE("over WebSocket") {
    options.transport = WatchTransport::websocket;
  }
  Rig rig(options);
  rig.go_live();
  rig.advance(10s);
  rig.event(EventType::modified, pod("a", "11"));
  rig.advance(149s);
  CHECK(rig.requests.size() == 2);
  rig.advance(1s);
  REQUIRE(rig.requests.size() == 3);
  CHECK(rig.last().watch.resource_version == "11");
  CHECK(rig.state() == State::live);
  rig.open();
  rig.event(EventType::modified, pod("a", "12"));
  CHECK(rig.held() == "a=12");
  CHECK(rig.state() == State::live);
  CHECK(rig.errors.empty());
}

TEST_CASE("over HTTP one bookmark of each watch proves the view current, once nothing follows it at once") {
  Rig rig(plain());
  rig.go_live();
  rig.advance(60s);
  rig.bookmark("11");
  const Instant came = rig.now;
  SUBCASE("it comes by itself") {
    rig.advance(100ms);
    CHECK(rig.reflector.fresh_at() == came);
  }
  SUBCASE("it comes with the end") {
    rig.end();
    rig.advance(100ms);
    CHECK(*rig.reflector.fresh_at() < came);
  }
}

TEST_CASE("an event without uid proves that its transport gets through, and what is no event does not") {
  for (const bool is_event : {true, false}) {
    CAPTURE(is_event);
    const auto server = std::make_shared<ServerState>();
    Options options = plain();
    options.transport = WatchTransport::automatic;
    Rig rig(options, server);
    rig.go_live();
    for (int i = 0; i < 3; ++i) {
      REQUIRE(rig.last().is_watch);
      rig.reflector.on_watch_bad_event(rig.last().id, protocol_error(), {false, is_event}, rig.now);
      rig.advance(60s);
      rig.list({pod("a", "5")}, "10");
      rig.open();
    }
    CHECK(server->transport().websocket(rig.now) == is_event);
  }
}

TEST_CASE("initial events come in part: they are listed") {
  Options options;
  options.initial = Initial::watchlist;
  options.transport = WatchTransport::http;
  Rig rig(options);
  rig.start();
  REQUIRE(rig.last().watch.send_initial_events);
  rig.open();
  rig.event(EventType::added, pod("a", "5"));
  rig.stalled = true;
  rig.advance(2s);
  REQUIRE_FALSE(rig.last().is_watch);
  rig.list({pod("a", "5")}, "10");
  CHECK(rig.last().watch.poll);
  CHECK(rig.errors.empty());
}

TEST_CASE("events that come whole are no reason, and a head without an event is the last time that is looked at it") {
  Rig rig(plain());
  rig.go_live();
  rig.advance(2s);
  // An event of a megabyte takes its time.
  rig.event(EventType::modified, pod("a", "11"));
  rig.stalled = true;
  rig.advance(30s);
  CHECK(rig.requests.size() == 2);

  Rig busy(plain());
  busy.go_live();
  for (int i = 0; i < 10; ++i) {
    busy.event(EventType::modified, pod("a", std::to_string(11 + i)));
    busy.advance(1s);
  }
  CHECK(busy.requests.size() == 2);
}

TEST_CASE("transport=auto: a handshake without an answer may be a watch that is held back") {
  Options options;
  options.initial = Initial::watchlist;
  Rig rig(options);
  rig.start();
  REQUIRE(rig.last().watch.websocket);
  CHECK(rig.last().watch.head_limit == 3s);
  rig.advance(3s);
  rig.fail(timeout_error());
  REQUIRE_FALSE(rig.last().is_watch);
  rig.list({pod("a", "5")}, "10");
  CHECK(rig.last().watch.poll);
  SUBCASE("it is") {
    end_poll(rig);
    CHECK(rig.last().watch.poll);
    CHECK(lines_with(rig, "watching over HTTP, since the WebSocket handshake was not answered") == 1);
    CHECK(lines_with(rig, "held back") == 1);
  }
  SUBCASE("it was something else") {
    rig.open();
    rig.advance(1s);
    rig.end();
    CHECK_FALSE(rig.last().watch.poll);
    CHECK_FALSE(rig.last().watch.websocket);
  }
}

TEST_CASE("a poll that is not answered, or does not end, is something else") {
  Rig rig(plain());
  find_held_back(rig);
  CHECK(rig.last().watch.head_limit == 6s);
  SUBCASE("not answered") {
    rig.advance(5900ms);
    rig.fail(timeout_error());
    CHECK(rig.state() == State::waiting);
  }
  SUBCASE("no end") {
    rig.open();
    rig.advance(6s);
    CHECK(rig.requests[2].stopped);
  }
  rig.advance(30s);
  REQUIRE(rig.last().is_watch);
  const auto polls = std::count_if(rig.requests.begin(), rig.requests.end(),
                                   [](const SentRequest& request) { return request.is_watch && request.watch.poll; });
  CHECK(polls >= 2);
  CHECK_FALSE(rig.requests[3].watch.poll);
}

TEST_CASE("polls that end before their time and without an event may be expired; silent ones are followed by a list") {
  Options options = plain();
  SUBCASE("before their time") {
    Rig rig(options);
    find_held_back(rig);
    for (int i = 0; i < 2; ++i) {
      REQUIRE(rig.last().watch.poll);
      rig.advance(100ms);
      rig.open();
      rig.end();
      if (rig.state() == State::waiting) rig.advance(10s);
    }
    CHECK_FALSE(rig.last().is_watch);
  }
  SUBCASE("silent") {
    options.watch_timeout = 60s;
    Rig rig(options);
    find_held_back(rig);
    for (int i = 0; i < 60; ++i) end_poll(rig);
    REQUIRE(rig.last().is_watch);
    end_poll(rig);
    CHECK_FALSE(rig.last().is_watch);
    rig.list({pod("a", "5")}, "20");
    CHECK(rig.last().watch.poll);
    CHECK(rig.reflector.fresh_at() == rig.now);
  }
}

TEST_CASE("all polls of a server together are ten a second at most, and wait in no one's place") {
  auto server_state = std::make_shared<ServerState>();
  std::vector<std::unique_ptr<Rig>> rigs;
  rigs.push_back(std::make_unique<Rig>(plain(), server_state));
  find_held_back(*rigs.back());
  for (int i = 1; i < 25; ++i) {
    rigs.push_back(std::make_unique<Rig>(plain(), server_state));
    rigs.back()->start();
    rigs.back()->list({}, "10");
    REQUIRE(rigs.back()->last().watch.poll);
  }
  CHECK(rigs.back()->last().watch.timeout == 3s);
  CHECK(server_state->limiter().in_flight() == 0);
}

TEST_CASE("watches that something on the way ends after the same time, twice: the next ones end before") {
  Rig rig(plain());
  rig.go_live();
  const auto cut_after = [&](Milliseconds time) {
    rig.advance(time);
    rig.fail(unreachable_error());
  };
  cut_after(60s);
  REQUIRE(rig.errors.size() == 1);
  rig.advance(2s);
  rig.open();
  cut_after(61s);
  // The next one is known not to be cut, and requested at once.
  CHECK(rig.errors.size() == 1);
  REQUIRE(rig.last().is_watch);
  CHECK(rig.last().watch.timeout == 45s);
  CHECK(lines_with(rig, "ended on the way before their time") == 1);
  rig.open();
  rig.advance(35s);
  // Its successor.
  CHECK(rig.last().watch.timeout == 45s);
  CHECK(rig.state() == State::live);
}

TEST_CASE("the head of a watch comes, and its events with the end: probes tell, polls follow") {
  Rig rig(plain());
  rig.go_live();
  rig.advance(999ms);
  CHECK(rig.probes.empty());
  rig.advance(1ms);
  // What comes with the end may also be a lost segment of the network's.
  for (std::size_t i = 0; i < 2; ++i) {
    REQUIRE(rig.probes.size() == i + 1);
    const SentRequest& probe = rig.probes.back();
    CHECK(probe.watch.name == "a");
    CHECK(probe.watch.resource_version == "0");
    CHECK(probe.watch.timeout == 1s);
    CHECK_FALSE(probe.watch.send_initial_events);
    CHECK(rig.requests.size() == 2);
    rig.reflector.on_watch_open(probe.id, rig.now);
    rig.advance(1s);
    rig.event(probe.id, EventType::added, pod("a", "12"));
    rig.reflector.on_watch_end(probe.id, rig.now);
  }
  // Of a probe nothing is applied.
  CHECK(rig.held() == "a=5");
  CHECK(rig.requests[1].stopped);
  CHECK(rig.last().watch.poll);
  CHECK(rig.state() == State::live);
  CHECK(lines_with(rig, "watches over HTTP are held back") == 1);
  CHECK(rig.reflector.counters().reconnects == 0);
  CHECK(rig.errors.empty());
  rig.open();
  rig.advance(1s);
  rig.event(EventType::modified, pod("a", "12"));
  rig.end();
  CHECK(rig.held() == "a=12");
  CHECK(rig.last().watch.poll);
  CHECK(rig.probes.size() == 2);
}

TEST_CASE("one probe tells all streams of the server, which begin with polls or leave it at their watches") {
  const auto server = std::make_shared<ServerState>();
  Rig first(plain(), server);
  Rig second(plain(), server);
  for (Rig* const rig : {&first, &second}) rig->go_live();
  const auto advance = [&](Milliseconds time) {
    first.advance(time);
    second.advance(time);
  };
  const auto show = [&](Milliseconds until_message) {
    const SentRequest& probe = first.probes.back();
    first.reflector.on_watch_open(probe.id, first.now);
    advance(until_message);
    first.event(probe.id, EventType::added, pod("a", "5"));
    advance(1s - until_message);
    first.reflector.on_watch_end(probe.id, first.now);
  };
  advance(1s);
  REQUIRE(first.probes.size() == 1);
  SUBCASE("held back") {
    show(1s);
    REQUIRE(first.probes.size() == 2);
    show(1s);
    CHECK(first.last().watch.poll);
    advance(1s);
    CHECK(second.last().watch.poll);
    CHECK(second.state() == State::live);
    CHECK(lines_with(second, "held back") == 0);
    // Those that come later.
    Rig third(plain(), server);
    third.now = first.now;
    third.start();
    third.list({pod("a", "5")}, "10");
    CHECK(third.last().watch.poll);
  }
  SUBCASE("they come") {
    show(100ms);
    advance(80s);
    CHECK(first.probes.size() == 1);
    CHECK(first.requests.size() == 2);
    CHECK(second.requests.size() == 2);
  }
  SUBCASE("the stream that asks is closed: another one asks") {
    first.reflector.cancel();
    CHECK(first.probes.back().stopped);
    advance(11s);
    CHECK(second.probes.size() == 1);
  }
  CHECK(second.probes.size() <= 1);
}

TEST_CASE("probes that show nothing are few, and the watch is as it was") {
  const auto server = std::make_shared<ServerState>();
  Rig rig(plain(), server);
  rig.go_live();
  rig.advance(1s);
  REQUIRE(rig.probes.size() == 1);
  const RequestId probe = rig.probes.back().id;
  SUBCASE("the object is gone") {
    rig.reflector.on_watch_open(probe, rig.now);
    rig.advance(1s);
    rig.reflector.on_watch_end(probe, rig.now);
  }
  SUBCASE("all that it sends comes with the head") {
    rig.reflector.on_watch_open(probe, rig.now);
    rig.event(probe, EventType::added, pod("a", "5"));
    rig.reflector.on_watch_end(probe, rig.now);
  }
  SUBCASE("it fails") {
    rig.reflector.on_watch_failed(probe, http_error(403), std::nullopt, rig.now);
  }
  SUBCASE("it is never answered") {
    rig.advance(6s);
    CHECK(rig.probes.back().stopped);
  }
  rig.advance(60s);
  CHECK(rig.probes.size() == 1);
  CHECK(rig.requests.size() == 2);
  CHECK(rig.state() == State::live);
  CHECK(rig.errors.empty());
  std::vector<std::unique_ptr<Rig>> others;
  std::size_t probes = 1;
  for (int i = 0; i < 6; ++i) {
    Rig& other = *others.emplace_back(std::make_unique<Rig>(plain(), server));
    other.now = rig.now;
    other.go_live();
    other.advance(8s);
    rig.advance(8s);
    probes += other.probes.size();
  }
  CHECK(probes == 3);
  // What has not shown anything may be gone: a short watch instead, 90 s after the head.
  CHECK(rig.last().watch.trial);
  CHECK(rig.requests.size() == 3);
}

TEST_CASE("a gateway answers 101 and passes on nothing: a probe tells, and HTTP is used after the second") {
  Options options = plain();
  options.transport = WatchTransport::automatic;
  Rig rig(options);
  rig.go_live();
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(rig.last().watch.websocket);
    rig.advance(1s);
    REQUIRE(rig.probes.size() == i + 1);
    CHECK(rig.probes.back().watch.websocket);
    rig.reflector.on_watch_open(rig.probes.back().id, rig.now);
    rig.advance(6s);
    CHECK(rig.probes.back().stopped);
    // The successor.
    REQUIRE(rig.requests.size() == i + 3);
    rig.open();
  }
  CHECK_FALSE(rig.last().watch.websocket);
  CHECK(rig.state() == State::live);
  CHECK(rig.errors.empty());
  rig.event(EventType::modified, pod("a", "12"));
  CHECK(lines_with(rig, "watching over HTTP, since nothing came over WebSocket") == 1);
}

TEST_CASE("a probe over WebSocket that gets its object, or its end, leaves the watch as it is") {
  Options options = plain();
  options.transport = WatchTransport::automatic;
  Rig rig(options);
  rig.go_live();
  rig.advance(1s);
  REQUIRE(rig.probes.size() == 1);
  const RequestId probe = rig.probes.back().id;
  SUBCASE("the object, and the end") {
    rig.reflector.on_watch_open(probe, rig.now);
    rig.event(probe, EventType::added, pod("a", "5"));
    rig.advance(1s);
    rig.reflector.on_watch_end(probe, rig.now);
  }
  SUBCASE("the object, and no end") {
    rig.reflector.on_watch_open(probe, rig.now);
    rig.event(probe, EventType::added, pod("a", "5"));
  }
  SUBCASE("the end alone") {
    rig.reflector.on_watch_open(probe, rig.now);
    rig.advance(1s);
    rig.reflector.on_watch_end(probe, rig.now);
  }
  SUBCASE("no answer at all") {}
  rig.advance(70s);
  CHECK(rig.requests.size() == 2);
  CHECK(rig.state() == State::live);
}

TEST_CASE("no probe where events have come by themselves, of a view without objects, or over WebSocket alone") {
  Options options = plain();
  std::vector<TestObject> objects{pod("a", "5")};
  bool event = false;
  SUBCASE("an event has come") {
    event = true;
  }
  SUBCASE("no object") {
    objects.clear();
  }
  SUBCASE("WebSocket") {
    options.transport = WatchTransport::websocket;
  }
  Rig rig(options);
  rig.go_live(objects);
  rig.advance(500ms);
  if (event) rig.event(EventType::modified, pod("a", "11"));
  rig.advance(80s);
  CHECK(rig.probes.empty());
}

TEST_CASE("without an object for a probe, and events that come with the end: a short watch tells, polls follow") {
  Rig rig(plain());
  rig.go_live({});
  rig.advance(89s);
  REQUIRE(rig.requests.size() == 2);
  rig.advance(1s);
  REQUIRE(rig.requests.size() == 3);
  CHECK(rig.last().watch.trial);
  CHECK(rig.last().watch.timeout == 10s);
  CHECK(rig.state() == State::live);
  rig.open();
  rig.advance(10s);
  // All that it had.
  rig.event(EventType::modified, pod("a", "12"));
  rig.end();
  CHECK(rig.held() == "a=12");
  CHECK(lines_with(rig, "watches over HTTP are held back") == 1);
  for (int i = 0; i < 5; ++i) {
    REQUIRE(rig.last().watch.poll);
    rig.open();
    rig.advance(1s);
    if (i == 3) rig.event(EventType::modified, pod("a", "13"));
    rig.end();
  }
  CHECK(rig.held() == "a=13");
  CHECK(rig.last().watch.poll);
  // The gateway is another one: an event comes by itself.
  rig.open();
  rig.advance(300ms);
  rig.event(EventType::modified, pod("a", "14"));
  rig.advance(700ms);
  rig.end();
  CHECK_FALSE(rig.last().watch.poll);
  CHECK(lines_with(rig, "held back") == 1);
}

TEST_CASE("a short watch whose events come by themselves, or that has none, is followed by one that lasts") {
  Rig rig(plain());
  rig.go_live({});
  rig.advance(90s);
  REQUIRE(rig.last().watch.trial);
  rig.open();
  SUBCASE("none") {
    rig.advance(10s);
    rig.states.clear();
    rig.end();
    REQUIRE_FALSE(rig.last().watch.trial);
    CHECK_FALSE(rig.last().watch.poll);
    rig.open();
    CHECK(rig.states.empty());
    rig.advance(200s);
    CHECK_FALSE(rig.last().watch.trial);
    // In place of the successor.
    rig.advance(100s);
    CHECK(rig.last().watch.trial);
  }
  SUBCASE("none, and the server does not end it") {
    rig.states.clear();
    rig.advance(15s);
    REQUIRE_FALSE(rig.last().watch.trial);
    rig.open();
    CHECK(rig.states.empty());
  }
  SUBCASE("none, and the next one is not sent: it is live for a second") {
    rig.advance(10s);
    rig.end();
    rig.advance(999ms);
    CHECK(rig.state() == State::live);
    rig.advance(1ms);
    CHECK(rig.state() == State::connecting);
    rig.advance(149s);
    CHECK(rig.requests.back().watch.resource_version == "10");
    CHECK(rig.requests.size() == 5);
  }
  SUBCASE("a bookmark two seconds before the end") {
    rig.advance(8s);
    rig.bookmark("11");
    rig.advance(2s);
    rig.end();
    rig.open();
    rig.advance(200s);
    for (const SentRequest& request : rig.requests) CHECK(request.watch.trial == (request.id == rig.requests[2].id));
  }
  CHECK(lines_with(rig, "held back") == 0);
}

TEST_CASE("a watch that ends because it is silent for longer than its bookmarks let expect: a short one follows") {
  Rig rig(plain());
  rig.go_live({});
  rig.bookmark("20");
  rig.advance(60s);
  rig.bookmark("21");
  rig.end();
  rig.open();
  // Events came by themselves less than ten minutes ago.
  while (!rig.last().watch.trial) {
    rig.open();
    rig.advance(180s);
    REQUIRE(rig.requests.size() < 20);
  }
  // It shows nothing.
  rig.open();
  rig.advance(10s);
  rig.end();
  rig.open();
  rig.advance(149s);
  CHECK_FALSE(rig.last().watch.trial);
  rig.advance(1s);
  REQUIRE(rig.last().watch.trial);
  rig.open();
  rig.advance(10s);
  rig.bookmark("22");
  rig.end();
  rig.advance(5s);
  CHECK(rig.last().watch.poll);
}

TEST_CASE("nothing is tried where events come by themselves, over WebSocket, or where versions do not compare") {
  Options options = plain();
  std::string version = "10";
  SUBCASE("a second message of a watch over HTTP") {}
  SUBCASE("WebSocket") {
    options.transport = WatchTransport::websocket;
  }
  SUBCASE("versions are no numbers") {
    version = "x";
  }
  Rig rig(options);
  rig.go_live({pod("a", version)}, version);
  if (options.transport == WatchTransport::http && version == "10") {
    rig.event(EventType::modified, pod("a", "11"));
    rig.advance(1s);
    rig.event(EventType::modified, pod("a", "12"));
    rig.end();
    rig.open();
  }
  rig.advance(200s);
  for (const SentRequest& request : rig.requests) CHECK_FALSE(request.watch.trial);
}

TEST_CASE("watches that are ended when they were silent for the same time") {
  Rig rig(plain());
  rig.go_live();
  int version = 11;
  for (const auto busy : {80s, 7s}) {
    rig.advance(busy);
    rig.event(EventType::modified, pod("a", std::to_string(version++)));
    rig.advance(30s);
    rig.fail(unreachable_error());
    rig.advance(2s);
    if (busy == 80s) rig.open();
  }
  CHECK(rig.last().watch.timeout == 22s);
}

TEST_CASE("watches that end at different times, or by one event, show no limit") {
  WatchPath path;
  const Instant begin{std::chrono::hours(1)};
  CHECK_FALSE(path.note_cut(false, begin, 1s, begin + 60s));
  // Of another stream: open when the first one was cut.
  CHECK_FALSE(path.note_cut(false, begin + 1s, 1s, begin + 61s));
  CHECK_FALSE(path.note_cut(false, begin + 62s, 1s, begin + 160s));
  CHECK_FALSE(path.note_cut(false, begin + 161s, 1s, begin + 162s));
  CHECK_FALSE(path.note_cut(false, begin + 163s, 1s, begin + 164s));
  CHECK_FALSE(path.lifetime(false, begin + 165s));
  CHECK_FALSE(path.note_cut(false, begin + 200s, 1s, begin + 230s));
  CHECK(path.note_cut(false, begin + 231s, 1s, begin + 262s));
  CHECK(path.lifetime(false, begin + 300s) == Milliseconds(22s));
  // A gateway may end what was upgraded, and nothing else.
  CHECK_FALSE(path.lifetime(true, begin + 300s));
  CHECK_FALSE(path.lifetime(false, begin + 2h));
}
