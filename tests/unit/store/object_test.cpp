#include <doctest/doctest.h>

#include <cstring>

#include "store/object.hpp"
#include "store/orders.hpp"
#include "unit/store/sample.hpp"

namespace ksr::store::test {
namespace {

TEST_CASE("an object holds all its strings, each NUL-terminated") {
  Sample made = recent("web", 7, "2024-05-05T00:00:00Z");
  made.body = R"({"kind":"Pod"})";
  const ObjectRef object = ObjectRef::create(made.item());
  CHECK(object->field(Field::json) == made.body);
  CHECK(object->field(Field::uid) == "u-web");
  CHECK(object->field(Field::name_space) == "ns");
  CHECK(object->field(Field::name) == "web");
  CHECK(object->field(Field::resource_version) == "7");
  CHECK(object->field(Field::kind) == "Pod");
  CHECK(object->field(Field::api_version) == "v1");
  CHECK(object->field(Field::creation_timestamp) == "2024-01-01T00:00:00Z");
  CHECK(object->recency() == "2024-05-05T00:00:00Z");
  CHECK(object->json_size() == made.body.size());
  for (const Field field : {Field::json, Field::uid, Field::name_space, Field::name, Field::resource_version,
                            Field::kind, Field::api_version, Field::creation_timestamp}) {
    const std::string_view text = object->field(field);
    CHECK(text.data()[text.size()] == '\0');
    CHECK(std::strlen(text.data()) == text.size());
  }
  CHECK(object->recency().data()[object->recency().size()] == '\0');
}

TEST_CASE("the six pieces of a text are joined in order") {
  const Sample made = sample("a", 1);
  json::Item item = made.item();
  item.text = {"{", "\"a\"", ":", "", "1", "}"};
  CHECK(ObjectRef::create(item)->field(Field::json) == R"({"a":1})");
}

TEST_CASE("keys of any length are held, with and without columns") {
  for (const bool has_columns : {false, true}) {
    for (const std::size_t length : {0u, 1u, 253u, 65'400u, 65'470u, 65'480u, 65'535u, 65'536u, 200'000u}) {
      CAPTURE(length);
      Sample made = recent(std::string(length, 'n'), 7, "2024-05-05T00:00:00Z");
      made.uid = "uid";
      made.has_columns = has_columns;
      made.node = "node-1";
      made.tags = {"x", "y"};
      const ObjectRef object = ObjectRef::create(made.item());
      CHECK(object->name_space() == "ns");
      CHECK(object->name().size() == length);
      CHECK(object->uid() == "uid");
      CHECK(object->resource_version() == "7");
      CHECK(object->field(Field::kind) == "Pod");
      CHECK(object->creation_timestamp() == made.created);
      CHECK(object->recency() == "2024-05-05T00:00:00Z");
      CHECK(object->field(Field::json) == made.body);
      CHECK(object->column_count() == (has_columns ? 2 : 0));
      if (has_columns) CHECK(object->column(0) == "node-1");
      if (has_columns) CHECK(object->column(1) == "x,y");
      if (has_columns) CHECK(object->value(2) == "y");
    }
  }
}

TEST_CASE("one long key changes nothing about what a change is") {
  Sample made = sample(std::string(70'000, 'n'), 1);
  made.body = R"({"v":"1"})";
  for (const json::Sameness sameness : {json::Sameness::version, json::Sameness::text}) {
    made.sameness = sameness;
    made.resource_version = "1";
    const ObjectRef before = ObjectRef::create(made.item());
    Sample later = made;
    later.resource_version = "2";
    later.body = R"({"v":"2"})";
    const ObjectRef after = ObjectRef::create(later.item(), before.get());
    CHECK(before->is_same_but_for_version(*after) == (sameness == json::Sameness::text));
  }
}

TEST_CASE("missing fields are empty strings") {
  json::Item item;
  const ObjectRef object = ObjectRef::create(item);
  for (const Field field : {Field::json, Field::uid, Field::name_space, Field::kind, Field::creation_timestamp}) {
    CHECK(object->field(field).empty());
    CHECK(*object->field(field).data() == '\0');
  }
  CHECK(object->recency().empty());
}

TEST_CASE("a recency that is missing or the creation's own reads as such") {
  Sample made = sample("a", 1);
  CHECK(ObjectRef::create(made.item())->recency() == made.created);
  made.recency = "";
  CHECK(ObjectRef::create(made.item())->recency().empty());
  CHECK(ObjectRef::create(made.item())->field(Field::json) == made.body);
}

TEST_CASE("a later state is the same whether or not it is made with the earlier one at hand") {
  const ObjectRef before = ObjectRef::create(sample("a", 1).item());
  Sample made = sample("a", 2);
  for (const char* recency : {made.created.c_str(), "2031-01-01T00:00:00Z", ""}) {
    made.recency = recency;
    const ObjectRef with = ObjectRef::create(made.item(), before.get());
    const ObjectRef without = ObjectRef::create(made.item());
    CHECK(with->recency_time() == without->recency_time());
    CHECK(with->uid_hash() == without->uid_hash());
    CHECK(with->resource_version() == "2");
  }
}

TEST_CASE("objects are in the order of (namespace, name), however one is the beginning of another") {
  const auto made = [](const char* name_space, const char* name) {
    Sample sample_of_both = sample(name, 1);
    sample_of_both.name_space = name_space;
    return ObjectRef::create(sample_of_both.item());
  };
  const std::vector<ObjectRef> sorted = {made("", "b"),  made("a", "b"),  made("a", "b-c"),      made("a", "bc"),
                                         made("a-", ""), made("ab", "a"), made("ab", "\xc3\xa4")};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    for (std::size_t j = 0; j < sorted.size(); ++j) {
      const int order = compare_names(*sorted[i], *sorted[j]);
      CHECK((order < 0) == (i < j));
      CHECK((order == 0) == (i == j));
      CHECK((order < 0) == (compare_names(*sorted[i], sorted[j]->name_space(), sorted[j]->name()) < 0));
      CHECK(same_name(*sorted[i], *sorted[j]) == (i == j));
    }
  }
}

TEST_CASE("an unknown field number reads as empty") {
  const ObjectRef object = ObjectRef::create(sample("a", 1).item());
  CHECK(object->field(static_cast<Field>(99)).empty());
}

TEST_CASE("references are counted") {
  ObjectRef first = ObjectRef::create(sample("a", 1).item());
  const ObjectRef second = first;
  ObjectRef moved = std::move(first);
  moved = second;
  ObjectRef& alias = moved;
  moved = alias;
  moved = ObjectRef();
  second.get()->retain();
  second.get()->release();
  CHECK(second->name() == "a");
  CHECK_FALSE(ObjectRef());
}

}  // namespace
}  // namespace ksr::store::test
