#include <doctest/doctest.h>

#include "unit/json/recorder.hpp"

namespace ksr::json::testing {
namespace {

std::string pod_list(const std::string& items) {
  return R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"10"},"items":[)" + items + "]}\n";
}

constexpr char kPod[] = R"({"metadata":{"name":"a","namespace":"d","uid":"u1","resourceVersion":"7"},"spec":{}})";

TEST_CASE("a typed list: its items are given the kind they leave out") {
  const ListRun run = read_list(pod_list(kPod));
  CHECK(run.error == "");
  REQUIRE(run.lines.size() == 1);
  CHECK(run.lines[0] ==
        R"(u1|d|a|7|Pod|v1||| {"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"d","uid":"u1",)"
        R"("resourceVersion":"7"},"spec":{}})");
  CHECK(run.meta.kind == "PodList");
  CHECK(run.meta.api_version == "v1");
  CHECK(run.meta.resource_version == "10");
  CHECK(run.meta.continue_token == "");
}

TEST_CASE("a custom resource list: members in alphabetical order, items with a kind of their own") {
  const ListRun run = read_list(
      R"({"apiVersion":"x.io/v1","items":[{"apiVersion":"x.io/v1","kind":"Foo","metadata":{"name":"a","uid":"u",)"
      R"("resourceVersion":"7","creationTimestamp":"2026-01-01T00:00:00Z"}}],"kind":"FooList","metadata":{)"
      R"("continue":"tok\u0065n","remainingItemCount":42,"resourceVersion":"9","shardInfo":{"selector":"x"}}})");
  CHECK(run.error == "");
  REQUIRE(run.lines.size() == 1);
  CHECK(run.lines[0] ==
        R"(u||a|7|Foo|x.io/v1|2026-01-01T00:00:00Z|2026-01-01T00:00:00Z| {"apiVersion":"x.io/v1","kind":"Foo",)"
        R"("metadata":{"name":"a","uid":"u","resourceVersion":"7","creationTimestamp":"2026-01-01T00:00:00Z"}})");
  CHECK(run.meta.kind == "FooList");
  CHECK(run.meta.continue_token == "token");
  CHECK(run.meta.resource_version == "9");
  CHECK(run.meta.shard_selector == "x");
}

TEST_CASE("the part of the resource that the server has made the list of") {
  const auto read_with = [](const std::string& info) {
    return read_list(R"({"kind":"PodList","apiVersion":"v1","metadata":{)" + info +
                     R"("resourceVersion":"9"},"items":[]})");
  };
  const auto selector_in = [&](const std::string& info) {
    const ListRun run = read_with(info);
    CHECK(run.error == "");
    CHECK(run.meta.resource_version == "9");
    return run.meta.shard_selector;
  };
  CHECK(selector_in("") == "");
  CHECK(selector_in(R"("shardInfo":{"selector":"a\u0027b"},)") == "a'b");
  CHECK(selector_in(R"("shard\u0049nfo":{"more":{"selector":"no"},"selector":"s","resourceVersion":"1"},)") == "s");
  CHECK(selector_in(R"("shardInfo":{},)") == "");
  CHECK(selector_in(R"("shardInfo":null,)") == "");
  CHECK(selector_in(R"("shardInfo":"selector",)") == "");
  CHECK(selector_in(R"("shardInfo":["selector",{"selector":"s"}],)") == "");
  CHECK(selector_in(R"("shardInfo":{"selector":null},)") == "");
  CHECK(selector_in(R"("shardInfo":{"selector":{"selector":"s"}},)") == "");
  CHECK(selector_in(R"("other":{"selector":"s"},)") == "");
  // The last of two equal members wins.
  CHECK(selector_in(R"("shardInfo":{"selector":"a"},"shardInfo":{},)") == "");
  CHECK(selector_in(R"("shardInfo":{"selector":"a","selector":"b"},)") == "b");
  CHECK(read_with(R"("shardInfo":{"selector":"\u0000"},)").error.find("metadata.shardInfo.selector contains a NUL") !=
        std::string::npos);
}

TEST_CASE("untyped items wait for a kind that comes after them, in order") {
  const std::string items =
      std::string("[") + kPod + "," +
      R"({"kind":"Own","apiVersion":"o/v1","metadata":{"name":"b","uid":"u2","resourceVersion":"8"}},)"
      R"({"kind":"Half","metadata":{"name":"c","uid":"u3","resourceVersion":"9"}}])";
  for (const std::string& list : {R"({"items":)" + items + R"(,"kind":"PodList","apiVersion":"v1"})",
                                  R"({"apiVersion":"v1","items":)" + items + R"(,"kind":"PodList"})",
                                  R"({"kind":"PodList","items":)" + items + R"(,"metadata":{},"apiVersion":"v1"})"}) {
    const ListRun run = read_list(list);
    CHECK(run.error == "");
    REQUIRE(run.texts.size() == 3);
    CHECK(run.texts[0].find(R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a")") == 0);
    CHECK(run.texts[1].find(R"({"kind":"Own","apiVersion":"o/v1","metadata")") == 0);
    CHECK(run.texts[2].find(R"({"apiVersion":"v1","kind":"Half","metadata")") == 0);
  }
}

