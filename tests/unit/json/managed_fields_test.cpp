#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "unit/json/recorder.hpp"

namespace ksr::json::testing {
namespace {

constexpr char kRest[] = R"("name":"a","uid":"u","resourceVersion":"7")";

// `metadata` without its managedFields.
std::string stripped(const std::string& metadata, bool keep = false, std::size_t chunk = 1 << 30) {
  ReaderOptions options;
  options.keep_managed_fields = keep;
  const std::string list =
      R"({"kind":"FooList","apiVersion":"v1","items":[{"kind":"Foo","apiVersion":"v1","metadata":)" + metadata +
      R"(,"managedFields":"not metadata's"}]})";
  const ListRun run = read_list(list, options, chunk);
  CHECK(run.error == "");
  const std::string& text = run.texts.at(0);
  boost::system::error_code error;
  boost::json::parse(text, error);
  CHECK_MESSAGE(!error, text);
  const std::string head = R"({"kind":"Foo","apiVersion":"v1","metadata":)";
  const std::string tail = R"(,"managedFields":"not metadata's"})";
  CHECK(text.substr(0, head.size()) == head);
  CHECK(text.substr(text.size() - tail.size()) == tail);
  return text.substr(head.size(), text.size() - head.size() - tail.size());
}

TEST_CASE("managedFields is left out with exactly one comma") {
  const std::string rest = kRest;
  const std::string managed = R"("managedFields":[{"manager":"m","fieldsV1":{"f:a":{"]}":"\""}}},[]])";
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{3}, std::size_t{1} << 30}) {
    CHECK(stripped("{" + managed + "," + rest + "}", false, chunk) == "{" + rest + "}");
    CHECK(stripped("{" + rest + "," + managed + "}", false, chunk) == "{" + rest + "}");
    CHECK(stripped(R"({"generation":1,)" + managed + "," + rest + "}", false, chunk) ==
          R"({"generation":1,)" + rest + "}");
    CHECK(stripped("{ " + managed + " , " + rest + " }", false, chunk) == "{  " + rest + " }");
    CHECK(stripped("{ " + rest + " , " + managed + " }", false, chunk) == "{ " + rest + "  }");
    CHECK(stripped(R"({"managedFields":null,)" + rest + "}", false, chunk) == "{" + rest + "}");
    CHECK(stripped(R"({"managedFields":1,"managedFields":"x",)" + rest + "}", false, chunk) == "{" + rest + "}");
    CHECK(stripped("{" + rest + R"(,"managedFields":1,"managedFields":2})", false, chunk) == "{" + rest + "}");
    CHECK(stripped(R"({"managedFields":1,)" + rest + R"(,"managedFields":2,"a":3,"managedFields":[]})", false, chunk) ==
          "{" + rest + R"(,"a":3})");
    CHECK(stripped(R"({"managedFields":1},"metadata":{)" + rest + "}", false, chunk) ==
          R"({},"metadata":{)" + rest + "}");
    CHECK(stripped(R"({"managedFields":1,"managedFields":2},"metadata":{)" + rest + "}", false, chunk) ==
          R"({},"metadata":{)" + rest + "}");
  }
}

TEST_CASE("managedFields elsewhere stays, and everywhere with managed_fields=keep") {
  const std::string metadata = std::string("{") + kRest + R"(,"labels":{"managedFields":"x"}})";
  CHECK(stripped(metadata) == metadata);
  const std::string managed = R"({"managedFields":[{}],)" + std::string(kRest) + "}";
  CHECK(stripped(managed, true) == managed);
}

TEST_CASE("managedFields left out and a missing kind added, together") {
  const ListRun run =
      read_list(R"({"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"managedFields":[],"name":"a","uid":"u",)"
                R"("resourceVersion":"7","managedFields":[]},"spec":{}}]})");
  CHECK(run.error == "");
  CHECK(run.texts.at(0) ==
        R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","uid":"u","resourceVersion":"7"},"spec":{}})");
}

}  // namespace
}  // namespace ksr::json::testing
