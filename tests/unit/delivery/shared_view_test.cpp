// One view, several publishers: each has all that changed since its own last snapshot, and nothing twice.
#include "delivery/shared_view.hpp"

#include <doctest/doctest.h>
#include <malloc.h>

#include <atomic>
#include <list>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "delivery/publisher.hpp"
#include "unit/delivery/objects.hpp"

using namespace ksr;
using namespace ksr::delivery;
using ksr::json::EventType;
using ksr::store::DeltaKind;

namespace {

std::shared_ptr<SharedView> shared_view(std::size_t limit = 0) {
  return std::make_shared<SharedView>(limit);
}

// "1: +a +b", "2: ~a -b", "nothing".
std::string told(const SnapshotRef& snapshot) {
  if (!snapshot) return "nothing";
  std::string text = std::to_string(snapshot->sequence()) + ":";
  for (std::size_t i = 0; i < snapshot->deltas().count(); ++i) {
    const store::Delta delta = snapshot->deltas().at(i);
    const char* const mark = delta.kind == DeltaKind::added ? " +" : delta.kind == DeltaKind::deleted ? " -" : " ~";
    text += mark + std::string(delta.object->name());
  }
  return text;
}

// uid -> resourceVersion
using Held = std::map<std::string, std::string>;

Held held_by(const store::View& view) {
  Held held;
  for (std::size_t i = 0; i < view.count(); ++i) {
    held.emplace(view.at(i)->uid(), view.at(i)->resource_version());
  }
  return held;
}

// A host that adds up what it is told.
class Viewer {
 public:
  explicit Viewer(const std::shared_ptr<SharedView>& view) : publisher_(view) {}

  Publisher& publisher() { return publisher_; }
  // What is wrong with the next snapshot; empty: nothing.
  std::string take() {
    const SnapshotRef snapshot = publisher_.next();
    return snapshot ? take(*snapshot) : std::string();
  }
  bool knows(const Held& all) const { return sequence_ > 0 && held_ == all; }

 private:
  std::string take(const Snapshot& snapshot) {
    // ksr_latest may have shown those in between.
    if (snapshot.sequence() <= sequence_) return "a sequence number that is not above the last one";
    sequence_ = snapshot.sequence();
    for (std::size_t i = 0; i < snapshot.deltas().count(); ++i) {
      const store::Delta delta = snapshot.deltas().at(i);
      const std::string uid(delta.object->uid());
      const bool known = held_.count(uid) > 0;
      if (known == (delta.kind == DeltaKind::added)) return "added twice, or changed before it was added: " + uid;
      if (delta.before && (!known || held_.at(uid) != delta.before->resource_version())) return "not as before: " + uid;
      if (delta.kind == DeltaKind::deleted) {
        held_.erase(uid);
      } else {
        held_[uid] = std::string(delta.object->resource_version());
      }
    }
    return held_ == held_by(snapshot.view()) ? "" : "the deltas do not add up to the snapshot";
  }

  Publisher publisher_;
  Held held_;
  std::uint64_t sequence_ = 0;
};

}  // namespace

TEST_CASE("each publisher of a view has its own deltas and its own sequence") {
  const auto view = shared_view();
  Publisher first(view);
  Publisher second(view);
  list(first, {"a", "b"}, "10");
  CHECK(told(first.next()) == "1: +a +b");
  CHECK(told(second.next()) == "1: +a +b");
  CHECK_FALSE(first.changed());
  CHECK_FALSE(second.changed());

  put(first, "a", "11");
  CHECK(told(first.next()) == "2: ~a");
  CHECK(second.changed());
  put(first, "b", "12", EventType::deleted);
  CHECK(told(first.next()) == "3: -b");
  // What came in two parts there is one here.
  CHECK(told(second.next()) == "2: -b ~a");
  CHECK(told(second.next()) == "nothing");
  CHECK(told(first.next()) == "nothing");
  CHECK(first.latest()->sequence() == 3);
  CHECK(second.latest()->sequence() == 2);
  CHECK(told(second.latest()) == "2: -b ~a");
}

