#include "protobuf/watch_reader.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "unit/json/recorder.hpp"
#include "unit/protobuf/messages.hpp"

using namespace ksr;
using namespace ksr::protobuf;
using json::testing::WatchLog;

namespace {

struct WatchRun {
  std::vector<std::string> lines;
  std::string error;
  Status status = Status::ok;
  bool at_boundary = false;
  std::size_t possible_deletions = 0;
};

WatchRun read_watch(const std::string& bytes, std::size_t chunk = 1 << 30, const json::ReaderOptions& options = {},
                    const Schema& schema = built_in_schema()) {
  WatchLog log;
  WatchReader reader(options, Framing::lengths, log, schema);
  WatchRun run;
  const auto fed = json::testing::feed_in_chunks(reader, bytes, chunk);
  if (!fed) {
    run.status = fed.error().status;
    run.error = fed.error().message;
    CHECK_FALSE(reader.feed("x"));
  }
  run.at_boundary = reader.at_boundary();
  run.lines = log.lines;
  run.possible_deletions = log.possible_deletions;
  return run;
}

WatchRun read_messages(const std::vector<std::string>& messages, std::size_t chunk = 1 << 30) {
  WatchLog log;
  WatchReader reader({}, Framing::messages, log);
  WatchRun run;
  for (const std::string& message : messages) {
    auto fed = json::testing::feed_in_chunks(reader, message, chunk);
    if (fed) fed = reader.end_message();
    if (fed) continue;
    run.status = fed.error().status;
    run.error = fed.error().message;
    break;
  }
  run.at_boundary = reader.at_boundary();
  run.lines = log.lines;
  return run;
}

std::string object(const std::string& name, const std::string& version, const std::string& members = {}) {
  return enveloped("v1", "ConfigMap", config_map(name, version, members));
}

std::string bookmark(const std::string& version, const std::string& annotations) {
  const std::string meta = bytes_field(1, "") + bytes_field(6, version) + annotations;
  return enveloped("v1", "ConfigMap", bytes_field(1, meta));
}

std::string status(std::uint64_t code, const std::string& reason) {
  return enveloped("v1", "Status",
                   bytes_field(1, "") + bytes_field(2, "Failure") + bytes_field(3, "too old") + bytes_field(4, reason) +
                       number_field(6, code) + number_field(77, 1));
}

// All that a watch has.
const std::vector<std::string> kMessages = {
    watch_event("ADDED", object("a", "1", map_entry(2, "k", "v"))),
    watch_event("MODIFIED", object("a", "2")),
    watch_event("BOOKMARK", bookmark("3", "")),
    watch_event("BOOKMARK", bookmark("4", map_entry(12, "k8s.io/initial-events-end", "true"))),
    watch_event("DELETED", object("a", "5")),
    watch_event("NEWS", object("a", "6")),
    watch_event("ERROR", status(410, "Expired")),
};

std::string over_http(const std::vector<std::string>& messages) {
  std::string bytes;
  for (const std::string& message : messages) bytes += framed(message);
  return bytes;
}

}  // namespace

TEST_CASE("a watch over HTTP, in pieces of every size") {
  const std::string bytes = over_http(kMessages);
  const WatchRun whole = read_watch(bytes);
  CHECK(whole.error == "");
  CHECK(whole.at_boundary);
  REQUIRE(whole.lines.size() == 7);
  CHECK(whole.lines[0] ==
        R"(ADDED uid-a|ns|a|1|ConfigMap|v1|2026-01-02T03:04:05Z|2026-01-02T03:04:05Z| )"
        R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"ns","uid":"uid-a",)"
        R"("resourceVersion":"1","creationTimestamp":"2026-01-02T03:04:05Z"},"data":{"k":"v"}})");
  CHECK(whole.lines[1].find("MODIFIED uid-a|ns|a|2|") == 0);
  CHECK(whole.lines[2] == "BOOKMARK 3");
  CHECK(whole.lines[3] == "BOOKMARK 4 end");
  CHECK(whole.lines[4].find("DELETED uid-a|ns|a|5|") == 0);
  CHECK(whole.lines[5] == "UNKNOWN NEWS");
  CHECK(whole.lines[6] == "ERROR 410 Expired too old");
  for (std::size_t chunk = 1; chunk < bytes.size(); chunk += chunk < 300 ? 1 : 97) {
    const WatchRun run = read_watch(bytes, chunk);
    CHECK(run.lines == whole.lines);
    CHECK_MESSAGE(run.at_boundary, chunk);
  }
  const std::size_t first = framed(kMessages[0]).size();
  for (std::size_t cut = 1; cut < first; ++cut) {
    const WatchRun run = read_watch(bytes.substr(0, cut));
    CHECK_FALSE(run.at_boundary);
    CHECK(run.error == "");
  }
}

