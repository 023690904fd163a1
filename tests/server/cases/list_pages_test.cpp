// In how many pages a list comes: one where the server streams lists, which GET /version says, else pages of 500.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "server/cases/on_server.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;
using ksr::testserver::RecordedRequest;

namespace {

std::vector<std::string> targets_of(ApiServer& server, const std::string& path) {
  std::vector<std::string> targets;
  for (const RecordedRequest& request : server.requests()) {
    if (request.target.rfind(path, 0) == 0) targets.push_back(request.target);
  }
  return targets;
}

// The first list of a new stream.
std::string first_list(ApiServer& server, const std::string& resource = "v1/pods") {
  Recorder seen;
  REQUIRE(seen.open(on_server(server, "http", resource)) == KSR_OK);
  REQUIRE(seen.wait_state(KSR_STATE_LIVE));
  CHECK(seen.errors().empty());
  for (const std::string& target : targets_of(server, "/api/v1/" + resource.substr(3))) {
    if (target.find("watch=") == std::string::npos) return target;
  }
  return "none";
}

bool in_pages(const std::string& target) {
  return target.find("limit=500") != std::string::npos;
}

}  // namespace

TEST_CASE("a server of 1.33 or later is listed in one page, any other in pages of 500") {
  const auto check = [](const std::string& answer, bool pages) {
    CAPTURE(answer);
    ApiServer server(with_token());
    server.script("populate pods 3" + (answer.empty() ? "" : "\nfault any /version " + answer));
    const std::string list = first_list(server);
    CHECK(list != "none");
    CHECK(in_pages(list) == pages);
    CHECK(targets_of(server, "/version").size() == 1);
  };
  check("", false);
  check(R"(answer 200 body={"major":"1","minor":"33"})", false);
  check(R"(answer 200 body={"major":"1","minor":"33+"})", false);
  check(R"(answer 200 body={"major":"1","minor":"32"})", true);
  check(R"(answer 200 body={"major":1,"minor":36})", true);
  check("answer 200 body=<html>", true);
  check("answer 200 body=[]", true);
  check("answer 403", true);
  check("answer 404", true);
  check("answer 500", true);
  check("cut bytes=0", true);
  check("cut bytes=0 reset=true", true);
  check("huge bytes=100000", false);
}

TEST_CASE("a version that does not come, or drips, holds the list up for three seconds at most") {
  // Its head comes in time, its body does not.
  for (const std::string fault : {"stall bytes=0", "slow bytes=10 every=350ms"}) {
    CAPTURE(fault);
    ApiServer server(with_token());
    server.script("populate pods 3\nfault any /version " + fault);
    CHECK(in_pages(first_list(server)));
  }
}

TEST_CASE("events, which no server has in its watch cache, come in pages") {
  ApiServer server(with_token());
  CHECK(in_pages(first_list(server, "v1/events")));
}

TEST_CASE(
    "a server is asked for its version once, as long as a stream of it is open, and not where nothing depends on it") {
  ApiServer server(with_token());
  server.script("populate pods 3");
  Recorder first;
  REQUIRE(first.open(on_server(server, "http")) == KSR_OK);
  REQUIRE(first.wait_state(KSR_STATE_LIVE));
  CHECK_FALSE(in_pages(first_list(server)));
  CHECK(targets_of(server, "/version").size() == 1);

  ApiServer other(with_token());
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"page_size", "7"}, {"initial", "watchlist"}}) {
    Recorder seen;
    REQUIRE(seen.open(with(on_server(other, "http"), key, value)) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
  }
  CHECK(targets_of(other, "/version").empty());
}

TEST_CASE("closing a stream that waits for the version is not held up") {
  ApiServer server(with_token());
  server.script("fault any /version stall bytes=0 times=forever");
  for (int i = 0; i < 3; ++i) {
    Recorder seen;
    REQUIRE(seen.open(on_server(server, "http")) == KSR_OK);
    const auto asked = [&] { return targets_of(server, "/version").size() > static_cast<std::size_t>(i); };
    REQUIRE(seen.wait([&](const Recorder&) { return asked(); }));
    CHECK(seen.close() == KSR_OK);
    CHECK(seen.destroyed() == 1);
  }
}

// ---- the next page, which is requested while the one before it arrives ----------------------------------------------

namespace {

// The lists of pods that were requested, by their continue tokens; "" is a first page.
std::vector<std::string> tokens(ApiServer& server) {
  std::vector<std::string> found;
  for (const std::string& target : targets_of(server, "/api/v1/pods")) {
    if (target.find("watch=") != std::string::npos) continue;
    const std::size_t at = target.find("continue=");
    found.push_back(at == std::string::npos ? "" : target.substr(at));
  }
  return found;
}

Settings in_pages_of(ApiServer& server, const std::string& size, const std::string& resource = "v1/pods") {
  return with(on_server(server, "http", resource), "page_size", size);
}

}  // namespace

