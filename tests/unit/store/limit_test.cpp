#include <doctest/doctest.h>

#include "store/cache.hpp"
#include "unit/store/sample.hpp"

namespace ksr::store::test {
namespace {

using json::EventType;

std::string second(int n) {
  return "2024-01-01T00:00:0" + std::to_string(n) + "Z";
}

// a is the oldest, d the most recent; two are shown: d and c.
Cache cache_of_four() {
  Cache cache(2);
  list(cache,
       {recent("a", 1, second(1)), recent("b", 2, second(2)), recent("c", 3, second(3)), recent("d", 4, second(4))},
       "4");
  return cache;
}

TEST_CASE("with a limit the most recent of all are shown, most recent first") {
  Cache cache = cache_of_four();
  const Cut cut = cache.cut();
  CHECK(cache.count() == 4);
  CHECK(describe(cut.view) == "d@4 c@3");
  CHECK(describe(cut) == "+c@3 +d@4");
  CHECK(cut.view.count() == 2);
  CHECK(cut.view.at(2) == nullptr);
  CHECK(cut.view.find("ns", "c") == cut.view.at(1));
  CHECK(cut.view.find("ns", "b") == nullptr);
  CHECK(cut.view.find_uid("u-a") == nullptr);
}

TEST_CASE("a change outside the window is no change") {
  Cache cache = cache_of_four();
  cache.cut();
  CHECK(cache.apply(EventType::modified, recent("a", 11, second(0)).item()) == Applied::modified);
  CHECK(cache.apply(EventType::deleted, recent("b", 12, second(2)).item()) == Applied::deleted);
  CHECK(cache.apply(EventType::added, recent("e", 13, second(0)).item()) == Applied::added);
  CHECK_FALSE(cache.changed());
  CHECK(list(cache, {recent("c", 3, second(3)), recent("d", 4, second(4))}, "20") == 2);
  CHECK_FALSE(cache.changed());
}

TEST_CASE("an addition to the window removes the oldest from it") {
  Cache cache = cache_of_four();
  cache.cut();
  cache.apply(EventType::added, recent("e", 11, second(5)).item());
  Cut cut = cache.cut();
  CHECK(describe(cut) == "-c@3 +e@11");
  CHECK(describe(cut.view) == "e@11 d@4");
  cache.apply(EventType::modified, recent("a", 12, second(6)).item());
  CHECK(describe(cache.cut()) == "-d@4 +a@12");
}

TEST_CASE("a deletion from the window adds the next one to it") {
  Cache cache = cache_of_four();
  cache.cut();
  cache.apply(EventType::deleted, recent("d", 11, second(4)).item());
  CHECK(describe(cache.cut()) == "-d@4 +b@2");
  cache.apply(EventType::modified, recent("c", 12, second(0)).item());
  const Cut cut = cache.cut();
  CHECK(describe(cut) == "-c@12 +a@1");
  CHECK(describe(cut.view) == "b@2 a@1");
  cache.apply(EventType::deleted, recent("a", 13, "").item());
  CHECK(describe(cache.cut()) == "-a@1 +c@12");
  cache.apply(EventType::deleted, recent("b", 14, "").item());
  CHECK(describe(cache.cut()) == "-b@2");
}

TEST_CASE("what leaves the window is shown in its last known state, also where that was never inside") {
  Cache cache = cache_of_four();
  cache.cut();
  cache.apply(EventType::added, recent("e", 11, second(5)).item());
  cache.apply(EventType::modified, recent("c", 12, second(3)).item());
  SUBCASE("changed") {
    CHECK(describe(cache.cut()) == "-c@12 +e@11");
  }
  SUBCASE("and deleted") {
    cache.apply(EventType::deleted, recent("c", 13, second(3)).item());
    CHECK(describe(cache.cut()) == "-c@12 +e@11");
  }
  SUBCASE("by a list") {
    list(cache,
         {recent("a", 1, second(1)), recent("b", 14, second(2)), recent("c", 14, second(3)), recent("d", 15, second(0)),
          recent("e", 11, second(5)), recent("f", 16, second(6))},
         "20");
    CHECK(describe(cache.cut()) == "-c@14 -d@15 +e@11 +f@16");
  }
  SUBCASE("after the cut") {
    const Cut cut = cache.cut();
    cache.apply(EventType::modified, recent("c", 14, second(3)).item());
    Deltas deltas(cut.changes, cut.view);
    deltas.mark_left(cache);
    cache.apply(EventType::deleted, recent("c", 15, second(3)).item());
    CHECK(describe(deltas) == "-c@14 +e@11");
    CHECK(deltas.left_at(0));
    CHECK(deltas.before_at(0)->resource_version() == "3");
  }
  SUBCASE("in again") {
    cache.apply(EventType::deleted, recent("e", 13, second(5)).item());
    CHECK(describe(cache.cut()) == "~c@12");
  }
}

TEST_CASE("out and in again is no change") {
  Cache cache = cache_of_four();
  cache.cut();
  cache.apply(EventType::added, recent("e", 11, second(5)).item());
  CHECK(cache.changed());
  cache.apply(EventType::deleted, recent("e", 12, second(5)).item());
  CHECK_FALSE(cache.changed());
  CHECK(describe(cache.cut()).empty());
}

TEST_CASE("what a list has under the version and with the text that are held may be more recent") {
  Cache cache(1);
  list(cache, {recent("a", 1, "2024-01-01T00:00:10Z"), recent("b", 2, "2024-01-01T00:00:20Z")}, "2");
  CHECK(describe(cache.cut().view) == "b@2");
  CHECK(list(cache, {recent("a", 1, "2024-01-01T00:00:30Z"), recent("b", 2, "2024-01-01T00:00:20Z")}, "3") == 1);
  CHECK(describe(cache.cut()) == "-b@2 +a@1");
}

TEST_CASE("a change inside the window moves nothing over its end") {
  Cache cache = cache_of_four();
  cache.cut();
  cache.apply(EventType::modified, recent("c", 11, second(9)).item());
  const Cut cut = cache.cut();
  CHECK(describe(cut) == "~c@11");
  CHECK(describe(cut.view) == "c@11 d@4");
}

TEST_CASE("recency goes by time, then by version, then by uid; without time last") {
  Cache cache(10);
  list(cache,
       {recent("none", 90, ""), recent("bad", 91, "yesterday"), recent("micro", 1, "2024-01-01T00:00:01.000001Z"),
        recent("whole", 2, "2024-01-01T00:00:01Z"), recent("east", 3, "2024-01-01T02:00:02+02:00"),
        recent("same9", 9, second(0)), recent("same10", 10, second(0)), recent("u2", 5, second(0)),
        recent("u1", 5, second(0))},
       "99");
  CHECK(describe(cache.cut().view) == "east@3 micro@1 whole@2 same10@10 same9@9 u1@5 u2@5 bad@91 none@90");
}

TEST_CASE("with a limit a change of the order is a change, where most of an object is none") {
  for (const json::Sameness sameness : {json::Sameness::text, json::Sameness::columns}) {
    CAPTURE(static_cast<int>(sameness));
    const auto made = [&](const char* name, std::uint64_t version, const std::string& recency) {
      Sample sample = with_columns(recent(name, version, recency), 1, sameness);
      sample.body = R"({"rv":)" + sample.resource_version + "}";
      sample.ordered_by_recency = true;
      return sample;
    };
    Cache cache(3);
    list(cache, {made("a", 1, second(1)), made("b", 2, second(2)), made("c", 3, second(2)), made("d", 4, second(4))},
         "4");
    CHECK(describe(cache.cut().view) == "d@4 b@2 c@3");
    SUBCASE("a later time") {
      cache.apply(EventType::modified, made("c", 11, second(5)).item());
      const Cut cut = cache.cut();
      CHECK(describe(cut) == "~c@11");
      CHECK(describe(cut.view) == "c@11 d@4 b@2");
    }
    SUBCASE("a later time, twice") {
      cache.apply(EventType::modified, made("c", 11, second(5)).item());
      Changes both = cache.cut().changes;
      cache.apply(EventType::modified, made("c", 12, second(6)).item());
      const Cut cut = cache.cut();
      both.append(cut.changes);
      CHECK(describe(Deltas(both, cut.view)) == "~c@12");
    }
    SUBCASE("and back") {
      cache.apply(EventType::modified, made("c", 11, second(5)).item());
      cache.apply(EventType::modified, made("c", 12, second(2)).item());
      CHECK_FALSE(cache.changed());
      CHECK(describe(cache.cut().view) == "d@4 b@2 c@12");
    }
    SUBCASE("by a list") {
      list(cache,
           {made("a", 1, second(1)), made("b", 12, second(6)), made("c", 13, second(5)), made("d", 14, second(4))},
           "20");
      const Cut cut = cache.cut();
      CHECK(describe(cut) == "~b@12 ~c@13");
      CHECK(describe(cut.view) == "b@12 c@13 d@14");
    }
    SUBCASE("the same time, written otherwise") {
      cache.apply(EventType::modified, made("c", 11, "2024-01-01T01:00:02.0+01:00").item());
      CHECK_FALSE(cache.changed());
    }
    SUBCASE("a version alone moves nothing, of a time that several have") {
      cache.apply(EventType::modified, made("c", 11, second(2)).item());
      CHECK_FALSE(cache.changed());
      CHECK(describe(cache.cut().view) == "d@4 b@2 c@11");
    }
    SUBCASE("outside") {
      cache.apply(EventType::modified, made("a", 11, second(0)).item());
      CHECK_FALSE(cache.changed());
    }
  }
}

TEST_CASE("a relist of everything delivers the difference of what is shown") {
  Cache cache = cache_of_four();
  cache.cut();
  CHECK(list(cache, {recent("b", 2, second(2)), recent("d", 14, second(4)), recent("z", 15, second(1))}, "20") == 4);
  const Cut cut = cache.cut();
  CHECK(describe(cut) == "-c@3 +b@2 ~d@14");
  CHECK(describe(cut.view) == "d@14 b@2");
}

}  // namespace
}  // namespace ksr::store::test
