#include "delivery/publisher.hpp"

#include <doctest/doctest.h>

#include <malloc.h>

#include "unit/delivery/objects.hpp"

using namespace ksr;
using namespace ksr::delivery;
using ksr::json::EventType;
using ksr::store::DeltaKind;

TEST_CASE("nothing is published before the first list is complete") {
  Publisher publisher(std::make_shared<SharedView>(0));
  CHECK_FALSE(publisher.latest());
  publisher.view().write([](store::Cache& cache) { cache.begin_list(); });
  publisher.view().write(
      [](store::Cache& cache) { with_pod("a", "5", [&](const json::Item& item) { cache.stage(item); }); });
  CHECK_FALSE(publisher.latest());
  CHECK_FALSE(publisher.next());
}

TEST_CASE("an empty first list is delivered, once") {
  Publisher publisher(std::make_shared<SharedView>(0));
  list(publisher, {}, "7");
  const SnapshotRef first = publisher.next();
  REQUIRE(first);
  CHECK(first->view().count() == 0);
  CHECK(first->deltas().count() == 0);
  CHECK(first->view().resource_version() == "7");
  CHECK_FALSE(publisher.next());
  CHECK(publisher.latest()->sequence() == 1);
}

TEST_CASE("what was delivered is kept for ksr_latest where the host calls it between two deliveries") {
  Publisher publisher(std::make_shared<SharedView>(0));
  list(publisher, {"a", "b"}, "10");
  const SnapshotRef first = publisher.next();
  CHECK(publisher.latest().get() != first.get());
  CHECK(publisher.latest()->sequence() == 1);

  put(publisher, "a", "11");
  const SnapshotRef second = publisher.next();
  CHECK(publisher.latest().get() == second.get());
  put(publisher, "a", "12");
  const SnapshotRef third = publisher.next();
  CHECK(publisher.latest().get() == third.get());

  put(publisher, "a", "13");
  publisher.next();
  put(publisher, "a", "14");
  const SnapshotRef last = publisher.next();
  CHECK(publisher.latest().get() != last.get());
  CHECK(publisher.latest()->deltas().at(0).object->resource_version() == "14");
}

TEST_CASE("deltas are against the snapshot delivered before, whatever ksr_latest has shown") {
  Publisher publisher(std::make_shared<SharedView>(0));
  list(publisher, {"a", "b"}, "10");
  CHECK(publisher.next()->deltas().count() == 2);

  put(publisher, "a", "11");
  const SnapshotRef shown = publisher.latest();
  CHECK(shown->sequence() == 2);
  CHECK(shown->deltas().count() == 1);
  CHECK(publisher.latest().get() == shown.get());

  put(publisher, "c", "12", EventType::added);
  const SnapshotRef newer = publisher.latest();
  CHECK(newer->sequence() == 3);
  REQUIRE(newer->deltas().count() == 2);
  CHECK(newer->deltas().at(0).kind == DeltaKind::modified);
  CHECK(newer->deltas().at(1).kind == DeltaKind::added);

  const SnapshotRef delivered = publisher.next();
  CHECK(delivered.get() == newer.get());
  put(publisher, "c", "13", EventType::deleted);
  const SnapshotRef last = publisher.next();
  CHECK(last->sequence() == 4);
  REQUIRE(last->deltas().count() == 1);
  CHECK(last->deltas().at(0).kind == DeltaKind::deleted);
}

TEST_CASE("a snapshot that ksr_latest showed is delivered as it is, then what came later") {
  Publisher publisher(std::make_shared<SharedView>(0));
  list(publisher, {"a"}, "10");
  publisher.next();
  put(publisher, "a", "11");
  const SnapshotRef shown = publisher.latest();
  put(publisher, "b", "12", EventType::added);
  CHECK(publisher.next().get() == shown.get());
  const SnapshotRef after = publisher.next();
  CHECK(after->sequence() == shown->sequence() + 1);
  REQUIRE(after->deltas().count() == 1);
  CHECK(after->deltas().at(0).object->name() == "b");
  CHECK_FALSE(publisher.next());
}

