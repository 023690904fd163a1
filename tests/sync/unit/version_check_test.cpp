// A server that comes back with an older state than the view has, as after a restore of its etcd.
#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "support/errors.hpp"
#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;
using namespace std::chrono_literals;

namespace {

// Live at version 10, and live again after a failure.
void fail_and_reopen(Rig& rig) {
  rig.go_live();
  rig.advance(60s);
  rig.fail(unreachable_error());
  rig.advance(60s);
  REQUIRE(rig.last().is_watch);
  REQUIRE(rig.last().watch.resource_version == "10");
  rig.open();
}

}  // namespace

TEST_CASE("a watch that is silent after a failure: the server is asked how new its state is") {
  Rig rig(plain());
  fail_and_reopen(rig);
  rig.advance(4s);
  CHECK(rig.version_questions == 0);
  rig.advance(10s);
  CHECK(rig.version_questions == 1);
  const std::size_t requests = rig.requests.size();

  SUBCASE("it is as new as the view, or newer: nothing changes") {
    std::string newest;
    SUBCASE("") {
      newest = "10";
    }
    SUBCASE("") {
      newest = "11";
    }
    rig.reflector.on_newest_version(newest, rig.now);
    rig.advance(70s);
    CHECK(rig.version_questions == 1);
    CHECK(rig.requests.size() == requests);
  }
  SUBCASE("it is older: a list follows, at the most recent state, and the view becomes what the server has") {
    rig.reflector.on_newest_version("7", rig.now);
    for (int i = 0; i < 3; ++i) {
      rig.advance(30s);
      REQUIRE_FALSE(rig.last().is_watch);
      CHECK(rig.last().list.resource_version.empty());
      rig.list({pod("b", "6")}, "7");
    }
    CHECK(rig.held() == "b=6");
    REQUIRE(rig.last().is_watch);
    CHECK(rig.last().watch.resource_version == "7");
    CHECK(rig.running() >= 1);
  }
  SUBCASE("no answer: it is asked again a minute later") {
    rig.advance(45s);
    CHECK(rig.version_questions == 1);
    rig.advance(15s);
    CHECK(rig.version_questions == 2);
  }
  SUBCASE("the answer says no version, as a refusal: it is asked again") {
    std::string newest;
    SUBCASE("") {}
    SUBCASE("") {
      newest = "page";
    }
    rig.reflector.on_newest_version(newest, rig.now);
    CHECK(rig.requests.size() == requests);
    rig.advance(60s);
    CHECK(rig.version_questions == 2);
    rig.reflector.on_newest_version("7", rig.now);
    CHECK_FALSE(rig.last().is_watch);
  }
  SUBCASE("an ERROR event comes before the answer, and the next watch is silent again") {
    rig.error_event(api_status(429, "TooManyRequests"));
    rig.advance(60s);
    rig.open();
    rig.advance(10s);
    CHECK(rig.version_questions == 2);
  }
  SUBCASE("an event comes before the answer") {
    rig.event(json::EventType::modified, pod("a", "11"));
    rig.reflector.on_newest_version("7", rig.now);
    rig.advance(140s);
    CHECK(rig.requests.size() == requests);
    CHECK(rig.held() == "a=11");
    CHECK(rig.version_questions == 1);
  }
}

TEST_CASE("the questions of many streams come one after the other") {
  const auto server = std::make_shared<ServerState>();
  std::vector<std::unique_ptr<Rig>> others;
  for (int i = 0; i < 999; ++i) {
    others.push_back(std::make_unique<Rig>(plain(), server));
  }
  Rig rig(plain(), server);
  fail_and_reopen(rig);
  rig.advance(49s);
  CHECK(rig.version_questions == 0);
  rig.advance(1s);
  CHECK(rig.version_questions == 1);
}

TEST_CASE("an answer about an older view says nothing of the view that is there now") {
  Rig rig(plain());
  fail_and_reopen(rig);
  rig.advance(10s);
  REQUIRE(rig.version_questions == 1);
  rig.event(json::EventType::modified, pod("a", "12"));
  rig.fail(unreachable_error());
  rig.advance(60s);
  rig.open();
  const std::size_t requests = rig.requests.size();
  rig.reflector.on_newest_version("11", rig.now);
  CHECK(rig.requests.size() == requests);
}

