#include <doctest/doctest.h>

#include "store/cache.hpp"
#include "unit/store/sample.hpp"

namespace ksr::store::test {
namespace {

TEST_CASE("a list is visible when it is committed, and then as a whole") {
  Cache cache(0);
  CHECK_FALSE(cache.synced());
  CHECK_FALSE(cache.changed());
  cache.begin_list();
  cache.stage(sample("b", 2).item());
  cache.stage(sample("a", 1).item());
  CHECK(cache.count() == 0);
  CHECK_FALSE(cache.changed());
  CHECK(cache.commit_list("10") == 2);
  CHECK(cache.synced());
  CHECK(cache.changed());
  const Cut cut = cache.cut();
  CHECK(describe(cut.view) == "a@1 b@2");
  CHECK(describe(cut) == "+a@1 +b@2");
  CHECK(cut.view.resource_version() == "10");
  CHECK_FALSE(cache.changed());
}

TEST_CASE("objects without versions: an event is always newer, and a list changes those whose text differs") {
  const auto unversioned = [](const std::string& name, const std::string& body) {
    Sample made = sample(name, 1);
    made.resource_version.clear();
    made.body = body;
    return made;
  };
  Cache cache(0);
  list(cache, {unversioned("a", "{\"cpu\":1}"), unversioned("b", "{\"cpu\":1}")}, "");
  CHECK(describe(cache.cut()) == "+a@ +b@");
  CHECK(list(cache, {unversioned("a", "{\"cpu\":1}"), unversioned("b", "{\"cpu\":2}")}, "") == 1);
  CHECK(describe(cache.cut()) == "~b@");
  CHECK(cache.apply(json::EventType::modified, unversioned("a", "{\"cpu\":3}").item()) == Applied::modified);
  CHECK(describe(cache.cut()) == "~a@");
  CHECK(cache.apply(json::EventType::deleted, unversioned("a", "{}").item()) == Applied::deleted);
  CHECK(cache.apply(json::EventType::added, unversioned("a", "{}").item()) == Applied::added);
  CHECK(list(cache, {unversioned("b", "{\"cpu\":2}")}, "") == 1);
  CHECK(describe(cache.cut().view) == "b@");
}

TEST_CASE("a list of a server whose versions went back replaces everything") {
  Cache cache(0);
  list(cache, {sample("a", 18), sample("b", 19), sample("y", 4)}, "19");
  cache.apply(json::EventType::deleted, sample("y", 20).item());
  cache.cut();
  cache.begin_list();
  Sample other_text = sample("b", 19);
  other_text.body = "{\"other\":1}";
  for (const Sample& listed : {sample("a", 5), other_text, sample("x", 12), sample("y", 4)}) cache.stage(listed.item());
  CHECK(cache.commit_list("15", {}, Precedence::list_wins) == 4);
  const Cut cut = cache.cut();
  CHECK(describe(cut) == "~a@5 ~b@19 +x@12 +y@4");
  CHECK(describe(cut.view) == "a@5 b@19 x@12 y@4");
  CHECK(cut.view.resource_version() == "15");
  CHECK(cut.view.find("ns", "b")->field(Field::json) == "{\"other\":1}");
  CHECK(cache.apply(json::EventType::modified, sample("a", 16).item()) == Applied::modified);
  CHECK(cache.apply(json::EventType::modified, sample("y", 17).item()) == Applied::modified);
  cache.begin_list();
  CHECK(cache.commit_list("3", {}, Precedence::list_wins) == 4);
  CHECK(cache.count() == 0);
}

TEST_CASE("what a list knows as older than the view had it, up to its own version, is of another history") {
  for (const std::size_t others : {std::size_t{0}, std::size_t{100}}) {
    CAPTURE(others);
    Sample other_text = sample("same", 18);
    other_text.body = "{\"other\":1}";
    std::vector<Sample> backup{sample("a", 5), sample("gone", 6), other_text, sample("b", 7)};
    Cache cache(0);
    list(cache, {sample("a", 5), sample("gone", 6), sample("b", 7)}, "10");
    for (std::size_t i = 0; i < others; ++i) {
      backup.push_back(sample("x" + std::to_string(i), 4));
      cache.apply(json::EventType::added, backup.back().item(), "10");
    }
    cache.apply(json::EventType::modified, sample("a", 15).item(), "15");
    cache.apply(json::EventType::added, sample("new", 16).item(), "16");
    cache.apply(json::EventType::deleted, sample("gone", 17).item(), "17");
    cache.apply(json::EventType::added, sample("same", 18).item(), "18");
    // The view may be ahead of a list.
    cache.apply(json::EventType::modified, sample("b", 30).item(), "30");
    cache.cut();
    SUBCASE("its version is above all that changed") {
      CHECK(list(cache, backup, "1000000") == 5);
      CHECK(describe(cache.cut()) == "-new@16 ~a@5 ~b@7 +gone@6 ~same@18");
      CHECK(cache.apply(json::EventType::modified, sample("a", 1000001).item()) == Applied::modified);
      CHECK(cache.apply(json::EventType::modified, sample("gone", 1000002).item()) == Applied::modified);
    }
    SUBCASE("its version is between the changes") {
      CHECK(list(cache, backup, "20") == 4);
      CHECK(describe(cache.cut()) == "-new@16 ~a@5 +gone@6 ~same@18");
    }
    SUBCASE("it is that of the newest change of an object") {
      CHECK(list(cache, backup, "30") == 5);
      CHECK(describe(cache.cut()) == "-new@16 ~a@5 ~b@7 +gone@6 ~same@18");
    }
    SUBCASE("it is older than the changes") {
      CHECK(list(cache, backup, "14") == 1);
      CHECK(describe(cache.cut()) == "~same@18");
    }
    SUBCASE("it does not compare: the newer stay") {
      CHECK(list(cache, backup, "") == 3);
      CHECK(describe(cache.cut()) == "-new@16 +gone@6 ~same@18");
    }
  }
}

TEST_CASE("where versions do not compare, what was staged last counts") {
  const auto opaque = [](const std::string& name, const std::string& version) {
    Sample made = sample(name, 1);
    made.resource_version = version;
    return made;
  };
  Cache cache(0);
  list(cache, {opaque("c", "r-zero")}, "r-zero");
  cache.cut();
  cache.begin_list();
  for (const char* name : {"a", "b", "c"}) {
    cache.stage(opaque(name, "r-one").item());
    cache.stage_deletion(opaque(name, "r-two").item());
    cache.stage(opaque(name, "r-three").item());
  }
  cache.stage_deletion(opaque("b", "r-four").item());
  cache.stage_deletion(opaque("c", "r-four").item());
  cache.stage(opaque("c", "r-five").item());
  CHECK(cache.commit_list("r-six") == 2);
  CHECK(describe(cache.cut()) == "+a@r-three ~c@r-five");
  CHECK(cache.apply(json::EventType::added, opaque("b", "r-four").item()) == Applied::stale);
  CHECK(cache.apply(json::EventType::added, opaque("b", "r-seven").item()) == Applied::added);
}

TEST_CASE("of a uid that is staged and deleted again and again the newest counts, in any order") {
  Cache cache(0);
  cache.begin_list();
  cache.stage_deletion(sample("a", 4).item());
  cache.stage(sample("a", 5).item());
  cache.stage(sample("b", 3).item());
  cache.stage_deletion(sample("b", 7).item());
  cache.stage_deletion(sample("b", 4).item());
  cache.stage(sample("b", 6).item());
  cache.stage(sample("c", 9).item());
  cache.stage_deletion(sample("c", 8).item());
  CHECK(cache.commit_list("10") == 2);
  CHECK(describe(cache.cut()) == "+a@5 +c@9");
  CHECK(cache.apply(json::EventType::added, sample("b", 7).item()) == Applied::stale);
}

TEST_CASE("what was deleted while a list was staged is in no view, and does not come back") {
  Cache cache(0);
  list(cache, {sample("a", 1), sample("b", 2)}, "2");
  cache.cut();
  cache.begin_list();
  for (const Sample& listed : {sample("a", 1), sample("b", 2), sample("c", 3), sample("d", 8)}) {
    cache.stage(listed.item());
  }
  cache.stage_deletion(sample("c", 4).item());
  cache.stage_deletion(sample("b", 5).item());
  cache.stage_deletion(sample("e", 6).item());
  cache.stage_deletion(sample("d", 7).item());
  SUBCASE("committed") {
    CHECK(cache.commit_list("3") == 2);
    CHECK(describe(cache.cut()) == "-b@2 +d@8");
    CHECK(cache.apply(json::EventType::modified, sample("b", 5).item()) == Applied::stale);
    CHECK(cache.apply(json::EventType::added, sample("e", 6).item()) == Applied::stale);
    CHECK(cache.apply(json::EventType::added, sample("e", 7).item()) == Applied::added);
  }
  SUBCASE("abandoned") {
    cache.abandon_list();
    CHECK(list(cache, {sample("a", 1), sample("b", 2), sample("c", 3)}, "9") == 1);
    CHECK(describe(cache.cut()) == "+c@3");
  }
}

TEST_CASE("an empty first list is a change, an empty second one is not") {
  Cache cache(0);
  CHECK(list(cache, {}, "5") == 0);
  CHECK(cache.changed());
  const Cut cut = cache.cut();
  CHECK(cut.view.count() == 0);
  CHECK(describe(cut).empty());
  CHECK(cut.view.resource_version() == "5");
  CHECK(list(cache, {}, "6") == 0);
  CHECK_FALSE(cache.changed());
  CHECK(cache.cut().view.resource_version() == "6");
}

TEST_CASE("a list that is abandoned has no effect") {
  Cache cache(0);
  list(cache, {sample("a", 1)}, "1");
  cache.cut();
  cache.begin_list();
  cache.stage(sample("b", 2).item());
  cache.abandon_list();
  CHECK_FALSE(cache.changed());
  CHECK(list(cache, {sample("a", 1)}, "3") == 0);
  CHECK(describe(cache.cut().view) == "a@1");
}

TEST_CASE("a relist is the difference") {
  for (const std::size_t others : {std::size_t{0}, std::size_t{100}}) {
    CAPTURE(others);
    std::vector<Sample> before{sample("a", 1), sample("b", 2), sample("c", 3)};
    std::vector<Sample> after{sample("a", 1), sample("b", 12), sample("d", 13)};
    for (std::size_t i = 0; i < others; ++i) {
      before.push_back(sample("x" + std::to_string(i), 4));
      after.push_back(before.back());
    }
    Cache cache(0);
    list(cache, before, "10");
    const Cut first = cache.cut();
    CHECK(list(cache, after, "20") == 3);
    CHECK(cache.changed());
    const Cut cut = cache.cut();
    CHECK(describe(cut) == "-c@3 ~b@12 +d@13");
    CHECK(cut.view.count() == after.size());
    CHECK(cut.view.find_uid("u-a") == first.view.find_uid("u-a"));
    CHECK(first.view.find("ns", "c") != nullptr);
    CHECK(cut.view.find("ns", "c") == nullptr);
  }
}

TEST_CASE("a list replaces no object by an older one") {
  Cache cache(0);
  list(cache, {sample("a", 8), sample("b", 9), sample("gone", 3)}, "9");
  cache.cut();
  cache.apply(json::EventType::modified, sample("b", 100).item());
  cache.apply(json::EventType::added, sample("late", 101).item());
  cache.apply(json::EventType::deleted, sample("gone", 102).item());
  // A list made by a server whose cache is stale.
  CHECK(list(cache, {sample("a", 10), sample("b", 9), sample("gone", 3)}, "99") == 1);
  CHECK(describe(cache.cut()) == "-gone@3 ~a@10 ~b@100 +late@101");
  // One that is not stale: what it leaves out is deleted, what it has is there.
  CHECK(list(cache, {sample("b", 100), sample("gone", 110)}, "111") == 3);
  CHECK(describe(cache.cut()) == "-a@10 -late@101 +gone@110");
}

TEST_CASE("versions compare as numbers of any length") {
  Cache cache(0);
  Sample held = sample("a", 0);
  held.resource_version = "99999999999999999999999";
  list(cache, {held}, "99999999999999999999999");
  cache.cut();
  Sample older = held;
  older.resource_version = "9999999999999999999999";
  CHECK(list(cache, {older}, "9999999999999999999999") == 0);
  CHECK(cache.apply(json::EventType::modified, older.item()) == Applied::stale);
  Sample newer = held;
  newer.resource_version = "100000000000000000000000";
  CHECK(cache.apply(json::EventType::modified, newer.item()) == Applied::modified);
}

TEST_CASE("of a uid that is listed twice the newer stays, wherever it stands") {
  for (const bool newer_first : {false, true}) {
    Cache cache(0);
    const Sample older = sample("a", 9);
    const Sample newer = sample("a", 10);
    CHECK(list(cache, newer_first ? std::vector{newer, older} : std::vector{older, newer}, "10") == 1);
    CHECK(describe(cache.cut().view) == "a@10");
  }
}

TEST_CASE("of two uids with one name the newer stays") {
  for (const std::size_t others : {std::size_t{0}, std::size_t{100}}) {
    for (const bool newer_first : {false, true}) {
      CAPTURE(others);
      CAPTURE(newer_first);
      std::vector<Sample> objects;
      for (std::size_t i = 0; i < others; ++i) objects.push_back(sample("x" + std::to_string(i), 4));
      Cache cache(0);
      list(cache, objects, "5");
      cache.cut();
      const Sample older = sample("a", 9);
      Sample newer = sample("a", 10);
      newer.uid = "second";
      objects.push_back(newer_first ? newer : older);
      objects.push_back(newer_first ? older : newer);
      CHECK(list(cache, objects, "10") == 1);
      const Cut cut = cache.cut();
      CHECK(describe(cut) == "+a@10");
      CHECK(cut.view.find_uid("u-a") == nullptr);
      CHECK(cut.view.find_uid("second") == cut.view.find("ns", "a"));
    }
  }
}

TEST_CASE("same name, new uid: DELETED and ADDED") {
  Cache cache(0);
  list(cache, {sample("a", 1), sample("b", 1)}, "1");
  cache.cut();
  Sample second = sample("a", 7);
  second.uid = "second";
  CHECK(list(cache, {second, sample("b", 1)}, "7") == 2);
  CHECK(describe(cache.cut()) == "-a@1 +a@7");
}

TEST_CASE("views are ordered by namespace, then name") {
  Cache cache(0);
  Sample first = sample("z", 1);
  first.name_space = "a";
  Sample second = sample("a", 2);
  second.name_space = "a-b";
  list(cache, {second, first}, "2");
  CHECK(describe(cache.cut().view) == "z@1 a@2");
}

TEST_CASE("what is held already is not stored again") {
  Cache cache(0);
  list(cache, {sample("a", 1)}, "1");
  const Cut first = cache.cut();
  CHECK(list(cache, {sample("a", 1)}, "2") == 0);
  CHECK(cache.cut().view.at(0) == first.view.at(0));
  CHECK(cache.stored_bytes() == first.view.at(0)->json_size());
}

}  // namespace
}  // namespace ksr::store::test