TEST_CASE("what ksr_latest has taken from the view is still to be delivered") {
  Publisher publisher(std::make_shared<SharedView>(0));
  list(publisher, {"a"}, "10");
  publisher.next();
  put(publisher, "a", "11");
  publisher.latest();
  put(publisher, "a", "12");
  CHECK(publisher.next()->sequence() == 2);
  // Another thread, before the one that delivers asks whether there is more: its update is not posted again.
  const SnapshotRef shown = publisher.latest();
  CHECK(shown->sequence() == 3);
  CHECK(publisher.changed());
  CHECK(publisher.next().get() == shown.get());
  CHECK_FALSE(publisher.changed());
  CHECK_FALSE(publisher.next());
}

TEST_CASE("an object added and deleted between two snapshots is not delivered, and takes no sequence number") {
  Publisher publisher(std::make_shared<SharedView>(0));
  list(publisher, {"a"}, "10");
  publisher.next();
  put(publisher, "b", "11", EventType::added);
  put(publisher, "b", "12", EventType::deleted);
  CHECK_FALSE(publisher.next());
  put(publisher, "a", "13");
  CHECK(publisher.next()->sequence() == 2);
}

TEST_CASE("ksr_latest goes back neither in number nor in version when what it has shown is undone before a delivery") {
  for (const bool frozen : {false, true}) {
    CAPTURE(frozen);
    Publisher publisher(std::make_shared<SharedView>(0));
    const auto at_version = [&](const char* version) {
      publisher.view().write([&](store::Cache& cache) { cache.set_resource_version(version); });
    };
    list(publisher, {"a"}, "10");
    publisher.next();
    put(publisher, "b", "11", EventType::added);
    at_version("11");
    const SnapshotRef shown = publisher.latest();
    CHECK(shown->sequence() == 2);
    put(publisher, "b", "12", EventType::deleted);
    at_version("12");
    if (frozen) publisher.freeze();
    const SnapshotRef undone = publisher.latest();
    CHECK(undone->sequence() == 3);
    CHECK(undone->view().resource_version() == "12");
    CHECK(undone->view().count() == 1);
    CHECK(undone->deltas().count() == 0);
    // Nothing is to be delivered, and nothing changes.
    CHECK_FALSE(publisher.changed());
    CHECK_FALSE(publisher.next());
    CHECK(publisher.latest()->sequence() == 3);
    CHECK(publisher.latest()->deltas().count() == 0);
    if (frozen) continue;
    put(publisher, "a", "13");
    const SnapshotRef next = publisher.next();
    CHECK(next->sequence() == 4);
    REQUIRE(next->deltas().count() == 1);
    CHECK(next->deltas().before_at(0)->resource_version() == "10");
  }
}

TEST_CASE("a kept snapshot stays as it was and outlives its publisher") {
  SnapshotRef kept;
  {
    Publisher publisher(std::make_shared<SharedView>(0));
    list(publisher, {"a", "b"}, "10");
    kept = publisher.next();
    put(publisher, "a", "11", EventType::deleted);
    publisher.next();
  }
  REQUIRE(kept->view().count() == 2);
  CHECK(kept->view().at(0)->name() == "a");
  CHECK(kept->view().find("default", "a") != nullptr);
}

