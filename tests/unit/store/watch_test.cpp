#include <doctest/doctest.h>

#include "store/cache.hpp"
#include "unit/store/sample.hpp"

namespace ksr::store::test {
namespace {

using json::EventType;

Cache cache_with(const std::vector<Sample>& samples, const std::string& version = "10") {
  Cache cache(0);
  list(cache, samples, version);
  cache.cut();
  return cache;
}

TEST_CASE("events change what is held") {
  Cache cache = cache_with({sample("a", 1), sample("b", 2)});
  CHECK(cache.apply(EventType::added, sample("c", 11).item()) == Applied::added);
  CHECK(cache.apply(EventType::modified, sample("a", 12).item()) == Applied::modified);
  CHECK(cache.apply(EventType::deleted, sample("b", 13).item()) == Applied::deleted);
  CHECK(cache.changed());
  CHECK(cache.count() == 2);
  const Cut cut = cache.cut();
  CHECK(describe(cut) == "-b@2 ~a@12 +c@11");
  CHECK(describe(cut.view) == "a@12 c@11");
  CHECK(cut.view.at(2) == nullptr);
  CHECK(cut.view.find("ns", "b") == nullptr);
  CHECK(cut.view.find("other", "a") == nullptr);
  CHECK(cut.view.find_uid("u-c") == cut.view.at(1));
  CHECK(cut.view.find_uid("u-x") == nullptr);
  CHECK(cache.stored_bytes() == cut.view.at(0)->json_size() + cut.view.at(1)->json_size());
}

TEST_CASE("only a newer version changes what is held, whatever the event is called") {
  Cache cache = cache_with({sample("a", 10)});
  for (const EventType type : {EventType::added, EventType::modified}) {
    CHECK(cache.apply(type, sample("a", 9).item()) == Applied::stale);
    CHECK(cache.apply(type, sample("a", 10).item()) == Applied::stale);
  }
  CHECK(cache.apply(EventType::deleted, sample("a", 9).item()) == Applied::stale);
  CHECK_FALSE(cache.changed());
  CHECK(cache.apply(EventType::added, sample("a", 11).item()) == Applied::modified);
  CHECK(cache.apply(EventType::modified, sample("b", 12).item()) == Applied::added);
  CHECK(cache.apply(EventType::deleted, sample("a", 11).item()) == Applied::deleted);
}

TEST_CASE("versions that do not compare count in the order of arrival") {
  Cache cache = cache_with({sample("a", 10)});
  Sample opaque = sample("a", 0);
  opaque.resource_version = "v-x";
  CHECK(cache.apply(EventType::modified, opaque.item()) == Applied::modified);
  CHECK(cache.apply(EventType::modified, opaque.item()) == Applied::stale);
  opaque.resource_version = "v-a";
  CHECK(cache.apply(EventType::modified, opaque.item()) == Applied::modified);
  CHECK(cache.apply(EventType::deleted, opaque.item()) == Applied::deleted);
  CHECK(cache.apply(EventType::modified, opaque.item()) == Applied::stale);
}

TEST_CASE("a late event does not restore what was deleted") {
  Cache cache = cache_with({sample("a", 1)});
  CHECK(cache.apply(EventType::deleted, sample("a", 20).item()) == Applied::deleted);
  CHECK(cache.apply(EventType::modified, sample("a", 15).item()) == Applied::stale);
  CHECK(cache.apply(EventType::added, sample("a", 20).item()) == Applied::stale);
  CHECK(cache.apply(EventType::deleted, sample("a", 18).item()) == Applied::absent);
  CHECK(cache.apply(EventType::added, sample("a", 19).item()) == Applied::stale);
  CHECK(cache.apply(EventType::added, sample("a", 21).item()) == Applied::added);
  CHECK(describe(cache.cut()) == "~a@21");
}

TEST_CASE("the deletion of an unknown object is recorded too") {
  Cache cache = cache_with({});
  CHECK(cache.apply(EventType::deleted, sample("a", 20).item()) == Applied::absent);
  CHECK(cache.apply(EventType::added, sample("a", 19).item()) == Applied::stale);
  CHECK(cache.count() == 0);
}

TEST_CASE("a list newer than a deletion drops its tombstone, an older one does not") {
  Cache cache = cache_with({sample("a", 1)});
  cache.apply(EventType::deleted, sample("a", 20).item());
  list(cache, {}, "19");
  CHECK(cache.apply(EventType::added, sample("a", 15).item()) == Applied::stale);
  list(cache, {}, "20");
  CHECK(cache.apply(EventType::added, sample("a", 15).item()) == Applied::added);
}

TEST_CASE("tombstones are bounded") {
  Cache cache = cache_with({});
  const std::uint64_t many = 3 * Tombstones::kCapacity;
  for (std::uint64_t i = 0; i < many; ++i) {
    cache.apply(EventType::deleted, sample("x" + std::to_string(i), 1000 + i).item());
  }
  for (std::uint64_t i = many - Tombstones::kCapacity; i < many; ++i) {
    const Sample made = sample("x" + std::to_string(i), 1000 + i);
    CHECK(cache.apply(EventType::added, made.item()) == Applied::stale);
  }
  CHECK(cache.apply(EventType::added, sample("x0", 1000).item()) == Applied::added);
}

TEST_CASE("same name, new uid: the older of both is deleted") {
  Cache cache = cache_with({sample("a", 10)});
  Sample second = sample("a", 9);
  second.uid = "second";
  CHECK(cache.apply(EventType::added, second.item()) == Applied::stale);
  CHECK_FALSE(cache.changed());
  second.resource_version = "10";
  CHECK(cache.apply(EventType::added, second.item()) == Applied::stale);
  second.resource_version = "20";
  CHECK(cache.apply(EventType::added, second.item()) == Applied::added);
  CHECK(cache.count() == 1);
  const Cut cut = cache.cut();
  CHECK(describe(cut) == "-a@10 +a@20");
  CHECK(cut.view.find_uid("u-a") == nullptr);
  CHECK(cache.apply(EventType::deleted, second.item()) == Applied::deleted);
  CHECK(cache.apply(EventType::modified, sample("a", 15).item()) == Applied::stale);
  CHECK(cache.apply(EventType::deleted, sample("a", 16).item()) == Applied::absent);
}

TEST_CASE("an object that is renamed is found under its new name only") {
  Cache cache = cache_with({sample("a", 1), sample("b", 2)});
  Sample renamed = sample("c", 11);
  renamed.uid = "u-a";
  CHECK(cache.apply(EventType::modified, renamed.item()) == Applied::modified);
  const Cut cut = cache.cut();
  CHECK(describe(cut) == "~c@11");
  CHECK(describe(cut.view) == "b@2 c@11");
  CHECK(cut.view.find("ns", "a") == nullptr);
}

TEST_CASE("deltas are the difference, however it came about") {
  Cache cache = cache_with({sample("a", 1), sample("b", 2)});
  SUBCASE("added and deleted") {
    cache.apply(EventType::added, sample("c", 11).item());
    CHECK(cache.changed());
    cache.apply(EventType::modified, sample("c", 12).item());
    cache.apply(EventType::deleted, sample("c", 13).item());
    CHECK_FALSE(cache.changed());
    CHECK(describe(cache.cut()).empty());
  }
  SUBCASE("modified twice") {
    cache.apply(EventType::modified, sample("a", 11).item());
    cache.apply(EventType::modified, sample("a", 12).item());
    CHECK(describe(cache.cut()) == "~a@12");
  }
  SUBCASE("modified and deleted: the last state that was known, and that of the earlier view") {
    cache.apply(EventType::modified, sample("a", 11).item());
    cache.apply(EventType::modified, sample("a", 12).item());
    cache.apply(EventType::deleted, sample("a", 13).item());
    const Cut cut = cache.cut();
    CHECK(describe(cut) == "-a@12");
    CHECK(Deltas(cut.changes, cut.view).before_at(0)->resource_version() == "1");
  }
  SUBCASE("modified and missing in a list") {
    cache.apply(EventType::modified, sample("a", 11).item());
    list(cache, {sample("b", 2)}, "20");
    CHECK(describe(cache.cut()) == "-a@11");
  }
  SUBCASE("modified and replaced by another of its name") {
    cache.apply(EventType::modified, sample("a", 11).item());
    Sample other = sample("a", 12);
    other.uid = "another";
    cache.apply(EventType::added, other.item());
    CHECK(describe(cache.cut()) == "-a@11 +a@12");
  }
  SUBCASE("added and modified") {
    cache.apply(EventType::added, sample("c", 11).item());
    cache.apply(EventType::modified, sample("c", 12).item());
    CHECK(describe(cache.cut()) == "+c@12");
  }
}

TEST_CASE("a bookmark is visible in the view but is no change") {
  Cache cache = cache_with({sample("a", 1)});
  cache.set_resource_version("500");
  CHECK_FALSE(cache.changed());
  CHECK(cache.cut().view.resource_version() == "500");
}

TEST_CASE("views outlive the cache, and a kept object the view") {
  View view;
  CHECK(view.count() == 0);
  CHECK(view.at(0) == nullptr);
  CHECK(view.find("", "") == nullptr);
  CHECK(view.find_uid("") == nullptr);
  CHECK(view.resource_version().empty());
  {
    Cache cache = cache_with({sample("a", 1), sample("b", 2)});
    view = cache.cut().view;
    cache.apply(EventType::deleted, sample("a", 11).item());
  }
  CHECK(describe(view) == "a@1 b@2");
  const ObjectRef kept(view.at(0));
  view = View();
  CHECK(kept->field(Field::name) == "a");
}

}  // namespace
}  // namespace ksr::store::test
