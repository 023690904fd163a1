#include <doctest/doctest.h>

#include "unit/json/corpus.hpp"
#include "unit/json/recorder.hpp"

namespace ksr::json::testing {
namespace {

bool same(const ListRun& a, const ListRun& b) {
  return a.lines == b.lines && a.error == b.error && a.meta.kind == b.meta.kind &&
         a.meta.continue_token == b.meta.continue_token && a.meta.resource_version == b.meta.resource_version;
}

bool same(const WatchRun& a, const WatchRun& b) {
  return a.lines == b.lines && a.error == b.error && a.at_boundary == b.at_boundary;
}

// In two at every byte, and in pieces of every size.
template <class Run, class Read>
void check_splits(const std::string& text, const Run& whole, Read read, const ReaderOptions& options) {
  for (std::size_t chunk = 1; chunk <= text.size(); ++chunk) {
    const Run split = read(text, options, chunk);
    CHECK_MESSAGE(same(split, whole), "pieces of " << chunk << ": " << split.error);
  }
}

TEST_CASE("a list in two, at every byte") {
  for (const std::string& text : {rich_list(), rich_custom_list()}) {
    const ListRun whole = read_list(text);
    CHECK(whole.error == "");
    CHECK(whole.lines.size() == 3);
    for (std::size_t at = 0; at <= text.size(); ++at) {
      ListLog log;
      ListReader reader({}, log);
      const std::string head = text.substr(0, at);
      const std::string tail = text.substr(at);
      CHECK(reader.feed(head));
      CHECK(reader.feed(tail));
      CHECK(reader.finish());
      CHECK_MESSAGE(log.lines == whole.lines, "cut at " << at);
    }
  }
}

// Numbers, literals and brackets at every place of a block, and the end of the input at every byte after it.
TEST_CASE("scalars that cross blocks and buffers") {
  std::string members;
  for (int i = 0; i < 6; ++i) {
    members += R"(,"f":{"m":{"x":11},"b":7,"c":88,"d":{"e":[1,22],"g":true},"h":[{"i":4},null,-5.5e3]},"j":555)";
  }
  for (std::size_t padding = 0; padding < 64; ++padding) {
    const std::string text =
        R"({"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","uid":"u",)"
        R"("resourceVersion":"1"},"spec":{"p":")" +
        std::string(padding, 'p') + '"' + members + "}}}";
    const WatchRun whole = read_watch(text);
    REQUIRE(whole.error == "");
    REQUIRE(whole.lines.size() == 1);
    for (std::size_t at = 150; at < text.size(); ++at) {
      WatchLog log;
      WatchReader reader({}, log);
      const std::string head = text.substr(0, at);
      const std::string tail = text.substr(at);
      const bool fed = reader.feed(head).has_value() && reader.feed(tail).has_value();
      REQUIRE_MESSAGE(fed, "padding " << padding << ", cut at " << at);
      REQUIRE_MESSAGE(log.lines == whole.lines, "padding " << padding << ", cut at " << at);
    }
  }
}

TEST_CASE("lists in pieces of every size, with every limit") {
  for (const std::string& text : {rich_list(), rich_custom_list()}) {
    check_splits(text, read_list(text), read_list, {});
    for (const std::size_t limit : {10, 60, 100, 200, 330, 400}) {
      ReaderOptions options;
      options.max_object_size = limit;
      check_splits(text, read_list(text, options), read_list, options);
    }
  }
}

TEST_CASE("watches in pieces of every size, with every limit") {
  const std::string text = rich_watch();
  const WatchRun whole = read_watch(text);
  CHECK(whole.error == "");
  CHECK(whole.at_boundary);
  CHECK(whole.lines.size() == 6);
  check_splits(text, whole, read_watch, {});
  for (std::size_t limit = 1; limit < 220; limit += 13) {
    ReaderOptions options;
    options.max_object_size = limit;
    check_splits(text, read_watch(text, options), read_watch, options);
  }
}

TEST_CASE("errors are the same for every split") {
  for (const std::string& text : {rich_list(), rich_watch()}) {
    for (std::size_t at = 0; at < text.size(); at += 3) {
      std::string broken = text;
      broken[at] = broken[at] == '"' ? 'x' : '"';
      ReaderOptions options;
      options.max_object_size = at % 2 == 0 ? 150 : 100000;
      const ListRun list = read_list(broken, options);
      const WatchRun watch = read_watch(broken, options);
      for (const std::size_t chunk : {1, 2, 7, 16, 64, 100}) {
        CHECK_MESSAGE(same(read_list(broken, options, chunk), list), broken);
        CHECK_MESSAGE(same(read_watch(broken, options, chunk), watch), broken);
      }
    }
  }
}

TEST_CASE("ended anywhere, a list is an error and a watch is at a boundary only between events") {
  const std::string list = rich_list();
  const std::size_t whole = list.find_last_of('}') + 1;
  for (std::size_t size = 0; size < list.size(); ++size) {
    CHECK((read_list(list.substr(0, size)).error == "") == (size >= whole));
  }
  CHECK(read_list("").error == "-22 expected a list, got nothing");
  const std::string watch = rich_watch();
  const std::size_t first = watch.find('\n');
  for (std::size_t size = 1; size < first; ++size) CHECK_FALSE(read_watch(watch.substr(0, size)).at_boundary);
  CHECK(read_watch(watch.substr(0, first)).at_boundary);
}

}  // namespace
}  // namespace ksr::json::testing
