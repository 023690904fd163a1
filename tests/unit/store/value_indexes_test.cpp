// Objects found by the values of their columns; what counts as a change; what was before.
#include <doctest/doctest.h>

#include <string>

#include "store/cache.hpp"
#include "unit/store/sample.hpp"

namespace ksr::store::test {
namespace {

using json::EventType;
using json::Sameness;

Sample on_node(const std::string& name, std::uint64_t version, const std::string& node,
               std::vector<std::string> tags = {}) {
  Sample made = sample(name, version);
  made.has_columns = true;
  made.node = node;
  made.tags = std::move(tags);
  return made;
}

Sample told_by(Sameness sameness, Sample made) {
  made.sameness = sameness;
  return made;
}

// "a b": the names of the objects with that value.
std::string found(const View& view, std::size_t column, std::string_view value) {
  std::string names;
  for (std::size_t i = 0; i < view.index_count(column, value); ++i) {
    names += (i == 0 ? "" : " ") + std::string(view.index_at(column, value, i)->name());
  }
  CHECK(view.index_at(column, value, view.index_count(column, value)) == nullptr);
  CHECK(view.index_at(column, value, ~std::size_t{0}) == nullptr);
  return names;
}

TEST_CASE("columns are read as they were stored, each with its NUL") {
  Cache cache(0, 1, {0, 1});
  list(cache, {on_node("a", 1, "n1", {"x", "y"}), on_node("b", 1, "", {})}, "1");
  const View view = cache.cut().view;
  const Object& a = *view.at(0);
  REQUIRE(a.column_count() == 2);
  CHECK(a.column(0) == "n1");
  CHECK(a.column(1) == "x,y");
  CHECK(a.column(0).data()[2] == '\0');
  CHECK(a.column(1).data()[3] == '\0');
  CHECK(view.at(1)->column(0).empty());
  CHECK(view.at(1)->column(1).data()[0] == '\0');
  CHECK(a.field(Field::json) == sample("a", 1).body);
}

TEST_CASE("an object without columns has none, and nothing is found by them") {
  Cache cache(0);
  list(cache, {sample("a", 1)}, "1");
  const View view = cache.cut().view;
  CHECK(view.at(0)->column_count() == 0);
  CHECK(view.index_count(0, "") == 0);
  CHECK(view.index_at(0, "", 0) == nullptr);
  CHECK(View().index_count(0, "") == 0);
  CHECK(View().index_at(0, "", 0) == nullptr);
}

TEST_CASE("objects are found by value, in the order of the view, and a view keeps what it found") {
  Cache cache(0, 1, {0, 1});
  list(cache, {on_node("c", 1, "n1", {"x"}), on_node("a", 2, "n1", {"x", "y"}), on_node("b", 3, "n2")}, "3");
  const View first = cache.cut().view;
  CHECK(found(first, 0, "n1") == "a c");
  CHECK(found(first, 0, "n2") == "b");
  CHECK(found(first, 0, "n") == "");
  CHECK(found(first, 0, "") == "");
  CHECK(found(first, 1, "x") == "a c");
  CHECK(found(first, 1, "x,y") == "");
  CHECK(found(first, 1, "") == "b");

  cache.apply(EventType::modified, on_node("c", 4, "n2", {"y"}).item());
  cache.apply(EventType::added, on_node("d", 5, "n1", {"x"}).item());
  cache.apply(EventType::deleted, on_node("b", 6, "n2").item());
  const View second = cache.cut().view;
  CHECK(found(second, 0, "n1") == "a d");
  CHECK(found(second, 0, "n2") == "c");
  CHECK(found(second, 1, "y") == "a c");
  CHECK(found(second, 1, "") == "");
  CHECK(found(first, 0, "n1") == "a c");
  CHECK(found(first, 0, "n2") == "b");
  CHECK(found(first, 1, "y") == "a");
}

TEST_CASE("with a limit only what the view shows is found, most recent first") {
  Cache cache(2, 1, {0, 1});
  const auto at = [](Sample made, int second) {
    made.recency = "2024-01-01T00:00:" + std::to_string(second) + "Z";
    return made;
  };
  list(cache, {at(on_node("a", 1, "n"), 10), at(on_node("b", 2, "n"), 20), at(on_node("c", 3, "n"), 30)}, "3");
  CHECK(found(cache.cut().view, 0, "n") == "c b");
  cache.apply(EventType::modified, at(on_node("a", 4, "n"), 40).item());
  CHECK(found(cache.cut().view, 0, "n") == "a c");
  cache.apply(EventType::deleted, at(on_node("c", 5, "n"), 30).item());
  CHECK(found(cache.cut().view, 0, "n") == "a b");
}

TEST_CASE("an object with very many values") {
  Cache cache(0, 1, {0, 1});
  std::vector<std::string> many;
  for (int i = 0; i < 20'000; ++i) many.push_back("t" + std::to_string(i));
  list(cache, {on_node("a", 1, "n")}, "1");
  cache.apply(EventType::modified, on_node("a", 2, "n", many).item());
  const View view = cache.cut().view;
  CHECK(found(view, 1, "t0") == "a");
  CHECK(found(view, 1, "t19999") == "a");
  cache.apply(EventType::modified, on_node("a", 3, "n", {"t7"}).item());
  CHECK(found(cache.cut().view, 1, "t7") == "a");
  CHECK(found(cache.cut().view, 1, "t8") == "");
  CHECK(found(view, 1, "t8") == "a");
}

TEST_CASE("what is no change for the host is none, but the view moves on") {
  for (const Sameness sameness : {Sameness::text, Sameness::columns}) {
    Cache cache(0, 1, {0});
    Sample pod = told_by(sameness, on_node("a", 9, "n"));
    list(cache, {pod}, "9");
    const View first = cache.cut().view;
    const std::uint64_t edition = cache.edition();
    // One digit more.
    pod = told_by(sameness, on_node("a", 10, "n"));
    CHECK(cache.apply(EventType::modified, pod.item()) == Applied::modified);
    CHECK_FALSE(cache.changed());
    CHECK(cache.edition() != edition);
    CHECK(describe(first) == "a@9");
    CHECK(describe(cache.view("10")) == "a@10");
    CHECK(found(cache.view("10"), 0, "n") == "a");
    // An event of before is late all the same.
    pod.resource_version = "9";
    CHECK(cache.apply(EventType::modified, pod.item()) == Applied::stale);

    pod = told_by(sameness, on_node("a", 11, "m"));
    cache.apply(EventType::modified, pod.item());
    CHECK(describe(cache.cut()) == "~a@11");
    // A list is no other thing.
    CHECK(list(cache, {told_by(sameness, on_node("a", 12, "m"))}, "12") == 1);
    CHECK_FALSE(cache.changed());
  }
}

TEST_CASE("the columns of an object count as what is held, until it is gone") {
  Cache cache(0, 1, {0});
  const Sample a = on_node("a", 1, "node", {"x", "yz"});
  list(cache, {a, sample("b", 1)}, "1");
  CHECK(cache.stored_bytes() == a.body.size() + 4 + 4 + sample("b", 1).body.size());
  cache.apply(EventType::modified, on_node("a", 2, "n").item());
  CHECK(cache.stored_bytes() == a.body.size() + 1 + sample("b", 1).body.size());
  cache.apply(EventType::deleted, on_node("a", 3, "another node").item());
  CHECK(cache.stored_bytes() == sample("b", 1).body.size());
  list(cache, {}, "4");
  CHECK(cache.stored_bytes() == 0);
}

TEST_CASE("an item with other columns or another time is not what is held, though its version and text are") {
  Cache cache(1, 1, {0});
  Sample a = told_by(Sameness::text, on_node("a", 1, "n"));
  a.ordered_by_recency = true;
  list(cache, {a}, "1");
  cache.cut();
  a.node = "m";
  list(cache, {a}, "2");
  const Cut cut = cache.cut();
  CHECK(describe(cut) == "~a@1");
  CHECK(found(cut.view, 0, "m") == "a");
  a.recency = "2024-01-01T00:00:01Z";
  list(cache, {a}, "3");
  CHECK(describe(cache.cut()) == "~a@1");
}

TEST_CASE("text but for the version; columns alone") {
  Cache cache(0, 1, {0});
  Sample pod = told_by(Sameness::text, on_node("a", 1, "n"));
  list(cache, {pod}, "1");
  cache.cut();
  pod.resource_version = "2";
  pod.body = R"({"name":"a","rv":2,"more":true})";
  cache.apply(EventType::modified, pod.item());
  CHECK(describe(cache.cut()) == "~a@2");

  Cache by_columns(0, 1, {0});
  pod.sameness = Sameness::columns;
  list(by_columns, {pod}, "2");
  by_columns.cut();
  pod.resource_version = "3";
  pod.body = R"({"name":"a","rv":3})";
  by_columns.apply(EventType::modified, pod.item());
  CHECK_FALSE(by_columns.changed());
  // Without any column only coming and going counts.
  Cache without(0);
  Sample plain = told_by(Sameness::columns, sample("a", 1));
  list(without, {plain}, "1");
  without.cut();
  without.apply(EventType::modified, told_by(Sameness::columns, sample("a", 2)).item());
  CHECK_FALSE(without.changed());
  without.apply(EventType::deleted, plain.item());
  without.apply(EventType::deleted, told_by(Sameness::columns, sample("a", 3)).item());
  CHECK(describe(without.cut()) == "-a@2");
}

// Of a server that was restored from a backup and written to since, where the fields that tell are not kept.
TEST_CASE("what a list has under the version and with the text that are held may have other columns") {
  for (const Sameness sameness : {Sameness::version, Sameness::text, Sameness::columns}) {
    CAPTURE(static_cast<int>(sameness));
    Cache cache(0, 1, {0, 1});
    list(cache, {told_by(sameness, on_node("a", 5, "old", {"x"}))}, "5");
    const View first = cache.cut().view;
    CHECK(list(cache, {told_by(sameness, on_node("a", 5, "old", {"x"}))}, "6") == 0);
    CHECK(cache.cut().view.at(0) == first.at(0));

    CHECK(list(cache, {told_by(sameness, on_node("a", 5, "new", {"x"}))}, "7") == 1);
    Cut cut = cache.cut();
    CHECK(describe(cut) == "~a@5");
    CHECK(cut.view.at(0)->column(0) == "new");
    CHECK(found(cut.view, 0, "new") == "a");
    CHECK(found(cut.view, 0, "old") == "");
    CHECK(found(first, 0, "old") == "a");

    CHECK(list(cache, {told_by(sameness, on_node("a", 5, "new", {"x", "y"}))}, "8") == 1);
    cut = cache.cut();
    CHECK(describe(cut) == "~a@5");
    CHECK(found(cut.view, 1, "y") == "a");
    // A watch that repeats what is held by its version is late.
    CHECK(cache.apply(EventType::modified, told_by(sameness, on_node("a", 5, "old")).item()) == Applied::stale);
    CHECK(found(cache.view(), 1, "y") == "a");
  }
}

TEST_CASE("the values of an index are the list's though their column reads the same") {
  Cache cache(0, 1, {0, 1});
  list(cache, {on_node("a", 5, "n", {"x", "y"})}, "5");
  cache.cut();
  CHECK(list(cache, {on_node("a", 5, "n", {"x,y"})}, "6") == 1);
  CHECK(found(cache.view(), 1, "x") == "");
  CHECK(found(cache.view(), 1, "x,y") == "a");
}

TEST_CASE("what an index finds is a change though its column reads the same") {
  for (const Sameness sameness : {Sameness::text, Sameness::columns}) {
    CAPTURE(static_cast<int>(sameness));
    Cache cache(0, 1, {0, 1});
    // The text but for the version is the same.
    const auto tagged = [&](std::uint64_t version, std::vector<std::string> tags) {
      return told_by(sameness, on_node("a", version, "n", std::move(tags)));
    };
    list(cache, {tagged(11, {"x,y"})}, "11");
    cache.cut();
    cache.apply(EventType::modified, tagged(12, {"x", "y"}).item());
    const Cut cut = cache.cut();
    CHECK(describe(cut) == "~a@12");
    CHECK(found(cut.view, 1, "y") == "a");
    // As many values, others.
    cache.apply(EventType::modified, tagged(13, {"x", "y", "y,z"}).item());
    cache.cut();
    cache.apply(EventType::modified, tagged(14, {"x", "y,y", "z"}).item());
    CHECK(describe(cache.cut()) == "~a@14");
    // Those of before at other places.
    cache.apply(EventType::modified, tagged(15, {"x", "x,x"}).item());
    cache.cut();
    cache.apply(EventType::modified, tagged(16, {"x,x", "x"}).item());
    CHECK_FALSE(cache.changed());
    CHECK(found(cache.view(), 1, "x,x") == "a");
  }
}

TEST_CASE("a delta knows what was before, and whether the object is only out of sight") {
  Cache cache(1);
  list(cache, {recent("a", 1, "2024-01-01T00:00:10Z")}, "1");
  cache.cut();
  cache.apply(EventType::modified, recent("a", 2, "2024-01-01T00:00:10Z").item());
  const Cut modified = cache.cut();
  const Deltas changed(modified.changes, modified.view);
  REQUIRE(changed.count() == 1);
  CHECK(describe(*changed.before_at(0)) == "a@1");
  CHECK(describe(*changed.at(0).before) == "a@1");
  CHECK_FALSE(changed.left_at(0));

  cache.apply(EventType::added, recent("b", 3, "2024-01-01T00:00:20Z").item());
  const Cut displaced = cache.cut();
  Deltas deltas(displaced.changes, displaced.view);
  REQUIRE(describe(deltas) == "-a@2 +b@3");
  CHECK_FALSE(deltas.left_at(0));
  const auto mark = [&] { deltas.mark_left(cache); };
  mark();
  CHECK(deltas.left_at(0));
  CHECK(describe(*deltas.before_at(0)) == "a@2");
  CHECK(deltas.before_at(1) == nullptr);
  CHECK_FALSE(deltas.left_at(1));
  cache.apply(EventType::deleted, recent("a", 4, "2024-01-01T00:00:10Z").item());
  mark();
  CHECK_FALSE(deltas.left_at(0));
}

}  // namespace
}  // namespace ksr::store::test
