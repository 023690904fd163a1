#include <doctest/doctest.h>

#include "unit/json/recorder.hpp"

namespace ksr::json::testing {
namespace {

std::string pod(const std::string& uid, const std::string& version = "7") {
  return R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"d","uid":")" + uid +
         R"(","resourceVersion":")" + version + R"("}})";
}

std::string event(const std::string& type, const std::string& object) {
  return R"({"type":")" + type + R"(","object":)" + object + "}";
}

TEST_CASE("the types of events") {
  const WatchRun run = read_watch(
      event("ADDED", pod("1")) + "\n" + event("MODIFIED", pod("2")) + event("DELETED", pod("3")) + "\n\r\n \t" +
      event("BOOKMARK",
            R"({"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"12746","creationTimestamp":null},)"
            R"("spec":{"containers":null},"status":{}})") +
      event("BOOKMARK", R"({"kind":"Pod","metadata":{"resourceVersion":"12747","annotations":{)"
                        R"("k8s.io/initial-events-end":"true"}}})") +
      event("BOOKMARK", R"({"metadata":{"resourceVersion":"5","annotations":{"k8s.io/initial-events-end":"false"}}})") +
      event("BOOKMARK", R"({"metadata":{"resourceVersion":"5","annotations":{"k8s.io/initial-events-end":true}}})") +
      event("BOOKMARK", "{}") +
      event("ERROR",
            R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource )"
            R"~(version: 100 (5000)","reason":"Expired","code":410})~") +
      event("ERROR", R"({"kind":"Status","metadata":{},"message":"m","reason":"InternalError"})") +
      event("ERROR", R"({"what":"ever"})") + event("ERROR", "7") + event("SOMETHING", pod("4")) +
      event("OTHER", "null"));
  CHECK(run.error == "");
  CHECK(run.at_boundary);
  const std::vector<std::string> expected = {
      "ADDED 1|d|a|7|Pod|v1||| " + pod("1"),
      "MODIFIED 2|d|a|7|Pod|v1||| " + pod("2"),
      "DELETED 3|d|a|7|Pod|v1||| " + pod("3"),
      "BOOKMARK 12746",
      "BOOKMARK 12747 end",
      "BOOKMARK 5",
      "BOOKMARK 5",
      "BOOKMARK ",
      "ERROR 410 Expired too old resource version: 100 (5000)",
      "ERROR 0 InternalError m",
      "ERROR 0  the server sent an ERROR event without a Status",
      "ERROR 0  the server sent an ERROR event without a Status",
      "UNKNOWN SOMETHING",
      "UNKNOWN OTHER",
  };
  CHECK(run.lines == expected);
}

TEST_CASE("the uid is told before the event, where it lies in the bytes at hand as it is") {
  const std::string text = event("ADDED", pod("1234")) + event("MODIFIED", pod(R"(\u0031)")) + event("ADDED", "{}") +
                           event("ADDED", R"({"metadata":{"uid":7}})") + event("ADDED", R"({"metadata":{"uid":{}}})");
  const auto uids_in_chunks = [&text](std::size_t size) {
    WatchLog log;
    WatchReader reader({}, log);
    CHECK(feed_in_chunks(reader, text, size));
    return log.uids;
  };
  const std::vector<std::string> at_once = {"1234", "end of 1234", "", "end of ", "", "end of ", "", "end of "};
  CHECK(uids_in_chunks(text.size()) == at_once);
  const std::size_t within_uid = text.find("1234") + 2;
  const std::vector<std::string> cut = {"", "end of ", "", "end of ", "", "end of ", "", "end of "};
  CHECK(uids_in_chunks(within_uid) == cut);
}

TEST_CASE("object before type, escapes, other members, and of equal ones the last") {
  const WatchRun run =
      read_watch(R"({"object":)" + pod("1") +
                 R"(,"type":"ADDED"} { "x":[{"type":"ERROR"}],"\u0074ype":"D\u0045LETED","\u006fbject":)" + pod("2") +
                 R"(,"y":1}{"type":"ADDED","object":)" + pod("3") + R"(,"object":)" + pod("4") +
                 R"(,"type":"MODIFIED"})" + R"({"type":"ADDED","object":5,"object":)" + pod("5") + "}");
  CHECK(run.error == "");
  const std::vector<std::string> expected = {
      "ADDED 1|d|a|7|Pod|v1||| " + pod("1"), "DELETED 2|d|a|7|Pod|v1||| " + pod("2"),
      "MODIFIED 4|d|a|7|Pod|v1||| " + pod("4"), "ADDED 5|d|a|7|Pod|v1||| " + pod("5")};
  CHECK(run.lines == expected);
}

TEST_CASE("managedFields is left out of events too") {
  const std::string object =
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"managedFields":[{}],"name":"a","uid":"u","resourceVersion":"7"}})";
  CHECK(read_watch(event("ADDED", object)).texts.at(0) ==
        R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","uid":"u","resourceVersion":"7"}})");
  ReaderOptions keep;
  keep.keep_managed_fields = true;
  CHECK(read_watch(event("ADDED", object), keep).texts.at(0) == object);
}