TEST_CASE("a delta says what was before, and with a limit whether the object exists") {
  Publisher publisher(std::make_shared<SharedView>(1));
  // Equal times: the newest version is the most recent.
  list(publisher, {"a"}, "10");
  publisher.next();
  put(publisher, "b", "11", EventType::added);
  const SnapshotRef displaced = publisher.next();
  REQUIRE(displaced->deltas().count() == 2);
  CHECK(displaced->deltas().kind_at(0) == DeltaKind::deleted);
  CHECK(displaced->deltas().left_at(0));
  CHECK(displaced->deltas().before_at(0)->name() == "a");
  CHECK(displaced->deltas().before_at(1) == nullptr);

  put(publisher, "b", "12", EventType::deleted);
  const SnapshotRef deleted = publisher.next();
  REQUIRE(deleted->deltas().count() == 2);
  CHECK_FALSE(deleted->deltas().left_at(0));
  CHECK(deleted->deltas().at(1).object->name() == "a");

  put(publisher, "a", "13");
  const SnapshotRef modified = publisher.next();
  REQUIRE(modified->deltas().count() == 1);
  CHECK(modified->deltas().before_at(0)->resource_version() == "10");
}

TEST_CASE("what is no change for the host is not delivered; ksr_latest shows it under the same sequence") {
  Publisher publisher(std::make_shared<SharedView>(0));
  list(publisher, {}, "10");
  put_with_column(publisher, "11", "x");
  const SnapshotRef first = publisher.next();
  put_with_column(publisher, "12", "x");
  CHECK_FALSE(publisher.changed());
  CHECK_FALSE(publisher.next());
  const SnapshotRef latest = publisher.latest();
  CHECK(latest->sequence() == first->sequence());
  CHECK(latest->view().at(0)->resource_version() == "12");
  CHECK(latest->view().resource_version() == "12");
  CHECK(first->view().at(0)->resource_version() == "11");
  put_with_column(publisher, "13", "y");
  const SnapshotRef second = publisher.next();
  REQUIRE(second->deltas().count() == 1);
  CHECK(second->sequence() == 2);
  CHECK(second->deltas().before_at(0)->column(0) == "x");
}

TEST_CASE("with a limit another order is another sequence, and is delivered") {
  Publisher publisher(std::make_shared<SharedView>(2));
  json::ItemColumns columns;
  columns.sameness = json::Sameness::columns;
  columns.ordered_by_recency = true;
  const auto put_at = [&](const char* name, const char* version, const char* recency) {
    publisher.view().write([&](store::Cache& cache) {
      with_pod(name, version, [&](json::Item item) {
        item.columns = &columns;
        item.recency = recency;
        cache.apply(EventType::modified, item);
      });
    });
  };
  list(publisher, {}, "10");
  put_at("a", "11", "2026-01-01T00:00:01Z");
  put_at("b", "12", "2026-01-01T00:00:02Z");
  const SnapshotRef first = publisher.next();
  CHECK(first->view().at(0)->name() == "b");
  put_at("a", "13", "2026-01-01T00:00:03Z");
  CHECK(publisher.changed());
  const SnapshotRef latest = publisher.latest();
  CHECK(latest->view().at(0)->name() == "a");
  CHECK(latest->sequence() == first->sequence() + 1);
  const SnapshotRef second = publisher.next();
  REQUIRE(second.get() == latest.get());
  REQUIRE(second->deltas().count() == 1);
  CHECK(second->deltas().kind_at(0) == store::DeltaKind::modified);
  CHECK(second->deltas().object_at(0)->name() == "a");
  put_at("a", "14", "2026-01-01T00:00:03Z");
  CHECK_FALSE(publisher.changed());
  CHECK(publisher.latest()->sequence() == second->sequence());
}

TEST_CASE("ksr_latest has the newest version of what is no change, also of a snapshot that is not delivered yet") {
  Publisher publisher(std::make_shared<SharedView>(0));
  list(publisher, {}, "10");
  put_with_column(publisher, "11", "x");
  const SnapshotRef first = publisher.latest();
  put_with_column(publisher, "12", "x");
  const SnapshotRef renewed = publisher.latest();
  CHECK(first->view().at(0)->resource_version() == "11");
  CHECK(renewed->view().at(0)->resource_version() == "12");
  CHECK(renewed->view().resource_version() == "12");
  CHECK(renewed->sequence() == first->sequence());
  REQUIRE(renewed->deltas().count() == 1);
  CHECK(renewed->deltas().object_at(0) == renewed->view().at(0));
  CHECK(publisher.latest().get() == renewed.get());
  CHECK(publisher.next().get() == renewed.get());
  CHECK_FALSE(publisher.changed());
  put_with_column(publisher, "13", "x");
  publisher.freeze();
  CHECK(publisher.latest()->view().at(0)->resource_version() == "13");
}

