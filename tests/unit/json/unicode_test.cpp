// Text in strings that is no Unicode: the readers take it, and what they pass on is mended.
#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <random>

#include "base/escapes.hpp"
#include "json/field_filter.hpp"
#include "unit/json/corpus.hpp"
#include "unit/json/recorder.hpp"

namespace ksr::json::testing {
namespace {

struct Mended {
  std::string_view sent;
  std::string_view read;
};

// What is read is what Go's decoder makes of it (encoding/json, unquoteBytes).
constexpr Mended kTexts[] = {
    {R"(\ud800)", R"(\ufffd)"},
    {R"(\uDC00x)", R"(\ufffdx)"},
    {R"(\ud800\ud800)", R"(\ufffd\ufffd)"},
    {R"(\ud83d\ud83d\ude00)", R"(\ufffd\ud83d\ude00)"},
    {R"(\ud83d\ude00\ude00)", R"(\ud83d\ude00\ufffd)"},
    {R"(\ud800\n\ud800\\\ud800\")", R"(\ufffd\n\ufffd\\\ufffd\")"},
    {R"(\ud800\u0041)", R"(\ufffd\u0041)"},
    {R"(\\ud800\uFFFD\ufffd)", R"(\\ud800\uFFFD\ufffd)"},
    {"\xff", "\xef\xbf\xbd"},
    {"a\xff\xfe", "a\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xc0\x80\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"half \xe2\x82", "half \xef\xbf\xbd\xef\xbf\xbd"},
    {"\xe2\x82\xe2\x82\xac\xf0\x9f\x98\\n",
     "\xef\xbf\xbd\xef\xbf\xbd\xe2\x82\xac\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\\n"},
    {"\\ud800\xff\xc3\xa9\x80", "\\ufffd\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd"},
    {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
};

// Far enough from the ends that blocks are skipped.
std::string object_with(std::string_view text) {
  const std::string filler = R"("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")";
  const std::string t(text);
  return R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a)" + t + R"(","uid":"u","resourceVersion":"1",)" +
         R"("managedFields":[)" + filler + R"(,{"f:)" + t + R"(":{}}],"labels":{"l":")" + t + R"("}},)" +
         R"("data":{"k)" + t + "\":[" + filler + ",\"" + t + "\"," + filler + "]}}";
}

std::string list_with(std::string_view text) {
  const std::string bare =
      R"({"metadata":{"name":"b","uid":"v","resourceVersion":"2"},"x":")" + std::string(text) + "\"}";
  // Those without a kind wait for that of the list.
  return R"({"metadata":{"continue":")" + std::string(text) + R"(","resourceVersion":"7"},"items":[)" +
         object_with("plain") + "," + bare + "," + object_with(text) + R"(],"kind":"PodList","apiVersion":"v1"})";
}

std::string watch_with(std::string_view text) {
  const std::string t(text);
  return R"({"type":"ADDED","object":)" + object_with("plain") + "}\n" + R"({"type":"MODIFIED","object":)" +
         object_with(text) + "}\n" + R"({"object":)" + object_with(text) + R"(,"type":"X)" + t + "\"}\n" +
         R"({"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"8",)" +
         R"("annotations":{")" + t + R"(":"","k8s.io/initial-events-end":"true"}}}})" + "\n" +
         R"({"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","code":500,"message":"m)" + t + "\"}}\n" +
         R"({"type":"DELETED","object":{"kind":"Pod","metadata":{"name":")" + t + "\"}}}\n";
}

void check_strict(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    boost::system::error_code error;
    boost::json::parse(text, error);
    CHECK_MESSAGE(!error, text);
  }
}

TEST_CASE("json_as_unicode replaces what Go's decoder replaces") {
  for (const auto& [sent, read] : kTexts) {
    CHECK(json_as_unicode("{\"" + std::string(sent) + "\":1}") == "{\"" + std::string(read) + "\":1}");
    CHECK(json_as_unicode(read) == read);
  }
  // What is no JSON does not become it.
  for (const char* text : {"\\", "\\u", "\\ud8", R"(\ud8zz)", R"(x\udC0r)"}) CHECK(json_as_unicode(text) == text);
}

