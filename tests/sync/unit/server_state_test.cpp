// Tests what the streams of a server learn from each other.
#include <doctest/doctest.h>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;

TEST_CASE("the name that works is remembered for the next stream of the same resource") {
  auto server_state = std::make_shared<ServerState>();
  Options options = plain();
  options.candidates = 2;
  options.resource = "apps/v1/x,apps/v1beta1/x";
  Rig first(options, server_state);
  first.start();
  first.fail_list(http_error(404));
  first.list({}, "10");
  Rig second(options, server_state);
  second.start();
  CHECK(second.last().list.candidate == 1);
  second.fail_list(http_error(404));
  CHECK(second.last().list.candidate == 0);
  CHECK(second.errors.empty());
  second.fail_list(http_error(404));
  CHECK(second.errors.size() == 1);

  options.resource = "another";
  Rig third(options, server_state);
  third.start();
  CHECK(third.last().list.candidate == 0);
}

TEST_CASE("a remembered name beyond the number of names is ignored") {
  auto server_state = std::make_shared<ServerState>();
  server_state->note_working_candidate("x", 5);
  Options options = plain();
  options.candidates = 2;
  options.resource = "x";
  Rig rig(options, server_state);
  rig.start();
  CHECK(rig.last().list.candidate < 2);
}

TEST_CASE("WatchList is refused for one resource at a time") {
  ServerState server_state;
  CHECK_FALSE(server_state.watchlist_refused("x"));
  server_state.note_watchlist_refused("x");
  CHECK(server_state.watchlist_refused("x"));
  CHECK_FALSE(server_state.watchlist_refused("y"));
}

TEST_CASE("initial=watchlist begins with WatchList unless it was refused, initial=auto and initial=list with a list") {
  const auto begins_with_watch = [](Initial initial, bool refused) {
    auto server_state = std::make_shared<ServerState>();
    Options options;
    options.initial = initial;
    options.resource = "x";
    if (refused) server_state->note_watchlist_refused("x#0");
    Rig rig(options, server_state);
    rig.start();
    return rig.last().is_watch;
  };
  CHECK_FALSE(begins_with_watch(Initial::automatic, false));
  CHECK(begins_with_watch(Initial::watchlist, false));
  CHECK_FALSE(begins_with_watch(Initial::watchlist, true));
  CHECK_FALSE(begins_with_watch(Initial::list, false));
}

TEST_CASE("a list has one page where the server streams lists, which its version says, else pages of 500") {
  const auto limit = [](const std::string& major, const std::string& minor, std::optional<std::size_t> page_size) {
    auto server_state = std::make_shared<ServerState>();
    CHECK_FALSE(server_state->version_known());
    if (!major.empty()) server_state->note_version(major, minor);
    Options options = plain();
    options.page_size = page_size;
    Rig rig(options, server_state);
    rig.start();
    return rig.last().list.limit;
  };
  CHECK(limit("", "", {}) == 500);
  CHECK(limit("1", "32", {}) == 500);
  CHECK(limit("1", "32+", {}) == 500);
  CHECK(limit("1", "33", {}) == 0);
  CHECK(limit("1", "33+", {}) == 0);
  CHECK(limit("1", "36", {}) == 0);
  CHECK(limit("2", "0", {}) == 0);
  CHECK(limit("1", "", {}) == 500);
  CHECK(limit("one", "99", {}) == 500);
  CHECK(limit("1", "-99", {}) == 500);
  CHECK(limit("1", "99999999999999999999", {}) == 500);
  CHECK(limit("1", "36", 77) == 77);
  CHECK(limit("1", "36", 500) == 500);
  CHECK(limit("1", "32", 0) == 0);
}

TEST_CASE("what is not a version is known to be none") {
  ServerState server_state;
  server_state.note_version("", "");
  CHECK(server_state.version_known());
  CHECK_FALSE(server_state.streams_lists());
}