TEST_CASE("a watch over WebSocket is the same, a message an event") {
  const WatchRun http = read_watch(over_http(kMessages));
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{3}, std::size_t{1} << 20}) {
    const WatchRun run = read_messages(kMessages, chunk);
    CHECK(run.error == "");
    CHECK(run.lines == http.lines);
    CHECK(run.at_boundary);
  }
  CHECK(read_messages({""}).error == "");
  const WatchRun cut = read_messages({kMessages[0].substr(0, 20)});
  CHECK(cut.status == Status::protocol);
  CHECK(cut.lines.empty());
}

TEST_CASE("the type may come after the object") {
  const std::string object_first = bytes_field(2, bytes_field(1, object("a", "1"))) + bytes_field(1, "ADDED");
  const WatchRun expected = read_watch(framed(watch_event("ADDED", object("a", "1"))));
  for (std::size_t chunk = 1; chunk < 40; ++chunk)
    CHECK(read_watch(framed(object_first), chunk).lines == expected.lines);
  CHECK(read_messages({object_first}).lines == expected.lines);
}

TEST_CASE("bad events are dropped, and the watch goes on") {
  const std::string good = watch_event("MODIFIED", object("b", "2"));
  for (const std::string& bad : {
           std::string(),
           std::string("\x07"),
           std::string("\x0a\x7f"),
           bytes_field(1, "ADDED"),
           bytes_field(2, bytes_field(1, object("a", "1"))),
           watch_event("ADDED", ""),
           watch_event("ADDED", object("", "1")),
           bytes_field(1, "ADDED") + bytes_field(2, "\x0a\x50x"),
           number_field(1, 3),
           bytes_field(1, "ADDED") + number_field(2, 3),
           watch_event("ADDED", enveloped("v1", "ConfigMap", "\x0a\x50")),
           watch_event("ADDED", std::string("k8s\0\x0a", 5)),
           bytes_field(1, std::string(100000, 'x')),
       }) {
    CAPTURE(bad);
    const std::string bytes = framed(bad) + framed(good);
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{5}, bytes.size()}) {
      const WatchRun run = read_watch(bytes, chunk);
      CHECK(run.error == "");
      REQUIRE(run.lines.size() == 2);
      CHECK(run.lines[0].find("BAD " + std::to_string(static_cast<int>(Status::protocol)) + " event 1") == 0);
      CHECK(run.lines[1].find("MODIFIED uid-b|") == 0);
      CHECK(run.at_boundary);
    }
  }
  CHECK(read_watch(framed(watch_event("ADDED", object("", "1")))).lines[0].find("metadata.uid is missing") !=
        std::string::npos);
}

TEST_CASE("an object that is too large is dropped, wherever it is cut") {
  json::ReaderOptions options;
  options.max_object_size = 400;
  const std::string large = watch_event("ADDED", object("a", "1", map_entry(2, "k", std::string(500, 'x'))));
  const std::string huge = watch_event("ADDED", object("a", "1", map_entry(2, "k", std::string(100000, 'x'))));
  // Small in protobuf, and large in JSON.
  const std::string grows = watch_event("ADDED", object("a", "1", map_entry(2, "k", std::string(200, '\x01'))));
  const std::string good = watch_event("MODIFIED", object("b", "2"));
  for (const std::string& event : {large, huge, grows}) {
    const std::string bytes = framed(event) + framed(good);
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{100}, bytes.size()}) {
      const WatchRun run = read_watch(bytes, chunk, options);
      CHECK(run.error == "");
      REQUIRE(run.lines.size() == 2);
      CHECK(run.lines[0].find("BAD " + std::to_string(static_cast<int>(Status::too_large)) + " event 1") == 0);
      CHECK(run.lines[1].find("MODIFIED uid-b|") == 0);
      CHECK(run.possible_deletions == 0);
    }
  }
  for (const std::size_t size : {std::size_t{500}, std::size_t{100000}}) {
    const std::string deleted = watch_event("DELETED", object("a", "1", map_entry(2, "k", std::string(size, 'x'))));
    CHECK(read_watch(framed(deleted) + framed(good), 1 << 20, options).possible_deletions == 1);
  }
  options.max_object_size = 100000;
  options.max_depth = 1;
  CHECK(read_watch(framed(good), 1 << 20, options).lines[0].find("BAD") == 0);
}