TEST_CASE("nothing is asked of a server that sends something, or has not failed") {
  Rig rig(plain());
  SUBCASE("a bookmark comes after the failure") {
    fail_and_reopen(rig);
    rig.bookmark("10");
  }
  SUBCASE("the watch ended in order") {
    rig.go_live();
    rig.advance(60s);
    rig.end();
    rig.open();
  }
  SUBCASE("there was a list since") {
    rig.go_live();
    rig.advance(60s);
    rig.fail(unreachable_error());
    rig.advance(60s);
    rig.fail(http_error(410));
    rig.advance(60s);
    rig.list({pod("a", "5")}, "12");
    rig.open();
  }
  SUBCASE("versions do not compare") {
    rig.go_live({pod("a", "x5")}, "x10");
    rig.advance(60s);
    rig.fail(unreachable_error());
    rig.advance(60s);
    rig.open();
  }
  rig.advance(60s);
  CHECK(rig.version_questions == 0);
}

TEST_CASE("another failure before the question: the next watch has its time to send something") {
  Rig rig(plain());
  fail_and_reopen(rig);
  rig.advance(1s);
  rig.fail(unreachable_error());
  rig.advance(60s);
  rig.open();
  rig.advance(4s);
  CHECK(rig.version_questions == 0);
  rig.advance(6s);
  CHECK(rig.version_questions == 1);
}

TEST_CASE("a server that is behind is no reason to leave WebSocket") {
  const auto server = std::make_shared<ServerState>();
  Options options = plain();
  options.transport = WatchTransport::automatic;
  Rig first(options, server);
  Rig second(options, server);
  for (Rig* const rig : {&first, &second}) {
    rig->go_live();
    rig->bookmark("11");
  }
  const auto advance = [&](Milliseconds time) {
    first.advance(time);
    second.advance(time);
  };
  for (Rig* const rig : {&first, &second}) {
    advance(1s);
    rig->fail(unreachable_error());
    advance(5s);
    rig->open();
    advance(10s);
    REQUIRE(rig->version_questions == 1);
    rig->reflector.on_newest_version("7", rig->now);
    CHECK_FALSE(rig->last().is_watch);
  }
  CHECK(server->transport().websocket(first.now));
}

TEST_CASE("watches are silent for longer than their bookmarks let expect, and the server is newer: a list") {
  Rig rig(plain());
  rig.go_live();
  rig.bookmark("20");
  rig.advance(60s);
  rig.bookmark("21");
  bool list_has_news = false;
  SUBCASE("with what no watch has sent: the next one is as soon") {
    list_has_news = true;
  }
  SUBCASE("with nothing new: they come less and less often, but for events") {}
  int version = 21;
  std::vector<Milliseconds> times;
  Instant last_list = rig.now;
  int asked = 0;
  for (int i = 0; i < 6000 && times.size() < 6; ++i) {
    rig.advance(1s);
    if (rig.last().is_watch && rig.reflector.state() == State::connecting) rig.open();
    if (rig.version_questions == asked) continue;
    asked = rig.version_questions;
    rig.reflector.on_newest_version(std::to_string(version += 5), rig.now);
    if (rig.last().is_watch) continue;
    times.push_back(std::chrono::duration_cast<Milliseconds>(rig.now - last_list));
    last_list = rig.now;
    rig.list({pod("a", list_has_news ? std::to_string(version) : "5")}, std::to_string(version));
    rig.open();
  }
  REQUIRE(times.size() == 6);
  CHECK(times[0] < 400s);
  for (const Milliseconds time : times) CHECK(time < 1400s);
  if (list_has_news) {
    CHECK(times[5] < 200s);
  } else {
    CHECK(times[1] > 250s);
    CHECK(times[5] > 1000s);
  }
  CHECK(rig.errors.empty());
}