TEST_CASE("the next page is requested while a page arrives, each once") {
  ApiServer server(with_token());
  server.script("populate pods 95\nfault list pods slow bytes=2000 every=1s");
  Recorder seen;
  REQUIRE(seen.open(in_pages_of(server, "20")) == KSR_OK);
  // The first page does not end before the test lets go of its connection.
  REQUIRE(seen.wait([&](const Recorder&) { return tokens(server).size() == 2; }));
  CHECK(seen.stat("lists") == 1);
  CHECK(seen.updates() == 0);
  check_equals_server(seen, server);
  const std::vector<std::string> asked = tokens(server);
  REQUIRE(asked.size() == 5);
  CHECK(std::set<std::string>(asked.begin(), asked.end()).size() == 5);
  CHECK(seen.stat("relists") == 0);
  CHECK(seen.errors().empty());
}

TEST_CASE("every page of a list is there, whatever happens to those that were requested ahead") {
  struct Trial {
    const char* fault;
    std::size_t errors;
  };
  for (const Trial& trial : std::vector<Trial>{{"", 0},
                                               {"answer 500", 0},
                                               {"answer 429 retry-after=0", 0},
                                               {"answer 401", 0},
                                               {"answer 410", 0},
                                               {"cut bytes=0 reset=true", 0},
                                               {"slow bytes=100 every=5ms", 0},
                                               {"cut bytes=3000", 1},
                                               {"garbage", 1}}) {
    for (const std::string slow_first : {"", "fault list pods slow bytes=4000 every=20ms\n"}) {
      CAPTURE(trial.fault);
      CAPTURE(slow_first);
      ApiServer server(with_token());
      const std::string skip = slow_first.empty() ? " skip=1" : "";
      server.script("populate pods 95\n" + slow_first +
                    (*trial.fault == 0 ? "" : std::string("fault list pods ") + trial.fault + skip));
      Recorder seen;
      REQUIRE(seen.open(in_pages_of(server, "20")) == KSR_OK);
      REQUIRE(seen.wait_state(KSR_STATE_LIVE));
      check_equals_server(seen, server);
      if (trial.errors > 0) CHECK(seen.errors().size() <= trial.errors);
    }
  }
}

TEST_CASE("a page ahead that is refused for now is requested again after the time that the server names") {
  for (const char* const refusal : {"answer 429 retry-after=2", "answer 503 retry-after=2"}) {
    CAPTURE(refusal);
    ApiServer server(with_token());
    // The refusal has come before the first page ends.
    server.script(std::string("populate pods 60\nfault list pods slow bytes=4000 every=20ms\nfault list pods ") +
                  refusal);
    Recorder seen;
    REQUIRE(seen.open(in_pages_of(server, "20")) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    check_equals_server(seen, server);
    REQUIRE(seen.errors().size() == 1);
    CHECK(seen.errors().front().retry_ms >= 1'900);
  }
}

TEST_CASE("a page ahead that breaks off each time does not keep the list from being complete") {
  ApiServer server(with_token());
  // Second pages, and third ones.
  server.script("populate pods 60\nfault list pods cut bytes=3000 skip=1\nfault list pods cut bytes=3000 skip=3");
  Recorder seen;
  REQUIRE(seen.open(in_pages_of(server, "20")) == KSR_OK);
  check_equals_server(seen, server);
}

TEST_CASE("closing a stream while a page ahead is under way") {
  for (const char* second : {"stall bytes=0", "stall bytes=2000", "slow bytes=100 every=5ms"}) {
    ApiServer server(with_token());
    server.script(std::string("populate pods 95\nfault list pods slow bytes=2000 every=1s\nfault list pods ") + second);
    Recorder seen;
    REQUIRE(seen.open(in_pages_of(server, "20")) == KSR_OK);
    REQUIRE(seen.wait([&](const Recorder&) { return tokens(server).size() == 2; }));
    CHECK(seen.close() == KSR_OK);
    CHECK(seen.destroyed() == 1);
  }
}

TEST_CASE("pages of custom resources, whose metadata comes last") {
  ApiServer server(with_token());
  server.script("populate widgets 95");
  Recorder seen;
  REQUIRE(seen.open(in_pages_of(server, "20", "example.ksr.dev/v1/widgets")) == KSR_OK);
  check_equals_server(seen, server, "widgets");
  CHECK(seen.errors().empty());
}
