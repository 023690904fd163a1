#include <doctest/doctest.h>

#include "unit/json/recorder.hpp"

namespace ksr::json::testing {
namespace {

constexpr char kHead[] = R"({"kind":"PodList","apiVersion":"v1","items":[)";
constexpr char kGood[] = R"({"metadata":{"name":"a","uid":"u","resourceVersion":"7"}})";

std::string error_of(const std::string& list) {
  return read_list(list).error;
}

// The error of a second item, without its number and offset.
std::string item_error(const std::string& item) {
  const ListRun run = read_list(std::string(kHead) + kGood + "," + item + "]}");
  CHECK(run.lines.size() == 1);
  const std::string head = "-22 item 2 at byte " + std::to_string(sizeof(kHead) + sizeof(kGood) - 1) + ": ";
  CHECK(run.error.substr(0, head.size()) == head);
  return run.error.substr(std::min(head.size(), run.error.size()));
}

TEST_CASE("a document that is not a list is refused with what it is") {
  CHECK(error_of(R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","code":410})") ==
        R"(-22 byte 16: expected a list, got kind "Status")");
  CHECK(error_of(R"({"kind":"Table","apiVersion":"meta.k8s.io/v1","rows":[]})") ==
        R"(-22 byte 15: expected a list, got kind "Table")");
  CHECK(error_of(R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"x"}})").find(R"(got kind "Pod")") !=
        std::string::npos);
  CHECK(error_of(R"({"kind":"Thing","apiVersion":"v1"})").find(R"(got kind "Thing", without items)") !=
        std::string::npos);
  CHECK(error_of("[]") == "-22 byte 0: expected a list, got an array");
  CHECK(error_of("404 page not found") == "-22 byte 0: expected a list, got a number");
  CHECK(error_of("<html>") == "-22 byte 0: expected a value, got '<'");
  CHECK(error_of("null") == "-22 byte 0: expected a list, got null");
}

TEST_CASE("an incomplete or wrong envelope") {
  CHECK(error_of("{}").find("the list has no kind") != std::string::npos);
  CHECK(error_of(R"({"kind":"PodList","items":[]})").find("the list has no apiVersion") != std::string::npos);
  CHECK(error_of(R"({"kind":"PodList","apiVersion":"v1","metadata":{}})")
            .find(R"(the list (kind "PodList") has no items)") != std::string::npos);
  CHECK(error_of(R"({"kind":3})") == "-22 byte 8: the list's kind is a number, expected a string");
  CHECK(error_of(R"({"apiVersion":null})") == "-22 byte 14: the list's apiVersion is null, expected a string");
  CHECK(error_of(R"({"metadata":"x"})") == "-22 byte 12: the list's metadata is a string, expected an object");
  CHECK(error_of(R"({"items":{}})") == "-22 byte 9: the list's items is an object, expected an array");
  CHECK(error_of(R"({"metadata":{"resourceVersion":7}})") ==
        "-22 byte 31: the list's metadata.resourceVersion is a number, expected a string");
  CHECK(error_of(R"({"metadata":{"continue":[]}})") ==
        "-22 byte 24: the list's metadata.continue is an array, expected a string");
  CHECK(error_of(R"({"kind":"A\u0000List"})").find("the list's kind contains a NUL character") != std::string::npos);
  CHECK(error_of(R"({"metadata":{"continue":")" + std::string(70000, 'c') + R"("}})").find("longer than 64 KiB") !=
        std::string::npos);
  CHECK(error_of(R"({"items":[],"items":[]})").find("items is duplicated") != std::string::npos);
  CHECK(error_of(std::string(kHead) + kGood + R"(],"kind":"FooList"})").find("the list changes its kind") !=
        std::string::npos);
  CHECK(error_of(R"({"items":[)" + std::string(kGood) + "]}").find("the list has no kind") != std::string::npos);
  CHECK(error_of(R"({"kind":"List","apiVersion":"v1","items":[)" + std::string(kGood) + "]}")
            .find("item 1 at byte 42: kind is missing") != std::string::npos);
  CHECK(error_of(std::string(kHead) + "]} {}").find("expected nothing after the list") != std::string::npos);
  CHECK(error_of(std::string(kHead) + "]}x").find("expected a value, got 'x'") != std::string::npos);
}

