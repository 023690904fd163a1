#include <doctest/doctest.h>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;

TEST_CASE("the name that works is remembered for the next stream of the same resource") {
  auto memory = std::make_shared<ServerState>();
  Options options = plain();
  options.candidates = 2;
  options.resource = "apps/v1/x,apps/v1beta1/x";
  Rig first(options, memory);
  first.start();
  first.fail_list(http_error(404));
  first.list({}, "10");
  Rig second(options, memory);
  second.start();
  CHECK(second.last().list.candidate == 1);
  second.fail_list(http_error(404));
  CHECK(second.last().list.candidate == 0);
  CHECK(second.errors.empty());
  second.fail_list(http_error(404));
  CHECK(second.errors.size() == 1);

  options.resource = "another";
  Rig third(options, memory);
  third.start();
  CHECK(third.last().list.candidate == 0);
}

TEST_CASE("a remembered name beyond the number of names is no trouble") {
  auto memory = std::make_shared<ServerState>();
  memory->note_working_candidate("x", 5);
  Options options = plain();
  options.candidates = 2;
  options.resource = "x";
  Rig rig(options, memory);
  rig.start();
  CHECK(rig.last().list.candidate < 2);
}

TEST_CASE("initial=auto begins with WatchList unless the version or a refusal speaks against it") {
  for (const auto& [minor, watchlist] : {std::pair(0, true), std::pair(33, false), std::pair(34, true)}) {
    auto memory = std::make_shared<ServerState>();
    if (minor != 0) memory->set_server_version(1, minor);
    Rig rig(Options{}, memory);
    rig.start();
    CHECK(rig.last().is_watch == watchlist);
  }
  auto memory = std::make_shared<ServerState>();
  memory->set_server_version(2, 0);
  CHECK(memory->watchlist_probable("x"));
  memory->note_watchlist_refused("x");
  CHECK_FALSE(memory->watchlist_probable("x"));
  CHECK(memory->watchlist_probable("y"));
}

TEST_CASE("initial=watchlist goes by refusals only, initial=list by nothing") {
  auto memory = std::make_shared<ServerState>();
  memory->set_server_version(1, 20);
  Options options;
  options.initial = Initial::watchlist;
  Rig rig(options, memory);
  rig.start();
  CHECK(rig.last().is_watch);
  options.initial = Initial::list;
  Rig lister(options, memory);
  lister.start();
  CHECK_FALSE(lister.last().is_watch);
}