TEST_CASE("what came and went between two snapshots of one publisher is told to the other alone") {
  const auto view = shared_view();
  Publisher quick(view);
  Publisher slow(view);
  list(quick, {"a"}, "10");
  quick.next();
  slow.next();
  put(quick, "b", "11", EventType::added);
  CHECK(told(quick.next()) == "2: +b");
  put(quick, "b", "12", EventType::deleted);
  CHECK(told(quick.next()) == "3: -b");
  CHECK(told(slow.next()) == "nothing");
  put(quick, "a", "13");
  CHECK(told(slow.next()) == "2: ~a");
  CHECK(told(quick.next()) == "4: ~a");
}

TEST_CASE("a publisher that comes later begins with all that is held, as ADDED") {
  const auto view = shared_view();
  Publisher first(view);
  list(first, {"a", "b"}, "10");
  first.next();
  put(first, "a", "11");
  SUBCASE("after the others have seen the change") {
    first.next();
  }
  SUBCASE("before that") {}
  Publisher late(view);
  CHECK(late.changed());
  CHECK(told(late.latest()) == "1: +a +b");
  CHECK(told(late.next()) == "1: +a +b");
  CHECK_FALSE(late.changed());
  put(first, "c", "12", EventType::added);
  CHECK(told(late.next()) == "2: +c");
  CHECK(held_by(first.latest()->view()) == held_by(late.latest()->view()));
}

TEST_CASE("a publisher that comes when the view is empty is told so, once") {
  const auto view = shared_view();
  Publisher first(view);
  Publisher before(view);
  list(first, {}, "10");
  first.next();
  Publisher late(view);
  CHECK(told(late.next()) == "1:");
  CHECK(told(late.next()) == "nothing");
  CHECK(told(before.next()) == "1:");
  put(first, "a", "11", EventType::added);
  CHECK(told(late.next()) == "2: +a");
  CHECK(told(before.next()) == "2: +a");
  CHECK(told(first.next()) == "2: +a");
}

TEST_CASE("nothing is there before the first list, whenever a publisher comes") {
  const auto view = shared_view();
  Publisher first(view);
  Publisher second(view);
  CHECK_FALSE(first.latest());
  CHECK_FALSE(second.changed());
  CHECK(told(second.next()) == "nothing");
}