TEST_CASE("a bad item is named by number, byte and field") {
  CHECK(item_error("7") == "is a number, expected an object");
  CHECK(item_error("null") == "is null, expected an object");
  CHECK(item_error("[]") == "is an array, expected an object");
  CHECK(item_error("{}") == "metadata is missing");
  CHECK(item_error(R"({"metadata":null})") == "metadata is null, expected an object");
  CHECK(item_error(R"({"metadata":{"name":"a","resourceVersion":"7"}})") == "metadata.uid is missing");
  CHECK(item_error(R"({"metadata":{"name":"a","resourceVersion":"7","uid":null}})") ==
        "metadata.uid is null, expected a string");
  CHECK(item_error(R"({"metadata":{"uid":"u","resourceVersion":"7"}})") == "metadata.name is missing");
  CHECK(item_error(R"({"metadata":{"uid":"u","name":"","resourceVersion":"7"}})") == "metadata.name is empty");
  CHECK(item_error(R"({"metadata":{"uid":"u","name":"a","resourceVersion":7}})") ==
        "metadata.resourceVersion is a number, expected a string");
  CHECK(item_error(R"({"metadata":{"uid":"u","name":"a","resourceVersion":"7","namespace":["d"]}})") ==
        "metadata.namespace is an array, expected a string");
  CHECK(item_error(R"({"kind":{},"metadata":{"uid":"u","name":"a","resourceVersion":"7"}})") ==
        "kind is an object, expected a string");
  CHECK(item_error(R"({"apiVersion":null,"metadata":{"uid":"u","name":"a","resourceVersion":"7"}})") ==
        "apiVersion is null, expected a string");
  for (const char* field : {"uid", "name", "namespace", "resourceVersion", "creationTimestamp"}) {
    CHECK(item_error(R"({"metadata":{"uid":"u","name":"a","resourceVersion":"7",")" + std::string(field) +
                     R"(":"x\u0000y"}})") == "metadata." + std::string(field) + " contains a NUL character");
  }
  CHECK(item_error(R"({"kind":"\u0000","metadata":{"uid":"u","name":"a","resourceVersion":"7"}})") ==
        "kind contains a NUL character");
}

TEST_CASE("a NUL elsewhere is accepted as an escape, never as a raw byte") {
  const std::string item = R"({"metadata":{"name":"a","uid":"u","resourceVersion":"7"},"data":"\u0000"})";
  CHECK(error_of(std::string(kHead) + item + "]}") == "");
  std::string raw = std::string(kHead) + R"({"data":")";
  const std::size_t at = raw.size();
  raw += '\0';
  CHECK(error_of(raw) == "-22 byte " + std::to_string(at) + ": a control character in a string (in item 1)");
}

TEST_CASE("an object that is too large is refused, with its name if it was read") {
  ReaderOptions options;
  options.max_object_size = 100;
  const std::string item = R"({"metadata":{"name":"big","namespace":"d","uid":"u","resourceVersion":"7"},"data":")" +
                           std::string(200, 'x') + R"("})";
  const ListRun run = read_list(std::string(kHead) + kGood + "," + item + "]}", options);
  CHECK(run.lines.size() == 1);
  CHECK(run.error == "-23 item 2 (d/big) at byte 103 is larger than max_object_size (100 bytes)");
  options.max_object_size = item.size();
  CHECK(read_list(std::string(kHead) + item + "]}", options).error == "");
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST_CASE("an item that is nested too deep is skipped, alike for every split; what no server sends is refused") {
  const auto item_with = [](std::size_t depth, const std::string& metadata = "") {
    return R"({"metadata":{"uid":"u","name":"deep","namespace":"d","resourceVersion":"7")" + metadata + R"(},"a":)" +
           nested(depth) + "}";
  };
  // The object itself is a level.
  CHECK(read_list(std::string(kHead) + item_with(511) + "]}").lines.at(0).find("u|d|deep|") == 0);
  for (const std::size_t depth : {512, 600, 10000}) {
    const std::string list = std::string(kHead) + kGood + "," + item_with(depth) + "," + kGood + "]}";
    for (const std::size_t chunk : {1, 7, 64, 100000}) {
      const ListRun run = read_list(list, {}, chunk);
      CHECK(run.error == "");
      REQUIRE(run.lines.size() == 3);
      CHECK(run.lines[1] == "BAD -23 item 2 (d/deep) at byte " + std::to_string(list.find(item_with(depth))) +
                                " is nested deeper than 512 levels");
      CHECK(run.lines[2] == run.lines[0]);
    }
  }
  // What is left out anyway may be so.
  const ListRun cut = read_list(std::string(kHead) + item_with(1, R"(,"managedFields":)" + nested(600)) + "]}");
  CHECK(cut.lines.at(0).find("u|d|deep|") == 0);
  CHECK(error_of(R"({"x":)" + nested(514)) == "-22 byte 518: nested deeper than 512");
  CHECK(error_of(std::string(kHead) + item_with(20000)).find(": nested deeper than 10514 (in item 1)") !=
        std::string::npos);
  // Grammar counts in what is skipped.
  CHECK(error_of(std::string(kHead) + R"({"a":)" + std::string(600, '[') + "}").find("expected a value") !=
        std::string::npos);
}

TEST_CASE("after an error it stays in error") {
  ListLog log;
  ListReader reader({}, log);
  CHECK_FALSE(reader.feed("[]"));
  const auto again = reader.feed(std::string(kHead) + "]}");
  REQUIRE(again.if_error() != nullptr);
  CHECK(again.error().message == "byte 0: expected a list, got an array");
  CHECK(reader.finish().error().message == "byte 0: expected a list, got an array");
}

}  // namespace
}  // namespace ksr::json::testing
