// Tests a reflector whose view is a part of the objects, with a server that divides and with one that does not.
#include <doctest/doctest.h>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;

namespace {

const Shard kFirst = *Shard::parse("0/2");

Options first_of_two() {
  Options options = plain();
  options.shard = kFirst;
  return options;
}

// The first names from `prefix` whose pods are, or are not, in the shard.
std::vector<std::string> names(bool in_shard, std::size_t count, const std::string& prefix = "p") {
  std::vector<std::string> found;
  for (int i = 0; found.size() < count; ++i) {
    const std::string name = prefix + std::to_string(i);
    if (kFirst.holds(pod(name, "1").item().uid) == in_shard) found.push_back(name);
  }
  return found;
}

void end_list_of(Rig& rig, const std::string& selector, const std::string& token = "") {
  json::ListMeta meta;
  meta.kind = "PodList";
  meta.api_version = "v1";
  meta.resource_version = "10";
  meta.continue_token = token;
  meta.shard_selector = selector;
  rig.reflector.on_list_end(rig.last().id, meta, rig.now);
}

}  // namespace

TEST_CASE("objects of other shards are not kept, but their events move the version on") {
  const auto mine = names(true, 2);
  const auto other = names(false, 2);
  Rig rig(first_of_two());
  rig.start();
  rig.list({pod(mine[0], "5"), pod(other[0], "6")}, "10");
  CHECK(rig.held() == mine[0] + "=5");
  CHECK(rig.reflector.shard_by_server() == false);
  rig.open();
  rig.event(json::EventType::added, pod(other[1], "11"));
  rig.event(json::EventType::modified, pod(other[0], "12"));
  CHECK(rig.held() == mine[0] + "=5");
  CHECK(rig.version == "12");
  CHECK(rig.reflector.counters().events == 0);
  rig.event(json::EventType::added, pod(mine[1], "13"));
  rig.event(json::EventType::deleted, pod(other[0], "14"));
  rig.event(json::EventType::deleted, pod(other[1], "3"));
  rig.event(json::EventType::deleted, pod(mine[0], "15"));
  CHECK(rig.held() == mine[1] + "=13");
  CHECK(rig.version == "15");
  CHECK(rig.reflector.counters().events == 2);
  CHECK(rig.errors.empty());
}

TEST_CASE("the initial events of a watch") {
  Options options = first_of_two();
  options.initial = Initial::watchlist;
  const auto mine = names(true, 1);
  const auto other = names(false, 2);
  Rig rig(options);
  rig.start();
  rig.open();
  rig.event(json::EventType::added, pod(other[0], "5"));
  rig.event(json::EventType::added, pod(mine[0], "6"));
  rig.event(json::EventType::deleted, pod(other[1], "7"));
  rig.bookmark("10", true);
  CHECK(rig.held() == mine[0] + "=6");
  CHECK(rig.state() == State::live);
  CHECK(rig.reflector.shard_by_server() == false);
}

TEST_CASE("a server divides when every page of the newest list says so") {
  Rig rig(first_of_two());
  rig.start();
  CHECK_FALSE(rig.reflector.shard_by_server().has_value());
  end_list_of(rig, kFirst.selector(), "token");
  end_list_of(rig, kFirst.selector());
  CHECK(rig.reflector.shard_by_server() == true);
  const auto relist = [&rig] {
    rig.open();
    rig.error_event(api_status(410, "Expired"));
    if (rig.last().is_watch) rig.advance(1min);
    REQUIRE_FALSE(rig.last().is_watch);
  };
  relist();
  end_list_of(rig, "", "token");
  end_list_of(rig, kFirst.selector());
  CHECK_FALSE(rig.reflector.shard_by_server().has_value());
  relist();
  end_list_of(rig, kFirst.selector(), "token");
  end_list_of(rig, "");
  CHECK_FALSE(rig.reflector.shard_by_server().has_value());
  relist();
  end_list_of(rig, Shard::parse("1/2")->selector());
  CHECK_FALSE(rig.reflector.shard_by_server().has_value());
  relist();
  end_list_of(rig, kFirst.selector());
  CHECK(rig.reflector.shard_by_server() == true);
  // It was restarted with another gate.
  rig.open();
  rig.event(json::EventType::added, pod(names(true, 1)[0], "11"));
  CHECK(rig.reflector.shard_by_server() == true);
  rig.event(json::EventType::added, pod(names(false, 1)[0], "12"));
  CHECK(rig.reflector.shard_by_server() == false);
  relist();
  rig.item(pod(names(false, 1)[0], "5"));
  end_list_of(rig, kFirst.selector());
  CHECK(rig.reflector.shard_by_server() == false);
}

TEST_CASE("a page of others' objects alone is no empty page, and repeated pages are noticed by them") {
  const auto other = names(false, 40);
  Rig rig(first_of_two());
  rig.start();
  for (int page = 0; page < 20; ++page) {
    rig.list({pod(other[static_cast<std::size_t>(page)], "5")}, "10", "token-" + std::to_string(page));
  }
  CHECK(rig.errors.empty());
  rig.list({pod(other[0], "5")}, "10", "token-again");
  CHECK(rig.errors.size() == 1);
}

TEST_CASE("max_view_bytes is of the shard's objects") {
  Options options = first_of_two();
  const auto mine = names(true, 1);
  const auto other = names(false, 3);
  options.max_view_bytes = pod(mine[0], "5").item().text_size() + 1;
  Rig rig(options);
  rig.start();
  rig.list({pod(other[0], "5"), pod(mine[0], "5"), pod(other[1], "5"), pod(other[2], "5")}, "10");
  CHECK(rig.errors.empty());
  CHECK(rig.held() == mine[0] + "=5");
}
