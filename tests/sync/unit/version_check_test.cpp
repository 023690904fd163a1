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
  SUBCASE("the answer is none: nothing follows") {
    rig.reflector.on_newest_version("", rig.now);
    CHECK(rig.requests.size() == requests);
  }
  SUBCASE("an event comes before the answer") {
    rig.event(json::EventType::modified, pod("a", "11"));
    rig.reflector.on_newest_version("7", rig.now);
    rig.advance(200s);
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
