#include "protobuf/list_reader.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "unit/json/recorder.hpp"
#include "unit/protobuf/messages.hpp"

using namespace ksr;
using namespace ksr::protobuf;
using json::testing::ListLog;

namespace {

struct Run {
  std::vector<std::string> lines;
  std::string error;
  Status status = Status::ok;
  json::ListMeta meta;
};

Run read(const std::string& body, std::size_t chunk = 1 << 30, const json::ReaderOptions& options = {},
         const Schema& schema = built_in_schema()) {
  ListLog log;
  ListReader reader(options, log, schema);
  Run run;
  const auto fed = json::testing::feed_in_chunks(reader, body, chunk);
  const auto meta = reader.finish();
  if (meta) run.meta = *meta;
  const Error* const error = fed ? meta.if_error() : fed.if_error();
  if (error != nullptr) {
    run.status = error->status;
    run.error = error->message;
    // It stays in error.
    CHECK_FALSE(reader.feed("x"));
    CHECK_FALSE(reader.finish());
  }
  run.lines = log.lines;
  return run;
}

const std::string kItem = bytes_field(2, config_map("a", "7", map_entry(2, "k", "v")));
const std::string kLine =
    R"(uid-a|ns|a|7|ConfigMap|v1|2026-01-02T03:04:05Z|2026-01-02T03:04:05Z| )"
    R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"ns","uid":"uid-a","resourceVersion":"7",)"
    R"("creationTimestamp":"2026-01-02T03:04:05Z"},"data":{"k":"v"}})";

}  // namespace

TEST_CASE("a list in protobuf, in pieces of every size") {
  const std::string body = list_body(list_meta("99", "next") + kItem +
                                     bytes_field(2, config_map("b", "8", map_entry(3, "x", "\x01"))) + kItem);
  const Run whole = read(body);
  CHECK(whole.error == "");
  CHECK(whole.meta.kind == "ConfigMapList");
  CHECK(whole.meta.api_version == "v1");
  CHECK(whole.meta.resource_version == "99");
  CHECK(whole.meta.continue_token == "next");
  REQUIRE(whole.lines.size() == 3);
  CHECK(whole.lines[0] == kLine);
  for (std::size_t chunk = 1; chunk < body.size(); ++chunk) {
    const Run run = read(body, chunk);
    CHECK(run.error == "");
    CHECK(run.lines == whole.lines);
    CHECK(run.meta.continue_token == "next");
  }
}

TEST_CASE("a list cut at any place is not whole") {
  const std::string body = list_body(list_meta("99") + kItem + kItem);
  // Where the list ends; two empty fields follow.
  const std::size_t end = body.size() - 4;
  for (std::size_t cut = 0; cut < body.size(); ++cut) {
    const Run run = read(body.substr(0, cut), 7);
    const bool between = cut == end || cut == end + 2;
    CHECK_MESSAGE((run.status == Status::ok) == between, cut);
    if (!between) CHECK(run.status == Status::protocol);
  }
  CHECK(read("").error == "expected a list, got nothing");
}

TEST_CASE("metadata may come last, and members that are not known do not matter") {
  const Run run = read(list_body(kItem + number_field(9, 1) + bytes_field(8, "x") + list_meta("99")));
  CHECK(run.error == "");
  CHECK(run.lines.size() == 1);
  CHECK(run.meta.resource_version == "99");
  CHECK(read(list_body("")).error == "");
  CHECK(read(list_body(bytes_field(1, bytes_field(2, "1") + bytes_field(9, "x") + number_field(4, 3)))).error == "");
}

TEST_CASE("the part of the resource that the server has made the list of") {
  const auto selector_in = [](const std::string& info) {
    return read(list_body(bytes_field(1, bytes_field(2, "7") + info) + kItem));
  };
  CHECK(selector_in("").meta.shard_selector == "");
  CHECK(selector_in(bytes_field(5, bytes_field(1, "shardRange(x)"))).meta.shard_selector == "shardRange(x)");
  CHECK(
      selector_in(bytes_field(5, number_field(2, 1) + bytes_field(1, "s") + bytes_field(3, "x"))).meta.shard_selector ==
      "s");
  CHECK(selector_in(bytes_field(5, "")).meta.shard_selector == "");
  CHECK(selector_in(bytes_field(5, number_field(1, 1))).error.find("shardInfo.selector is not a text") !=
        std::string::npos);
  CHECK(selector_in(bytes_field(5, bytes_field(1, "\xff"))).error.find("shardInfo.selector is not a text") !=
        std::string::npos);
  CHECK(selector_in(bytes_field(5, "\x0a\x7f")).error.find("shardInfo is not valid protobuf") != std::string::npos);
}

TEST_CASE("objects that are computed have a uid of their own") {
  const std::string item = bytes_field(1, bytes_field(1, "scheduler") + bytes_field(5, "") + bytes_field(6, ""));
  const Run run = read(list_body(bytes_field(2, item), "ComponentStatusList"));
  REQUIRE(run.lines.size() == 1);
  CHECK(run.lines[0].find("/scheduler||scheduler||ComponentStatus|v1|||") == 0);
}

TEST_CASE("metadata alone, of objects of any kind") {
  const Run run = read(
      list_body(list_meta("1") + bytes_field(2, object_meta("w", "2")), "PartialObjectMetadataList", "meta.k8s.io/v1"));
  CHECK(run.error == "");
  REQUIRE(run.lines.size() == 1);
  CHECK(run.lines[0].find(R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"w",)") !=
        std::string::npos);
}