TEST_CASE("several namespaces, each listed on its own, make one view") {
  const auto item_in = [](const char* name_space, const char* name, const char* version) {
    ksr::json::Item item;
    item.uid = item.name = name;
    item.name_space = name_space;
    item.resource_version = version;
    item.text[0] = "{}";
    return item;
  };
  ksr::store::Cache cache(0, 2);
  cache.begin_list("a");
  cache.begin_list("b");
  cache.stage(item_in("a", "one", "5"), "a");
  cache.stage(item_in("b", "two", "6"), "b");
  cache.commit_list("7", "a");
  CHECK_FALSE(cache.synced());
  cache.commit_list("6", "b");
  CHECK(cache.synced());
  const ksr::store::Cut first = cache.cut();
  CHECK(first.view.count() == 2);
  CHECK(first.view.resource_version() == "7");

  // A relist of one leaves the other alone.
  cache.begin_list("a");
  CHECK(cache.commit_list("9", "a") == 1);
  const ksr::store::Cut second = cache.cut();
  REQUIRE(second.view.count() == 1);
  CHECK(second.view.at(0)->name() == "two");
  cache.set_resource_version("8", "b");
  CHECK(cache.cut().view.resource_version() == "9");
  cache.set_resource_version("12", "b");
  CHECK(cache.cut().view.resource_version() == "12");
  CHECK(cache.apply(ksr::json::EventType::added, item_in("a", "one", "13"), "13", "a") == ksr::store::Applied::added);
  CHECK(cache.cut().view.resource_version() == "13");

  // Each goes back on its own, and what was deleted in the other stays so.
  CHECK(cache.apply(ksr::json::EventType::deleted, item_in("b", "two", "14"), "14", "b") ==
        ksr::store::Applied::deleted);
  cache.begin_list("a");
  cache.stage(item_in("a", "one", "3"), "a");
  CHECK(cache.commit_list("4", "a", ksr::store::Precedence::list_wins) == 1);
  CHECK(cache.cut().view.resource_version() == "14");
  CHECK(cache.apply(ksr::json::EventType::modified, item_in("b", "two", "14"), {}, "b") == ksr::store::Applied::stale);
  cache.begin_list("b");
  CHECK(cache.commit_list("3", "b", ksr::store::Precedence::list_wins) == 0);
  CHECK(cache.cut().view.resource_version() == "4");
}