TEST_CASE("a bad event is reported and the reader continues after it") {
  const std::string good = event("ADDED", pod("u"));
  const auto bad = [&](const std::string& text) {
    const WatchRun run = read_watch(good + text + good);
    CHECK(run.error == "");
    REQUIRE(run.lines.size() == 3);
    CHECK(run.lines[2] == run.lines[0]);
    const std::string head = "BAD -22 event 2 at byte " + std::to_string(good.size()) + ": ";
    const std::string named = "BAD -22 event 2 (d/a) at byte " + std::to_string(good.size()) + ": ";
    if (run.lines[1].find(named) == 0) return "(d/a) " + run.lines[1].substr(named.size());
    CHECK(run.lines[1].substr(0, head.size()) == head);
    return run.lines[1].substr(head.size());
  };
  CHECK(bad("{}") == "type is missing");
  CHECK(bad(R"({"object":{}})") == "type is missing");
  CHECK(bad(R"({"type":3,"object":{}})") == "type is a number, expected a string");
  CHECK(bad(R"({"type":"ADDED","type":null,"object":{}})") == "type is null, expected a string");
  CHECK(bad(R"({"type":")" + std::string(70000, 'x') + R"(","object":{}})") == "type is longer than 64 KiB");
  CHECK(bad(R"({"type":"ADDED"})") == "object is missing");
  CHECK(bad(event("ADDED", "[]")) == "object is an array, expected an object");
  CHECK(bad(event("BOOKMARK", "\"x\"")) == "object is a string, expected an object");
  CHECK(bad(event("BOOKMARK", R"({"metadata":{"resourceVersion":7}})")) ==
        "metadata.resourceVersion is a number, expected a string");
  CHECK(bad(event("DELETED", "{}")) == "metadata is missing");
  CHECK(bad(event("ADDED", R"({"metadata":[]})")) == "metadata is an array, expected an object");
  CHECK(bad(event("ADDED", R"({"metadata":{"namespace":"d","name":"a","resourceVersion":"1"}})")) ==
        "(d/a) metadata.uid is missing");
  CHECK(bad(event("ADDED", R"({"metadata":{"namespace":"d","name":"a","uid":"","resourceVersion":"1"}})")) ==
        "(d/a) metadata.uid is empty");
  CHECK(bad(event("ADDED", R"({"metadata":{"uid":"u","resourceVersion":"1"}})")) == "metadata.name is missing");
  CHECK(bad(event("ADDED", R"({"metadata":{"name":"a","namespace":"d"}})")) == "(d/a) metadata.uid is missing");
  CHECK(
      bad(event("ADDED", R"({"metadata":{"uid":"u","name":"a","resourceVersion":"1","namespace":"d"},"kind":"P"})")) ==
      "(d/a) apiVersion is missing");
  CHECK(bad(event("ADDED", R"({"metadata":{"uid":"u\u0000","name":"a","namespace":"d","resourceVersion":"1"}})"))
            .find("metadata.uid contains a NUL character") != std::string::npos);
}

TEST_CASE("an object above the limit is skipped, whatever the buffers") {
  ReaderOptions options;
  options.max_object_size = 300;
  const std::string good = event("ADDED", pod("u"));
  const std::string huge = R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"big","namespace":"d","uid":"x",)"
                           R"("resourceVersion":"1"},"data":")" +
                           std::string(5000, 'x') + R"("})";
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, std::size_t{301}, std::size_t{1} << 30}) {
    const WatchRun run = read_watch(good + event("MODIFIED", huge) + good, options, chunk);
    CHECK(run.error == "");
    REQUIRE(run.lines.size() == 3);
    CHECK(run.lines[1] == "BAD -23 event 2 (d/big) at byte " + std::to_string(good.size()) +
                              ": object is larger than max_object_size (300 bytes)");
    CHECK(run.lines[2] == run.lines[0]);
    CHECK(run.possible_deletions == 0);
    CHECK(read_watch(event("DELETED", huge), options, chunk).possible_deletions == 1);
    // The type comes after the object.
    const auto reversed = [&](const std::string& type) {
      return read_watch("{\"object\":" + huge + (type.empty() ? "" : ",\"type\":\"" + type + "\"") + "}\n" + good,
                        options, chunk);
    };
    CHECK(reversed("MODIFIED").possible_deletions == 0);
    CHECK(reversed("DELETED").possible_deletions == 1);
    CHECK(reversed("").possible_deletions == 1);
    for (const char* type : {"MODIFIED", "DELETED", ""}) CHECK(reversed(type).lines.size() == 2);
    for (const WatchRun& ended : {reversed("ERROR"), read_watch(event("ERROR", huge) + good, options, chunk)}) {
      REQUIRE(ended.lines.size() == 2);
      CHECK(ended.lines[0] == "ERROR 0  the server sent an ERROR event larger than max_object_size");
    }
  }
}