TEST_CASE("the time by which events are ordered") {
  // core/v1 Event {1 metadata, 7 lastTimestamp, 10 eventTime, 11 series {2 lastObservedTime}}
  const auto time = [](std::uint64_t seconds) { return number_field(1, seconds); };
  const auto recency = [](const std::string& more) {
    const Run run = read(list_body(bytes_field(2, object_meta("e", "1") + more), "EventList"));
    REQUIRE(run.lines.size() == 1);
    const std::size_t begin = run.lines[0].find("05Z|") + 4;
    return run.lines[0].substr(begin, run.lines[0].find('|', begin) - begin);
  };
  CHECK(recency("") == "2026-01-02T03:04:05Z");
  CHECK(recency(bytes_field(10, time(3))) == "1970-01-01T00:00:03.000000Z");
  CHECK(recency(bytes_field(10, time(3)) + bytes_field(11, bytes_field(2, time(2)))) == "1970-01-01T00:00:02.000000Z");
  CHECK(recency(bytes_field(7, time(1)) + bytes_field(10, time(3)) + bytes_field(11, bytes_field(2, time(2)))) ==
        "1970-01-01T00:00:01Z");
  CHECK(recency(bytes_field(7, "") + bytes_field(10, "")) == "2026-01-02T03:04:05Z");
}

TEST_CASE("what JSON has to be asked for instead") {
  for (const std::string& body : {
           list_body(list_meta("1"), "WidgetList", "example.com/v1"),
           list_body(kItem + bytes_field(2, config_map("b", "8", number_field(77, 1)))),
           list_body(kItem + bytes_field(2, config_map("b", "8", bytes_field(4, "")))),
           list_body(kItem + number_field(2, 1)),
           std::string("k8s\0", 4) + bytes_field(1, bytes_field(1, "v1") + bytes_field(2, "PodList")) +
               number_field(9, 1),
           std::string("k8s\0", 4) + bytes_field(1, bytes_field(1, "v1") + bytes_field(2, "PodList")) +
               bytes_field(2, "") + bytes_field(3, "gzip"),
           std::string("k8s\0", 4) + bytes_field(2, kItem),
       }) {
    const Run run = read(body, 5);
    CHECK_MESSAGE(run.status == Status::unsupported, run.error);
    CHECK(run.lines.size() <= 1);
  }
  // A table without a field: nothing of the object that has it is shown.
  const Schema& known = built_in_schema();
  std::vector<NumberRow> numbers(known.numbers, known.numbers + known.number_count);
  Schema schema = known;
  schema.numbers = numbers.data();
  numbers[known.messages[known.find("v1", "ConfigMap")->message].numbers + 3] = {};
  const Run run =
      read(list_body(kItem + bytes_field(2, config_map("b", "8", map_entry(3, "x", "y")))), 1 << 20, {}, schema);
  CHECK(run.status == Status::unsupported);
  CHECK(run.lines == std::vector<std::string>{kLine});
}

TEST_CASE("what is no list") {
  CHECK(read(R"({"kind":"PodList"})").status == Status::protocol);
  CHECK(read(enveloped("v1", "Status", "")).error.find("expected a list, got kind \"Status\"") != std::string::npos);
  CHECK(
      read(enveloped("v1", "ConfigMap", config_map("a", "1"))).error.find("expected a list, got kind \"ConfigMap\"") !=
      std::string::npos);
  CHECK(read(list_body(bytes_field(2, "\x0a"))).error.find("item 1 at byte ") == 0);
  CHECK(read(list_body(bytes_field(2, config_map("", "1")))).error.find("metadata.uid is missing") !=
        std::string::npos);
  CHECK(read(list_body(bytes_field(2, config_map(std::string("a\0b", 3), "1")))).error.find("NUL") !=
        std::string::npos);
  CHECK(read(list_body(bytes_field(1, bytes_field(3, "\xff")))).status == Status::protocol);
  CHECK(read(list_body("\x12\x7f")).status == Status::protocol);
  CHECK(read(list_body("\x0f")).status == Status::protocol);
  const std::string body = list_body(kItem);
  CHECK(read(body + body.substr(4)).status == Status::protocol);
}

TEST_CASE("limits") {
  json::ReaderOptions options;
  options.max_object_size = 300;
  const std::string large = bytes_field(2, config_map("b", "8", map_entry(2, "k", std::string(400, 'x'))));
  const std::string body = list_body(list_meta("1") + kItem + large);
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{64}, body.size()}) {
    const Run run = read(body, chunk, options);
    CHECK(run.status == Status::too_large);
    CHECK(run.error.find("item 2 ") == 0);
    CHECK(run.lines.size() == 1);
  }
  // Small in protobuf, and large in JSON.
  const Run run = read(list_body(bytes_field(2, config_map("b", "8", map_entry(2, "k", std::string(100, '\x01'))))),
                       1 << 20, options);
  CHECK(run.status == Status::too_large);
  CHECK(run.error.find("item 1 (ns/b) ") == 0);
  options.max_depth = 2;
  CHECK(read(list_body(kItem), 1 << 20, options).status == Status::ok);
  // What is nested deeper is skipped.
  options.max_depth = 1;
  const Run skipped = read(list_body(list_meta("1") + kItem), 1 << 20, options);
  CHECK(skipped.status == Status::ok);
  REQUIRE(skipped.lines.size() == 1);
  CHECK(skipped.lines[0].find("BAD -23 item 1 at byte ") == 0);
  CHECK(skipped.lines[0].find(": is nested deeper than 1 levels") != std::string::npos);
}
