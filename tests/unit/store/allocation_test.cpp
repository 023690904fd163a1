// Memory runs out at every single allocation of every operation: it then has done nothing, and works when repeated.
#include <doctest/doctest.h>

#include <cstddef>
#include <functional>
#include <new>

#include "json/field_filter.hpp"
#include "store/cache.hpp"
#include "support/allocation_failure.hpp"
#include "unit/store/sample.hpp"

namespace ksr::store::test {
namespace {

using json::EventType;
using ksr::testing::allocations_left;
using ksr::testing::kNever;

struct Scene {
  explicit Scene(std::size_t limit) : cache(limit, 1, {0, 1}) {
    std::vector<Sample> first;
    for (int i = 0; i < 300; ++i) {
      const std::string when = "2024-01-01T00:00:" + std::to_string(10 + i % 50) + "Z";
      first.push_back(with_columns(recent("n" + std::to_string(i), 1, when), static_cast<std::uint64_t>(i)));
    }
    list(cache, first, "10");
    kept = cache.cut().view;
    kept_text = describe(kept);
    objects = first;
  }

  std::string outside() {
    return std::to_string(cache.count()) + " " + std::to_string(cache.stored_bytes()) + " " +
           std::to_string(cache.changed()) + " " + std::string(cache.view().resource_version());
  }