TEST_CASE("the untyped items that wait are bounded") {
  ReaderOptions options;
  options.max_object_size = 2000;
  std::string items = kPod;
  for (int i = 0; i < 30; ++i) items += std::string(",") + kPod;
  const ListRun run = read_list(R"({"items":[)" + items + R"(],"kind":"PodList","apiVersion":"v1"})", options);
  CHECK(run.error.find("-23 the list's kind and apiVersion come after more than 2000 bytes") == 0);
  CHECK(read_list(R"({"kind":"PodList","apiVersion":"v1","items":[)" + items + "]}", options).lines.size() == 31);
}

TEST_CASE("empty lists") {
  CHECK(read_list(R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]})").error == "");
  const ListRun null =
      read_list(R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":null})");
  CHECK(null.error == "");
  CHECK(null.lines.empty());
  CHECK(null.meta.resource_version == "1");
}

TEST_CASE("metadata that is null is empty") {
  const ListRun run = read_list(
      R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":null,"continue":null},"items":[]})");
  CHECK(run.error == "");
  CHECK(run.meta.resource_version == "");
  CHECK(run.meta.continue_token == "");
  const ListRun twice = read_list(
      R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":null,"resourceVersion":"5"},"items":[]})");
  CHECK(twice.meta.resource_version == "5");
}

TEST_CASE("a pretty-printed list") {
  const ListRun run = read_list(
      "{\n  \"kind\": \"PodList\",\n\t\"apiVersion\" :\r\n \"v1\",\n  \"metadata\": {\n    \"resourceVersion\": \"3\"\n"
      "  },\n  \"items\": [\n    {\n      \"metadata\": {\n        \"name\": \"a\",\n        \"uid\": \"u\",\n"
      "        \"managedFields\": [ { \"a\": 1 } ],\n        \"resourceVersion\": \"5\"\n      }\n    }\n  ]\n}\n");
  CHECK(run.error == "");
  REQUIRE(run.texts.size() == 1);
  CHECK(run.texts[0] ==
        "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\n      \"metadata\": {\n        \"name\": \"a\",\n        \"uid\": "
        "\"u\",\n        \"resourceVersion\": \"5\"\n      }\n    }");
}

TEST_CASE("keys and values written with escapes are understood") {
  const ListRun run = read_list(
      R"({"\u006bind":"Pod\u004cist","api\u0056ersion":"v1","it\u0065ms":[{"m\u0065tadata":{"\u006eame":"\u0061\n",)"
      R"("\u0075id":"u\"","r\u0065sourceVersion":"\u0037","m\u0061nagedFields":[1],"namespac\u0065":"\ud83d\ude00"}}],)"
      R"("m\u0065tadata":{"r\u0065sourceVersion":"1"}})");
  CHECK(run.error == "");
  REQUIRE(run.lines.size() == 1);
  CHECK(run.lines[0].find("u\"|\xf0\x9f\x98\x80|a\n|7|Pod|v1|||") == 0);
  CHECK(run.texts[0].find("nagedFields") == std::string::npos);
  CHECK(run.meta.resource_version == "1");
}

TEST_CASE("of equal keys the last wins") {
  const ListRun run = read_list(pod_list(
      R"({"metadata":{"uid":"x","namespace":"gone"},"kind":"A","kind":"B","metadata":{"uid":"1","uid":"u","name":"n",)"
      R"("resourceVersion":"7","name":"m"}})"));
  CHECK(run.error == "");
  REQUIRE(run.lines.size() == 1);
  CHECK(run.lines[0].find("u||m|7|B|v1|||") == 0);
  CHECK(read_list(R"({"kind":"AList","kind":"PodList","apiVersion":"v2","apiVersion":"v1","metadata":{)"
                  R"("resourceVersion":"1","continue":"c"},"metadata":{"resourceVersion":"2"},"items":[]})")
            .meta.resource_version == "2");
}