TEST_CASE("the objects of a snapshot's deltas are those of its view, whatever ksr_latest has shown meanwhile") {
  Publisher publisher(std::make_shared<SharedView>(0));
  list(publisher, {}, "10");
  put_with_column(publisher, "11", "x");
  publisher.next();
  put_with_column(publisher, "12", "y");
  publisher.latest();
  put_with_column(publisher, "13", "y");
  publisher.latest();
  put_with_column(publisher, "14", "y");
  publisher.latest();
  const SnapshotRef snapshot = publisher.next();
  REQUIRE(snapshot->deltas().count() == 1);
  CHECK(snapshot->deltas().kind_at(0) == store::DeltaKind::modified);
  CHECK(snapshot->deltas().object_at(0) == snapshot->view().at(0));
  CHECK(snapshot->view().at(0)->resource_version() == "14");
  CHECK(snapshot->deltas().before_at(0)->resource_version() == "11");
}

// "a@12", and what is wrong where the view has another object.
std::string versions_told(const SnapshotRef& snapshot) {
  std::string text;
  for (std::size_t i = 0; i < snapshot->deltas().count(); ++i) {
    const store::Object* const object = snapshot->deltas().object_at(i);
    const store::Object* const shown = snapshot->view().find_uid(object->uid());
    text += (i == 0 ? "" : " ") + std::string(object->name()) + "@" + std::string(object->resource_version());
    if (shown != object) text += shown != nullptr ? " is " + std::string(shown->resource_version()) : " is gone";
  }
  return text;
}

TEST_CASE("the objects of deltas that are gathered are those of the view, also where no change of theirs came last") {
  const auto view = std::make_shared<SharedView>(0);
  Publisher slow(view);
  Publisher quick(view);
  list(slow, {}, "10");
  put_with_column(slow, "11", "x");
  put_with_column(slow, "12", "x", "b");
  CHECK(versions_told(slow.next()) == "a@11 b@12");
  CHECK(versions_told(quick.next()) == "a@11 b@12");
  SUBCASE("before the change of another object") {
    put_with_column(slow, "13", "y");
    CHECK(versions_told(quick.next()) == "a@13");
    put_with_column(slow, "14", "y");
    put_with_column(slow, "15", "y", "b");
    CHECK(versions_told(slow.next()) == "a@14 b@15");
    CHECK(versions_told(quick.next()) == "b@15");
  }
  SUBCASE("and nothing else") {
    put_with_column(slow, "13", "y");
    CHECK(versions_told(quick.next()) == "a@13");
    put_with_column(slow, "14", "y");
    CHECK(versions_told(slow.next()) == "a@14");
  }
  SUBCASE("and another object has changed back") {
    put_with_column(slow, "13", "y");
    put_with_column(slow, "14", "y", "b");
    CHECK(versions_told(quick.next()) == "a@13 b@14");
    put_with_column(slow, "15", "y");
    put_with_column(slow, "16", "x", "b");
    CHECK(versions_told(quick.next()) == "b@16");
    put_with_column(slow, "17", "y");
    CHECK(versions_told(slow.next()) == "a@17");
  }
  SUBCASE("and the stream is cancelled") {
    put_with_column(slow, "13", "y");
    CHECK(versions_told(quick.next()) == "a@13");
    put_with_column(slow, "14", "y");
    slow.freeze();
    CHECK(versions_told(slow.latest()) == "a@14");
  }
}

