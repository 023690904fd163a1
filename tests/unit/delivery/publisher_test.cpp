#include "delivery/publisher.hpp"

#include <doctest/doctest.h>

#include "unit/delivery/objects.hpp"

using namespace ksr;
using namespace ksr::delivery;
using ksr::json::EventType;
using ksr::store::DeltaKind;

TEST_CASE("nothing is published before the first list is complete") {
  Publisher publisher(0);
  CHECK_FALSE(publisher.latest());
  publisher.write([](store::Cache& cache) { cache.begin_list(); });
  publisher.write([](store::Cache& cache) { with_pod("a", "5", [&](const json::Item& item) { cache.stage(item); }); });
  CHECK_FALSE(publisher.latest());
  CHECK_FALSE(publisher.next());
}

TEST_CASE("an empty first list is delivered, once") {
  Publisher publisher(0);
  list(publisher, {}, "7");
  const SnapshotRef first = publisher.next();
  REQUIRE(first);
  CHECK(first->view().count() == 0);
  CHECK(first->deltas().count() == 0);
  CHECK(first->view().resource_version() == "7");
  CHECK_FALSE(publisher.next());
  CHECK(publisher.latest()->sequence() == 1);
}

TEST_CASE("deltas are against the snapshot delivered before, whatever ksr_latest has shown") {
  Publisher publisher(0);
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
  Publisher publisher(0);
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

TEST_CASE("an object added and deleted between two snapshots is not delivered, and takes no sequence number") {
  Publisher publisher(0);
  list(publisher, {"a"}, "10");
  publisher.next();
  put(publisher, "b", "11", EventType::added);
  put(publisher, "b", "12", EventType::deleted);
  CHECK_FALSE(publisher.next());
  put(publisher, "a", "13");
  CHECK(publisher.next()->sequence() == 2);
}

TEST_CASE("a kept snapshot stays as it was and outlives its publisher") {
  SnapshotRef kept;
  {
    Publisher publisher(0);
    list(publisher, {"a", "b"}, "10");
    kept = publisher.next();
    put(publisher, "a", "11", EventType::deleted);
    publisher.next();
  }
  REQUIRE(kept->view().count() == 2);
  CHECK(kept->view().at(0)->name() == "a");
  CHECK(kept->view().find("default", "a") != nullptr);
}