TEST_CASE("a list with text that is no Unicode is read as the mended one, for every split") {
  for (const auto& [sent, read] : kTexts) {
    for (const bool keep : {false, true}) {
      ReaderOptions options;
      options.keep_managed_fields = keep;
      const ListRun expected = read_list(list_with(read), options);
      REQUIRE(expected.error == "");
      REQUIRE(expected.lines.size() == 3);
      for (const std::size_t chunk : {1, 2, 3, 5, 17, 64, 65, 100000}) {
        const ListRun run = read_list(list_with(sent), options, chunk);
        CHECK(run.error == "");
        CHECK(run.lines == expected.lines);
        CHECK(run.meta.continue_token == expected.meta.continue_token);
        check_strict(run.texts);
      }
    }
  }
}

TEST_CASE("a watch with text that is no Unicode is read as the mended one, for every split") {
  for (const auto& [sent, read] : kTexts) {
    for (const bool keep : {false, true}) {
      ReaderOptions options;
      options.keep_managed_fields = keep;
      const WatchRun expected = read_watch(watch_with(read), options);
      REQUIRE(expected.error == "");
      REQUIRE(expected.lines.size() == 6);
      // Where an event begins is that of the bytes.
      const auto without_offset = [](std::string line) { return line.substr(0, line.find(" at byte")); };
      for (const std::size_t chunk : {1, 2, 3, 5, 17, 64, 65, 100000}) {
        const WatchRun run = read_watch(watch_with(sent), options, chunk);
        CHECK(run.error == "");
        CHECK(run.at_boundary);
        REQUIRE(run.lines.size() == 6);
        for (std::size_t i = 0; i < 6; ++i) CHECK(without_offset(run.lines[i]) == without_offset(expected.lines[i]));
        check_strict(run.texts);
      }
    }
  }
}

TEST_CASE("bytes and escapes at random places: read as what is mended before") {
  std::mt19937 random(20261130);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  std::size_t taken = 0;
  for (int round = 0; round < 20000; ++round) {
    const bool is_list = round % 2 == 0;
    std::string text = is_list ? rich_list() : rich_watch();
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
      const std::string_view sent = kTexts[below(std::size(kTexts))].sent;
      text.insert(below(text.size()), sent.substr(0, 1 + below(sent.size())));
    }
    const std::size_t chunk = 1 + below(80);
    if (is_list) {
      const ListRun run = read_list(text, {}, chunk);
      const ListRun expected = read_list(json_as_unicode(text));
      REQUIRE_MESSAGE(run.error.empty() == expected.error.empty(), text << "\n" << run.error << expected.error);
      REQUIRE_MESSAGE(run.lines == expected.lines, text);
      taken += run.error.empty() ? 1 : 0;
    } else {
      const WatchRun run = read_watch(text, {}, chunk);
      const WatchRun expected = read_watch(json_as_unicode(text));
      REQUIRE_MESSAGE(run.error.empty() == expected.error.empty(), text << "\n" << run.error << expected.error);
      REQUIRE_MESSAGE(run.texts == expected.texts, text);
      REQUIRE_MESSAGE(run.lines.size() == expected.lines.size(), text);
      taken += run.error.empty() ? 1 : 0;
    }
  }
  CHECK(taken > 2000);
}

TEST_CASE("columns and fields that are kept have the mended text") {
  struct Filtered : ListObserver {
    FieldFilter* filter = nullptr;
    std::vector<std::string> seen;
    void on_item(const Item& item) override {
      const Item made = filter->apply(item);
      seen.push_back(std::string(made.columns->texts[0]) + " " + text_of(made));
    }
    void on_bad_item(const Error&) override {}
  };
  FieldOptions fields;
  fields.columns = *parse_field_paths("/metadata/labels/l");
  fields.keep = fields.columns;
  FieldFilter filter(fields, 1000);
  Filtered log;
  log.filter = &filter;
  ListReader reader({}, log);
  REQUIRE(reader.feed(list_with("x\xff\\ud800")));
  REQUIRE(log.seen.size() == 3);
  CHECK(log.seen[2] ==
        "x\xef\xbf\xbd\xef\xbf\xbd "
        R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"ax)"
        "\xef\xbf\xbd"
        R"(\ufffd","uid":"u",)"
        R"("resourceVersion":"1","labels":{"l":"x)"
        "\xef\xbf\xbd"
        R"(\ufffd"}}})");
}

}  // namespace
}  // namespace ksr::json::testing