TEST_CASE("what is no change for the host reaches ksr_latest of all, and keeps nothing of what was delivered") {
  const auto view = shared_view();
  Publisher first(view);
  Publisher second(view);
  json::ItemColumns columns;
  columns.sameness = json::Sameness::columns;
  const auto put_with_text = [&](const char* version, const std::string& text) {
    view->write([&](store::Cache& cache) {
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
  list(first, {}, "10");
  const std::size_t before = used();
  put_with_text("11", std::string(kLarge, 'x'));
  first.next();
  second.next();
  const bool counts = used() >= before + kLarge;  // not where a sanitizer allocates
  put_with_text("12", "{}");
  CHECK_FALSE(second.changed());
  // One of them made its snapshot anew: the other one's is outdated all the same.
  CHECK(first.latest()->view().at(0)->resource_version() == "12");
  CHECK(second.latest()->view().at(0)->resource_version() == "12");
  put_with_text("13", "{}");
  put_with_text("14", "{}");
  put_with_text("15", "{}");
  if (counts) CHECK(used() < before + kLarge / 2);
  CHECK(first.latest()->sequence() == 1);
  CHECK(second.latest()->view().at(0)->resource_version() == "15");
}

TEST_CASE("a publisher that has left at the end of its stream shows what the view was then") {
  const auto view = shared_view();
  Publisher first(view);
  Publisher second(view);
  list(first, {"a", "b"}, "10");
  first.next();
  std::string last;
  std::string version = "10";
  SUBCASE("before it had taken anything") {
    last = "1: +a +b";
  }
  SUBCASE("what it was delivered last is the newest") {
    second.next();
    last = "1: +a +b";
  }
  SUBCASE("there was more, which another one had taken") {
    second.next();
    put(first, "a", "11");
    first.next();
    last = "2: ~a";
    version = "11";
  }
  SUBCASE("there was more, which no other had taken") {
    second.next();
    put(first, "a", "11");
    last = "2: ~a";
    version = "11";
  }
  SUBCASE("ksr_latest had shown more") {
    second.next();
    put(first, "a", "11");
    second.latest();
    last = "2: ~a";
    version = "11";
  }
  second.freeze();
  const std::uint64_t sequence_of_first = first.latest()->sequence();
  CHECK(told(second.latest()) == last);
  put(first, "a", "12");
  put(first, "b", "13", EventType::deleted);
  put(first, "c", "14", EventType::added);
  CHECK(told(second.latest()) == last);
  CHECK(told(first.latest()).substr(2) == " -b ~a +c");
  put(first, "d", "15", EventType::added);
  CHECK(first.next()->sequence() == sequence_of_first + 1);
  CHECK(told(second.latest()) == last);
  CHECK(held_by(second.latest()->view()) == Held{{"a", version == "10" ? "10" : "11"}, {"b", "10"}});
  CHECK(first.next());
  CHECK(second.latest()->sequence() == static_cast<std::uint64_t>(last[0] - '0'));
  // What ends a stream may come several times.
  second.freeze();
  CHECK(told(second.latest()) == last);
  second.leave();
  second.leave();
  CHECK(first.latest());
}

TEST_CASE("a publisher that left before the first list has nothing to show, also when that has come") {
  const auto view = shared_view();
  Publisher first(view);
  Publisher second(view);
  Publisher third(view);
  second.freeze();
  third.leave();
  list(first, {"a"}, "10");
  CHECK(told(first.next()) == "1: +a");
  for (Publisher* const each : {&second, &third}) {
    CHECK_FALSE(each->latest());
    CHECK_FALSE(each->changed());
    CHECK(told(each->next()) == "nothing");
  }
}

TEST_CASE("nothing is kept for a publisher that has left") {
  const auto used = [] {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  constexpr std::size_t kLarge = 50'000'000;
  const auto view = shared_view();
  Publisher first(view);
  Publisher second(view);
  const auto put_with_text = [&](const char* version, const std::string& text) {
    view->write([&](store::Cache& cache) {
      with_pod("a", version, [&](json::Item item) {
        item.text = {};
        item.text[0] = text;
        cache.apply(EventType::modified, item);
      });
    });
    first.next();
  };
  list(first, {}, "10");
  const std::size_t before = used();
  put_with_text("11", std::string(kLarge, 'x'));
  const bool counts = used() >= before + kLarge;  // not where a sanitizer allocates
  std::size_t held_at_the_end = 0;
  SUBCASE("closed: it holds nothing") {
    second.leave();
  }
  SUBCASE("cancelled: it holds the view as it was, and no other") {
    second.latest();
    second.freeze();
    held_at_the_end = kLarge;
  }
  for (const char* const version : {"12", "13", "14"}) put_with_text(version, std::string(kLarge, 'y'));
  for (const char* const version : {"15", "16", "17"}) put_with_text(version, "{}");
  if (counts) CHECK(used() < before + held_at_the_end + kLarge / 2);
}

TEST_CASE("with a limit each publisher is told whether an object still exists") {
  const auto view = shared_view(1);
  Publisher first(view);
  Publisher second(view);
  list(first, {"a"}, "10");
  first.next();
  second.next();
  put(first, "b", "11", EventType::added);
  for (Publisher* const each : {&first, &second}) {
    const SnapshotRef displaced = each->next();
    CHECK(told(displaced) == "2: -a +b");
    CHECK(displaced->deltas().left_at(0));
  }
}

TEST_CASE("ten publishers whose hosts keep their newest snapshots cost little more memory than one") {
  constexpr int kObjects = 4'000;
  const std::string text(4'000, 'x');
  const auto used = [] {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  const auto view = shared_view();
  const auto put_object = [&](int number, int version, store::Cache& cache) {
    with_pod("n" + std::to_string(number), std::to_string(version), [&](json::Item item) {
      item.text = {};
      item.text[0] = text;
      cache.apply(EventType::modified, item);
    });
  };
  const std::size_t before = used();
  Publisher first(view);
  list(first, {}, "10");
  for (int i = 0; i < kObjects; ++i) view->write([&](store::Cache& cache) { put_object(i, 11, cache); });
  SnapshotRef kept = first.next();
  const std::size_t one = used() - before;
  std::list<Publisher> others;
  std::vector<SnapshotRef> kept_by_others;
  for (int i = 0; i < 9; ++i) {
    others.emplace_back(view);
    kept_by_others.push_back(others.back().next());
  }
  for (int i = 0; i < kObjects; i += 100) view->write([&](store::Cache& cache) { put_object(i, 12, cache); });
  kept = first.next();
  for (std::size_t i = 0; i < 9; ++i) kept_by_others[i] = std::next(others.begin(), static_cast<int>(i))->next();
  CHECK(told(kept_by_others.back()).substr(0, 4) == "2: ~");
  // An allocator of a sanitizer counts nothing.
  if (one > kObjects * text.size()) CHECK(used() - before < one + one / 10);
}

TEST_CASE("publishers that come and go at random never miss or repeat anything") {
  for (const std::size_t limit : {std::size_t{0}, std::size_t{4}}) {
    for (std::uint32_t seed = 1; seed <= 30; ++seed) {
      CAPTURE(limit);
      CAPTURE(seed);
      std::mt19937 random(seed);
      const auto view = shared_view(limit);
      Publisher writer(view);
      std::list<Viewer> viewers;
      std::uint64_t version = 10;
      list(writer, {"n0", "n1"}, "10");
      for (int step = 0; step < 400; ++step) {
        const auto at_random = [&] { return std::next(viewers.begin(), static_cast<int>(random() % viewers.size())); };
        const auto action = random() % 12;
        if (viewers.empty() || (action == 0 && viewers.size() < 6)) {
          viewers.emplace_back(view);
        } else if (action == 1) {
          viewers.erase(at_random());
        } else if (action == 2) {
          at_random()->publisher().latest();
        } else if (action < 6) {
          REQUIRE(at_random()->take() == "");
        } else if (action == 6 && random() % 8 == 0) {
          list(writer, {"n1", "n2", "n5"}, std::to_string(++version));
        } else {
          const std::string name = "n" + std::to_string(random() % 8);
          put(writer, name, std::to_string(++version), random() % 3 == 0 ? EventType::deleted : EventType::modified);
        }
      }
      for (Viewer& viewer : viewers) {
        // One that ksr_latest has shown comes first.
        while (viewer.publisher().changed()) REQUIRE(viewer.take() == "");
        CHECK(viewer.take() == "");
        CHECK(viewer.knows(held_by(writer.latest()->view())));
      }
    }
  }
}

TEST_CASE("nothing is kept for a publisher that has left, though what it took before is delivered after that") {
  const auto view = shared_view();
  Publisher writer(view);
  list(writer, {"n0"}, "10");
  auto cancelled = std::make_unique<Publisher>(view);
  const SnapshotRef shown = cancelled->latest();
  cancelled->freeze();
  const SnapshotRef delivered = cancelled->next();
  REQUIRE(delivered);
  CHECK(delivered->sequence() == shown->sequence());
  cancelled.reset();
  // Of the stream and this test, but no more of the view.
  put(writer, "n1", "11");
  CHECK(writer.latest()->view().count() == 2);
  put(writer, "n2", "12");
  CHECK(writer.latest()->view().count() == 3);
}

TEST_CASE("publishers on several threads, while the view changes") {
  const auto view = shared_view();
  Publisher writer(view);
  list(writer, {"n0"}, "10");
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      while (!done) {
        Viewer viewer(view);
        for (int taken = 0; taken < 20; ++taken) {
          if (!viewer.take().empty()) ++wrong;
          if (i % 2 == 0) viewer.publisher().latest();
        }
        // As ksr_cancel, which comes while a snapshot is taken.
        std::thread canceller([&] { viewer.publisher().freeze(); });
        for (int taken = 0; taken < 20; ++taken) {
          if (!viewer.take().empty()) ++wrong;
        }
        canceller.join();
        while (viewer.publisher().changed()) {
          if (!viewer.take().empty()) ++wrong;
        }
        if (!viewer.knows(held_by(viewer.publisher().latest()->view()))) ++wrong;
      }
      Viewer last(view);
      if (!last.take().empty() || !last.knows(held_by(last.publisher().latest()->view()))) ++wrong;
    });
  }
  for (int version = 11; version < 3000; ++version) {
    const EventType type = version % 5 == 0 ? EventType::deleted : EventType::modified;
    put(writer, "n" + std::to_string(version % 50), std::to_string(version), type);
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}