TEST_CASE("ksr_latest shows the deltas of what was delivered with the objects that the view has by then") {
  Publisher publisher(std::make_shared<SharedView>(0));
  list(publisher, {}, "10");
  put_with_column(publisher, "11", "x");
  publisher.next();
  put_with_column(publisher, "12", "y");
  CHECK(versions_told(publisher.next()) == "a@12");
  put_with_column(publisher, "13", "y");
  CHECK(versions_told(publisher.latest()) == "a@13");
  put_with_column(publisher, "14", "y");
  CHECK(versions_told(publisher.latest()) == "a@14");
  // And those of a snapshot that was renewed before it was delivered.
  put_with_column(publisher, "15", "z");
  CHECK(versions_told(publisher.latest()) == "a@15");
  put_with_column(publisher, "16", "z");
  CHECK(versions_told(publisher.latest()) == "a@16");
  publisher.next();
  publisher.view().write([](store::Cache& cache) { cache.set_resource_version("17"); });
  CHECK(versions_told(publisher.latest()) == "a@16");
  publisher.freeze();
  CHECK(versions_told(publisher.latest()) == "a@16");
}

TEST_CASE("after a cancel ksr_latest shows the view as it was then, also where it had shown a snapshot before that") {
  for (const bool delivered : {true, false}) {
    CAPTURE(delivered);
    Publisher publisher(std::make_shared<SharedView>(0));
    list(publisher, {}, "10");
    put_with_column(publisher, "11", "x");
    const SnapshotRef first = delivered ? publisher.next() : publisher.latest();
    put_with_column(publisher, "12", "x");
    publisher.freeze();
    put_with_column(publisher, "13", "y");
    for (int times = 0; times < 2; ++times) {
      const SnapshotRef latest = publisher.latest();
      CHECK(latest->view().at(0)->resource_version() == "12");
      CHECK(latest->view().resource_version() == "12");
      CHECK(latest->sequence() == first->sequence());
    }
    CHECK(first->view().at(0)->resource_version() == "11");
  }
}

TEST_CASE("what is no change for the host keeps nothing of what was delivered") {
  Publisher publisher(std::make_shared<SharedView>(0));
  json::ItemColumns columns;
  columns.sameness = json::Sameness::columns;
  const auto put_with_text = [&](const char* version, const std::string& text) {
    publisher.view().write([&](store::Cache& cache) {
      with_pod("a", version, [&](json::Item item) {
        item.text = {};
        item.text[0] = text;
        item.columns = &columns;
        cache.apply(EventType::modified, item);
      });
    });
  };
  const auto used = [] {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  constexpr std::size_t kLarge = 50'000'000;
  list(publisher, {}, "10");
  const std::size_t before = used();
  put_with_text("11", std::string(kLarge, 'x'));
  publisher.next();
  // An allocator of a sanitizer counts nothing there.
  if (used() < before + kLarge) return;
  put_with_text("12", "{}");
  put_with_text("13", "{}");
  CHECK(used() < before + kLarge / 2);
  CHECK(publisher.latest()->deltas().count() == 1);
  CHECK(publisher.latest()->deltas().at(0).object->resource_version() == "13");
}

TEST_CASE("what ksr_latest has renewed keeps nothing of what it showed before") {
  Publisher publisher(std::make_shared<SharedView>(0));
  json::ItemColumns columns;
  columns.sameness = json::Sameness::columns;
  list(publisher, {}, "10");
  publisher.next();
  const auto used = [] {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  constexpr std::size_t kLarge = 10'000'000;
  const std::size_t before = used();
  for (int version = 11; version < 21; ++version) {
    const std::string text(kLarge, 'x');
    publisher.view().write([&](store::Cache& cache) {
      with_pod("a", std::to_string(version), [&](json::Item item) {
        item.text = {};
        item.text[0] = text;
        item.columns = &columns;
        cache.apply(EventType::modified, item);
      });
    });
    CHECK(versions_told(publisher.latest()) == "a@" + std::to_string(version));
  }
  CHECK(used() < before + 4 * kLarge);
}