TEST_CASE("an object that is nested too deep is skipped, whatever the buffers; its deletion is told") {
  const std::string good = event("ADDED", pod("u"));
  const auto deep = [](std::size_t depth) {
    return R"({"kind":"Pod","apiVersion":"v1","data":)" + std::string(depth, '[') + std::string(depth, ']') +
           R"(,"metadata":{"name":"big","namespace":"d","uid":"x","resourceVersion":"1"}})";
  };
  // The object itself is a level, as in a list.
  CHECK(read_watch(event("ADDED", deep(511))).lines.at(0).find("ADDED x|") == 0);
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, std::size_t{301}, std::size_t{1} << 30}) {
    for (const std::size_t depth : {512, 600, 10000}) {
      const WatchRun run = read_watch(good + event("MODIFIED", deep(depth)) + good, {}, chunk);
      CHECK(run.error == "");
      REQUIRE(run.lines.size() == 3);
      CHECK(run.lines[1] == "BAD -23 event 2 (d/big) at byte " + std::to_string(good.size()) +
                                ": object is nested deeper than 512 levels");
      CHECK(run.lines[2] == run.lines[0]);
      CHECK(run.possible_deletions == 0);
    }
    CHECK(read_watch(event("DELETED", deep(600)), {}, chunk).lines.at(0).find("DELETED x|d|big|1|") == 0);
    CHECK(read_watch("{\"object\":" + deep(600) + ",\"type\":\"ADDED\"}", {}, chunk).possible_deletions == 0);
    CHECK(read_watch("{\"object\":" + deep(600) + "}", {}, chunk).possible_deletions == 1);
    CHECK(read_watch(event("ERROR", deep(600)), {}, chunk).lines.at(0).find("ERROR ") == 0);
    CHECK(read_watch(event("ADDED", deep(20000)), {}, chunk).error.find("nested deeper than 10513") !=
          std::string::npos);
  }
}

TEST_CASE("an object without a resourceVersion is an item") {
  for (const char* version : {"", R"(,"resourceVersion":"")", R"(,"resourceVersion":null)"}) {
    const WatchRun run = read_watch(event(
        "ADDED", R"({"kind":"K","apiVersion":"v1","metadata":{"uid":"u","name":"a")" + std::string(version) + "}}"));
    REQUIRE(run.lines.size() == 1);
    CHECK(run.lines[0].find("BAD") == std::string::npos);
  }
}

TEST_CASE("how an object that is too large is named does not depend on where its bytes were cut") {
  ReaderOptions options;
  options.max_object_size = 120;
  const std::string head = R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"first","namespace":"d","uid":"x"},)";
  const std::string rest = R"(,"metadata":{"name":"second","namespace":"e"},"metadata":7})";
  for (std::size_t filler = 0; filler < 60; ++filler) {
    const std::string object = head + "\"data\":\"" + std::string(filler, 'x') + '"' + rest + '\n';
    const WatchRun whole = read_watch(event("ADDED", object), options, std::size_t{1} << 30);
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{64}}) {
      CHECK(read_watch(event("ADDED", object), options, chunk).lines == whole.lines);
    }
  }
}

TEST_CASE("the limit counts the object, to the byte") {
  const std::string object = pod("u");
  ReaderOptions options;
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{50}, std::size_t{1} << 30}) {
    options.max_object_size = object.size();
    CHECK(read_watch(event("ADDED", object), options, chunk).texts.size() == 1);
    options.max_object_size = object.size() - 1;
    const WatchRun over = read_watch(event("ADDED", object), options, chunk);
    REQUIRE(over.lines.size() == 1);
    CHECK(over.lines[0].find("BAD -23 ") == 0);
  }
}

TEST_CASE("an error ends the reader, and says where") {
  const std::string good = event("ADDED", pod("u"));
  const std::string at = std::to_string(good.size());
  CHECK(read_watch(good + "[]").error == "-22 byte " + at + ": expected a watch event, got an array");
  CHECK(read_watch(good + "404 page").error == "-22 byte " + at + ": expected a watch event, got a number");
  CHECK(read_watch(good + "page").error == "-22 byte " + at + ": expected a value, got 'p'");
  CHECK(read_watch("{,}").error == "-22 byte 1: expected a key or '}', got ',' (in event 1)");
  WatchLog log;
  WatchReader reader({}, log);
  CHECK_FALSE(reader.feed("]"));
  CHECK_FALSE(reader.feed(good));
  CHECK_FALSE(reader.end_message());
  CHECK(log.lines.empty());
}

TEST_CASE("messages and boundaries") {
  WatchLog log;
  WatchReader reader({}, log);
  CHECK(reader.at_boundary());
  CHECK(reader.end_message());
  CHECK(reader.feed(event("ADDED", pod("1"))));
  CHECK(reader.end_message());
  CHECK(reader.feed("\n"));
  CHECK(reader.at_boundary());
  CHECK(reader.feed(R"({"type":"ADDED",)"));
  CHECK_FALSE(reader.at_boundary());
  const auto cut = reader.end_message();
  REQUIRE(cut.if_error() != nullptr);
  CHECK(cut.error().status == Status::protocol);
  CHECK(cut.error().message.find("the message ends in the middle of event 2, after byte ") == 0);
  CHECK_FALSE(reader.feed("}"));
  CHECK(log.lines.size() == 1);
}

}  // namespace
}  // namespace ksr::json::testing