TEST_CASE("an object that is nested too deep is dropped; its deletion is told") {
  const auto revision = [](std::size_t depth) {
    const std::string data = std::string(depth, '[') + std::string(depth, ']');
    return enveloped("apps/v1", "ControllerRevision",
                     object_meta("a", "1") + bytes_field(2, bytes_field(1, data)) + number_field(3, 1));
  };
  const std::string good = framed(watch_event("MODIFIED", object("b", "2")));
  CHECK(read_watch(framed(watch_event("ADDED", revision(511)))).lines[0].find("ADDED uid-a|") == 0);
  for (const std::size_t chunk : {1, 100, 100000}) {
    const WatchRun run = read_watch(framed(watch_event("ADDED", revision(512))) + good, chunk);
    CHECK(run.error == "");
    REQUIRE(run.lines.size() == 2);
    CHECK(run.lines[0] == "BAD -23 event 1 (ns/a) at byte 0: is nested deeper than 512 levels");
    CHECK(run.possible_deletions == 0);
    const WatchRun deleted = read_watch(framed(watch_event("DELETED", revision(600))) + good, chunk);
    REQUIRE(deleted.lines.size() == 2);
    CHECK(deleted.lines[0].find("DELETED uid-a|ns|a|1|ControllerRevision|apps/v1|") == 0);
  }
}

TEST_CASE("what JSON has to be asked for instead: the event is not shown, nor any after it") {
  const std::string good = watch_event("MODIFIED", object("b", "2"));
  const std::string unknown_field = object("a", "1", number_field(99, 1));
  for (const std::string& bad : {
           watch_event("ADDED", unknown_field),
           watch_event("DELETED", unknown_field),
           watch_event("ADDED", enveloped("example.com/v1", "Widget", "")),
           watch_event("BOOKMARK", enveloped("example.com/v1", "Widget", "")),
           watch_event("ADDED", enveloped("v1", "ConfigMapList", "")),
           watch_event("ADDED", R"({"kind":"ConfigMap"})"),
           watch_event("ADDED", object("a", "1") + bytes_field(3, "gzip")),
           bytes_field(1, "ADDED") + bytes_field(2, bytes_field(1, object("a", "1")) + bytes_field(2, "x")),
       }) {
    const WatchRun run = read_watch(framed(good) + framed(bad) + framed(good), 11);
    CHECK_MESSAGE(run.status == Status::unsupported, run.error);
    CHECK(run.error.find("event 2 at byte ") == 0);
    REQUIRE(run.lines.size() == 1);
    CHECK(run.lines[0].find("MODIFIED uid-b|") == 0);
  }
  const WatchRun run = read_messages({good, watch_event("ADDED", unknown_field), good});
  CHECK(run.status == Status::unsupported);
  CHECK(run.lines.size() == 1);
}

TEST_CASE("text that is no watch in protobuf") {
  const WatchRun run = read_watch(R"({"type":"ADDED","object":{}})");
  CHECK(run.status == Status::protocol);
  CHECK(run.lines.empty());
  CHECK(read_watch(framed(watch_event("ERROR", R"({"kind":"Status","apiVersion":"v1","metadata":{},"code":410})")))
            .lines[0] == "ERROR 410  ");
  CHECK(read_watch(framed(watch_event("ERROR", "?"))).lines[0] ==
        "ERROR 0  the server sent an ERROR event without a Status");
}