TEST_CASE("which timestamp makes an object recent") {
  const auto recency = [](const std::string& members) {
    const ListRun run = read_list(pod_list(
        R"({"metadata":{"name":"a","uid":"u","resourceVersion":"7","creationTimestamp":"c"})" + members + "}"));
    CHECK(run.error == "");
    const std::string& line = run.lines.at(0);
    const std::string head = "u||a|7|Pod|v1|c|";
    CHECK(line.find(head) == 0);
    return line.substr(head.size(), line.find('|', head.size()) - head.size());
  };
  CHECK(recency("") == "c");
  CHECK(recency(R"(,"eventTime":"e")") == "e");
  CHECK(recency(R"(,"eventTime":"e","series":{"count":3,"lastObservedTime":"s"})") == "s");
  CHECK(recency(R"(,"lastTimestamp":"l","eventTime":"e","series":{"lastObservedTime":"s"})") == "l");
  CHECK(recency(R"(,"lastTimestamp":null,"eventTime":null,"series":null)") == "c");
  CHECK(recency(R"(,"lastTimestamp":"","eventTime":"\u0065")") == "e");
  CHECK(recency(R"(,"lastTimestamp":5,"eventTime":{},"series":[{"lastObservedTime":"s"}])") == "c");
  CHECK(recency(R"(,"series":{"lastObservedTime":"s"},"series":{})") == "c");
  CHECK(recency(R"(,"spec":{"lastTimestamp":"x","series":{"lastObservedTime":"y"}})") == "c");
}

TEST_CASE("null, as servers write for what is not set") {
  const ListRun run = read_list(pod_list(
      R"({"metadata":{"name":"a","uid":"u","resourceVersion":"7","namespace":null,"creationTimestamp":null}})"));
  CHECK(run.error == "");
  CHECK(run.lines.at(0).find("u||a|7|Pod|v1|||") == 0);
}

TEST_CASE("an item in one buffer is passed on without a copy") {
  struct Places : ListObserver {
    std::string_view list;
    int inside = 0;
    void on_item(const Item& item) override {
      for (const std::string_view view : {item.uid, item.name, item.resource_version, item.text[0], item.text[2]}) {
        inside += view.data() >= list.data() && view.data() + view.size() <= list.data() + list.size() ? 1 : 0;
      }
    }
    void on_bad_item(const Error&) override {}
  } places;
  const std::string list = pod_list(kPod);
  places.list = list;
  ListReader reader({}, places);
  CHECK(reader.feed(list));
  CHECK(places.inside == 5);
}

TEST_CASE("a reader may be moved between two feeds") {
  const std::string list = pod_list(kPod);
  ListLog log;
  ListReader first({}, log);
  CHECK(first.feed(std::string_view(list).substr(0, 100)));
  ListReader second = std::move(first);
  CHECK(second.feed(std::string_view(list).substr(100)));
  CHECK(second.finish());
  CHECK(log.lines.size() == 1);
}

TEST_CASE("a list is what has items, whatever its kind; where that does not name theirs, discovery or they do") {
  const std::string own =
      R"({"kind":"Widget","apiVersion":"x/v1","metadata":{"name":"a","uid":"u","resourceVersion":"1"}})";
  const std::string none = R"({"metadata":{"name":"a","uid":"u","resourceVersion":"1"}})";
  const auto list = [](const std::string& item) {
    return R"({"kind":"WidgetCollection","apiVersion":"x/v1","metadata":{"resourceVersion":"7"},"items":[)" + item +
           "]}";
  };
  const ListRun run = read_list(list(own));
  CHECK(run.error == "");
  REQUIRE(run.lines.size() == 1);
  CHECK(run.lines[0].find("|Widget|x/v1|") != std::string::npos);
  CHECK(read_list(list(none)).error.find("a list of kind \"WidgetCollection\" does not give one") != std::string::npos);
  ReaderOptions options;
  options.item_kind = "Widget";
  const ListRun discovered = read_list(list(none), options);
  CHECK(discovered.error == "");
  REQUIRE(discovered.lines.size() == 1);
  CHECK(discovered.lines[0].find("|Widget|x/v1|") != std::string::npos);
}

TEST_CASE("an item without resourceVersion; and one without a uid as well, which its name stands for") {
  const auto line = [](const std::string& metadata) {
    const ListRun run = read_list(R"({"kind":"PodList","apiVersion":"v1","items":[{"metadata":)" + metadata + "}]}");
    CHECK(run.error == "");
    return run.lines.empty() ? std::string() : run.lines[0];
  };
  CHECK(line(R"({"name":"a","namespace":"d","uid":"u"})").find("u|d|a||Pod|v1|") == 0);
  CHECK(line(R"({"name":"a","namespace":"d"})").find("d/a|d|a||Pod|v1|") == 0);
  CHECK(line(R"({"name":"\u0061b","creationTimestamp":null})").find("/ab||ab||Pod|v1|") == 0);
}

}  // namespace
}  // namespace ksr::json::testing