  Cache cache;
  View kept;
  std::string kept_text;
  std::vector<Sample> objects;
};

using Step = std::function<void(Cache&)>;

// Returns how often memory ran out.
int run_with_failures(std::size_t limit, const Step& prepare, const Step& step) {
  Scene expected(limit);
  prepare(expected.cache);
  step(expected.cache);
  const Cut expected_cut = expected.cache.cut();
  for (std::size_t nth = 0;; ++nth) {
    Scene scene(limit);
    prepare(scene.cache);
    const std::string before = scene.outside();
    bool failed = false;
    allocations_left = nth;
    try {
      step(scene.cache);
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    allocations_left = kNever;
    if (failed) {
      REQUIRE(scene.outside() == before);
      step(scene.cache);
    }
    const Cut cut = scene.cache.cut();
    REQUIRE(describe(cut.view) == describe(expected_cut.view));
    REQUIRE(cut.view.resource_version() == expected_cut.view.resource_version());
    REQUIRE(describe(cut) == describe(expected_cut));
    REQUIRE(describe(scene.kept) == scene.kept_text);
    if (!failed) return static_cast<int>(nth);
  }
}

void nothing(Cache&) {}

// Items are views: what they show is made beforehand.
Step event(EventType type, const Sample& sample) {
  return [=](Cache& cache) { cache.apply(type, sample.item()); };
}

TEST_CASE("an event either happens or does not") {
  for (const std::size_t limit : {0u, 20u}) {
    CAPTURE(limit);
    const std::string top = "2024-01-01T00:01:00Z";
    Sample takeover = recent("n7", 20, top);
    takeover.uid = "second";
    CHECK(run_with_failures(limit, nothing, event(EventType::added, recent("new", 20, top))) > 0);
    CHECK(run_with_failures(limit, nothing, event(EventType::modified, recent("n3", 20, top))) > 0);
    CHECK(run_with_failures(limit, nothing, event(EventType::deleted, recent("n49", 20, top))) > 0);
    CHECK(run_with_failures(limit, nothing, event(EventType::deleted, recent("unknown", 20, top))) > 0);
    CHECK(run_with_failures(limit, nothing, event(EventType::added, takeover)) > 0);
    // With other values than before; with more than are changed in place.
    for (const std::uint64_t version : {22u, 62u}) {
      const Sample other = with_columns(recent("n3", version, top), version);
      CHECK(run_with_failures(limit, nothing, event(EventType::modified, other)) > 0);
      CHECK(run_with_failures(limit, nothing, event(EventType::deleted, other)) > 0);
    }
  }
}

TEST_CASE("an event and its version are one step") {
  const std::string version(100, '2');
  const std::string top = "2024-01-01T00:01:00Z";
  for (const EventType type : {EventType::modified, EventType::deleted}) {
    const Step step = [&, changed = recent("n49", 20, top)](Cache& cache) {
      cache.apply(type, changed.item(), version, "a scope whose name is too long to be kept in place");
    };
    CHECK(run_with_failures(0, nothing, step) > 2);
    CHECK(run_with_failures(20, nothing, step) > 2);
  }
}

TEST_CASE("a list is committed whole or not at all") {
  for (const std::size_t limit : {0u, 20u}) {
    for (const std::size_t stays : {290u, 30u}) {
      CAPTURE(limit);
      CAPTURE(stays);
      std::vector<Sample> listed = Scene(limit).objects;
      listed.resize(stays);
      for (int i = 0; i < 10; ++i) listed.push_back(recent("y" + std::to_string(i), 15, "2024-01-01T00:02:00Z"));
      listed[5].resource_version = "16";
      const Step stage = [&](Cache& cache) {
        cache.apply(EventType::deleted, sample("n0", 20).item());
        cache.apply(EventType::added, sample("late", 21).item());
        cache.begin_list();
        for (const Sample& sample : listed) cache.stage(sample.item());
      };
      CHECK(run_with_failures(limit, stage, [](Cache& cache) { cache.commit_list("18446744073709551616"); }) > 0);
    }
  }
}

TEST_CASE("an object is staged or not") {
  const Sample fresh = sample("fresh", 15);
  const Sample known = recent("n1", 1, "2024-01-01T00:00:11Z");
  const Step begin = [](Cache& cache) { cache.begin_list(); };
  CHECK(run_with_failures(0, begin, [&](Cache& cache) { cache.stage(fresh.item()); }) > 0);
  CHECK(run_with_failures(0, begin, [&](Cache& cache) { cache.stage(known.item()); }) > 0);
  const Step stage = [&](Cache& cache) {
    cache.begin_list();
    cache.stage(fresh.item());
  };
  CHECK(run_with_failures(0, stage, [&](Cache& cache) { cache.stage_deletion(sample("fresh", 16).item()); }) > 0);
}

TEST_CASE("fields are cut and columns read without allocating, once objects of the size were seen") {
  json::FieldOptions options;
  options.keep = *json::parse_field_paths("/status/phase /spec/containers/*/image /metadata/labels/app~1name");
  options.columns = *json::parse_field_paths("/spec/nodeName /spec/containers/*/image /status");
  options.index = {0, 1};
  json::FieldFilter filter(options, 1 << 20);
  const std::string text =
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","labels":{"app\/name":"x"},"resourceVersion":"1"},)"
      R"("spec":{"nodeName":"a-node-with-quite-a-name","containers":[{"image":"b"},{"image":"a"},{"image":"b"}]},)"
      R"("status":{"phase":"\u0052unning","x":[1,2,{"y":"z"}]}})";
  json::Item item;
  item.text = {std::string_view(text).substr(0, 50), "", std::string_view(text).substr(50)};
  filter.apply(item);
  allocations_left = 0;
  std::size_t size = 0;
  CHECK_NOTHROW(size = filter.apply(item).text_size());
  allocations_left = kNever;
  CHECK(size > 0);
}

TEST_CASE("a cut is made or not") {
  Scene scene(20);
  scene.cache.set_resource_version("a version that is too long to be kept in place");
  scene.cache.apply(EventType::modified, recent("n49", 20, "2024-01-01T00:01:00Z").item());
  for (std::size_t nth = 0; nth < 2; ++nth) {
    allocations_left = nth;
    CHECK_THROWS_AS(scene.cache.cut(), std::bad_alloc);
    CHECK(scene.cache.changed());
  }
  CHECK(describe(scene.cache.cut()) == "~n49@20");
}

TEST_CASE("changes are merged or not, deltas made or not") {
  Scene scene(0);
  scene.cache.apply(EventType::modified, sample("n1", 20).item());
  const Cut first = scene.cache.cut();
  scene.cache.apply(EventType::deleted, sample("n1", 21).item());
  scene.cache.apply(EventType::deleted, sample("n2", 22).item());
  const Cut second = scene.cache.cut();
  for (std::size_t nth = 0;; ++nth) {
    Changes merged = first.changes;
    bool failed = false;
    allocations_left = nth;
    try {
      merged.append(second.changes);
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    allocations_left = kNever;
    if (!failed) break;
    REQUIRE(describe(Deltas(merged, first.view)) == "~n1@20");
  }
  allocations_left = 0;
  CHECK_THROWS_AS(Deltas(second.changes, second.view), std::bad_alloc);
  allocations_left = kNever;
}

}  // namespace
}  // namespace ksr::store::test
