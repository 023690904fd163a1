#include <doctest/doctest.h>

#include "store/cache.hpp"
#include "unit/store/sample.hpp"

namespace ksr::store::test {
namespace {

using json::EventType;

struct Merged {
  Cache cache{0};
  Changes changes;
  View view;

  void take() {
    Cut cut = cache.cut();
    changes.append(cut.changes);
    view = cut.view;
  }
  std::string deltas() const { return describe(Deltas(changes, view)); }
};

TEST_CASE("merged changes are those from the first view to the last") {
  Merged merged;
  list(merged.cache, {sample("a", 1), sample("b", 2), sample("c", 3)}, "3");
  merged.cache.cut();
  merged.cache.apply(EventType::modified, sample("a", 11).item());
  merged.cache.apply(EventType::added, sample("d", 12).item());
  merged.cache.apply(EventType::deleted, sample("b", 13).item());
  merged.take();
  CHECK(merged.deltas() == "-b@2 ~a@11 +d@12");
  merged.cache.apply(EventType::deleted, sample("a", 14).item());
  merged.cache.apply(EventType::deleted, sample("d", 15).item());
  merged.cache.apply(EventType::modified, sample("c", 16).item());
  merged.take();
  CHECK(merged.deltas() == "-a@11 -b@2 ~c@16");
}

TEST_CASE(
    "what was changed and deleted in merged changes has its last state, also where it was there again meanwhile") {
  Merged merged;
  list(merged.cache, {sample("a", 1), sample("b", 2)}, "2");
  merged.cache.cut();
  merged.cache.apply(EventType::modified, sample("a", 11).item());
  merged.cache.apply(EventType::deleted, sample("a", 12).item());
  merged.take();
  CHECK(merged.deltas() == "-a@11");
  merged.cache.apply(EventType::added, sample("a", 13).item());
  merged.take();
  CHECK(merged.deltas() == "~a@13");
  merged.cache.apply(EventType::modified, sample("a", 14).item());
  merged.cache.apply(EventType::deleted, sample("a", 15).item());
  merged.take();
  CHECK(merged.deltas() == "-a@14");
}

TEST_CASE("the first list stays a first list, whatever is merged after it") {
  Merged merged;
  list(merged.cache, {sample("a", 1), sample("b", 2)}, "2");
  merged.take();
  merged.cache.apply(EventType::deleted, sample("a", 11).item());
  merged.cache.apply(EventType::added, sample("c", 12).item());
  merged.take();
  CHECK(merged.deltas() == "+b@2 +c@12");
}

TEST_CASE("everything deleted and other objects added: the deltas have both") {
  Merged merged;
  list(merged.cache, {sample("a", 1), sample("b", 2)}, "2");
  merged.cache.cut();
  list(merged.cache, {}, "10");
  merged.take();
  CHECK(merged.deltas() == "-a@1 -b@2");
  list(merged.cache, {sample("b", 11), sample("c", 12)}, "12");
  merged.take();
  CHECK(merged.deltas() == "-a@1 ~b@11 +c@12");
  merged.cache.apply(EventType::modified, sample("c", 13).item());
  merged.take();
  CHECK(merged.deltas() == "-a@1 ~b@11 +c@13");
}

TEST_CASE("two empty changes merged are empty") {
  Changes changes;
  changes.append(Changes());
  CHECK(changes.empty());
  CHECK(Deltas(changes, View()).count() == 0);
  CHECK(Deltas(Changes::from_empty(), View()).count() == 0);
}

TEST_CASE("the deltas of a first list are the view itself, by name") {
  Cache cache(5);
  list(cache, {recent("a", 1, "2024-01-01T00:00:01Z"), recent("b", 2, "2024-01-01T00:00:02Z")}, "2");
  const Cut cut = cache.cut();
  CHECK(describe(cut.view) == "b@2 a@1");
  CHECK(cut.changes.earlier_was_empty());
  CHECK(cut.changes.notes().empty());
  CHECK(describe(cut) == "+a@1 +b@2");
}

TEST_CASE("deltas hold what they show") {
  Cache cache(0);
  list(cache, {sample("a", 1)}, "1");
  cache.cut();
  cache.apply(EventType::deleted, sample("a", 2).item());
  const Deltas deltas = [&] {
    const Cut cut = cache.cut();
    return Deltas(cut.changes, cut.view);
  }();
  REQUIRE(deltas.count() == 1);
  CHECK(deltas.kind_at(0) == DeltaKind::deleted);
  CHECK(deltas.object_at(0)->name() == "a");
}

}  // namespace
}  // namespace ksr::store::test
