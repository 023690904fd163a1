// Tests the limits of an initial state as a whole: initial_timeout and max_view_bytes.
#include <doctest/doctest.h>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;
using json::EventType;

TEST_CASE("a list that is not complete within initial_timeout, however many items come") {
  Options options = plain();
  options.initial_timeout = 60s;
  Rig rig(options);
  rig.start();
  for (int i = 0; i < 59; ++i) {
    rig.advance(1s);
    rig.item(pod("a" + std::to_string(i), "5"));
    if (i % 10 == 9) rig.end_list("10", "token-" + std::to_string(i));
  }
  CHECK(rig.errors.empty());
  rig.advance(1s);
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].error.status == Status::timeout);
  CHECK(rig.errors[0].error.message.find("initial_timeout (60 s)") != std::string::npos);
  CHECK(rig.last().stopped);
  CHECK(rig.held().empty());
  CHECK_FALSE(rig.listing);
  rig.advance(800ms);
  rig.list({pod("b", "6")}, "20");
  CHECK(rig.held() == "b=6");
}

TEST_CASE("initial events that do not end within initial_timeout, where that is the shorter limit") {
  Options options = plain();
  options.initial = Initial::watchlist;
  options.initial_timeout = 10s;
  Rig rig(options);
  rig.start();
  rig.open();
  rig.event(EventType::added, pod("a", "5"));
  rig.advance(9s);
  CHECK(rig.requests.size() == 1);
  rig.advance(1s);
  CHECK_FALSE(rig.last().is_watch);
}

TEST_CASE("a list larger than max_view_bytes is not taken; repeated objects count each time") {
  Options options = plain();
  Rig small(options);
  small.go_live({pod("a", "5")});
  options.max_view_bytes = 10 * small.cache.stored_bytes();
  Rig rig(options);
  rig.go_live({pod("a", "5")});
  rig.error_event(api_status(410, "Expired"));
  for (int i = 0; i < 10; ++i) rig.item(pod("a", "5"));
  CHECK(rig.errors.empty());
  rig.item(pod("a", "5"));
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].error.status == Status::too_large);
  CHECK(rig.errors[0].error.message.find("max_view_bytes") != std::string::npos);
  CHECK(rig.errors[0].next_try == 30s);
  CHECK(rig.last().stopped);
  CHECK(rig.held() == "a=5");
  CHECK_FALSE(rig.listing);
  // Nothing more of it is looked at.
  rig.item(pod("a", "5"));
  CHECK(rig.errors.size() == 1);
}

TEST_CASE("columns count for max_view_bytes, as they do for store_bytes") {
  TestObject wide = pod("a", "5");
  wide.column = std::string(1000, 'x');
  for (const Initial initial : {Initial::list, Initial::watchlist}) {
    Options options = plain();
    options.initial = initial;
    options.max_view_bytes = 1001;
    Rig rig(options);
    rig.start();
    if (initial == Initial::list) {
      rig.item(wide);
    } else {
      rig.open();
      rig.event(EventType::added, wide);
    }
    REQUIRE(rig.errors.size() == 1);
    CHECK(rig.errors[0].error.status == Status::too_large);
  }
  Options options = plain();
  options.max_view_bytes = 1002;
  Rig rig(options);
  rig.go_live({wide});
  CHECK(rig.cache.stored_bytes() == 1002);
}

TEST_CASE("initial events larger than max_view_bytes, deletions among them included") {
  for (const EventType type : {EventType::added, EventType::deleted}) {
    Options options = plain();
    options.initial = Initial::watchlist;
    options.max_view_bytes = 1000;
    Rig rig(options);
    rig.start();
    rig.open();
    int events = 0;
    while (rig.errors.empty() && events < 1000) rig.event(type, pod("a" + std::to_string(events++), "5"));
    REQUIRE(rig.errors.size() == 1);
    CHECK(rig.errors[0].error.status == Status::too_large);
    CHECK(rig.requests[0].stopped);
    CHECK_FALSE(rig.listing);
  }
}
