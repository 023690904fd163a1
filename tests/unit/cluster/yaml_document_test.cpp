// Documents of YAML as JSON, as sigs.k8s.io/yaml reads them.
#include "cluster/yaml_document.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace ksr::cluster;

namespace {

std::string as_json(const std::string& text, const YamlLimits& limits = {}) {
  const YamlDocument document(text, limits);
  return yaml_as_json(document.root(), "", limits.max_json_values);
}

}  // namespace

TEST_CASE("keys that are booleans or numbers are the text of their value") {
  CHECK(as_json("{on: 1}") == R"({"true":1})");
  CHECK(as_json("{n: 1}") == R"({"false":1})");
  CHECK(as_json("{\"on\": 1}") == R"({"on":1})");
  CHECK(as_json("{0x10: 1, 010: 2, 3: 3}") == R"({"16":1,"3":3,"8":2})");
  CHECK(as_json("{-5: 1, 1.50: 2, 1_000: 3}") == R"({"-5":1,"1.5":2,"1000":3})");
  CHECK(as_json("{'1.50': 2, 2020-01-01: 3}") == R"({"1.50":2,"2020-01-01":3})");
}

TEST_CASE("the escapes of a no-break space and of a next line are UTF-8") {
  CHECK(as_json(R"(["a\_b", "\N", "\L\P\xe9"])") == "[\"a\u00a0b\",\"\u0085\",\"\u2028\u2029\u00e9\"]");
  CHECK(as_json("{\"\\_\u00e9\\N\U0001f600\\_\": '\u00a0\u0085'}") ==
        "{\"\u00a0\u00e9\u0085\U0001f600\u00a0\":\"\u00a0\u0085\"}");
}

TEST_CASE("a key that is null is refused") {
  CHECK_THROWS_WITH(as_json("a: 1\nnull: 2"), "has a key that is null at line 2");
  CHECK_THROWS_AS(as_json("{~: 1}"), YamlMismatch);
  CHECK_THROWS_AS(as_json("{!!null '': 1}"), YamlMismatch);
  CHECK(as_json("{'null': 1, '': 2}") == R"({"":2,"null":1})");
}

TEST_CASE("characters that YAML does not have, and bytes that are none") {
  CHECK_THROWS_WITH(as_json(std::string("a: 1\nb: \"\0\"", 11)), "has a control character at line 2");
  for (const char* text :
       {"a: \x01", "a: \x04\nb: 1", "a: '\x7f'", "a: '\xc2\x80'", "a: '\xef\xbb\xbf'", "a: '\xef\xbf\xbf'"}) {
    CHECK_THROWS_WITH(as_json(text), "has a control character at line 1");
  }
  CHECK_THROWS_WITH(as_json("a: 1\nb: '\xff'\n"), "has bytes that are not UTF-8 at line 2");
  CHECK_THROWS_WITH(as_json("a: '\xc3"), "has bytes that are not UTF-8 at line 1");
  CHECK(as_json("\xef\xbb\xbf"
                "a: \"\\0\"\r\nb:\t'\xc2\x85x'") == "{\"a\":\"\\u0000\",\"b\":\"\xc2\x85x\"}");
  CHECK(as_json(std::string("\xff\xfe"
                            "a\0:\0 \0"
                            "1\0",
                            10)) == R"({"a":1})");
}

TEST_CASE("a carriage return alone ends a line") {
  CHECK(as_json("a: 1\rb:\r- x\r- z\r\nc: |\r  one\r  two\n") == R"({"a":1,"b":["x","z"],"c":"one\ntwo\n"})");
  CHECK(as_json("a: 'one\r  two\r\r  three'") == R"({"a":"one two\nthree"})");
  CHECK(as_json("# comment\ra: \"\\r\"") == R"({"a":"\r"})");
  CHECK_THROWS_WITH(as_json("a: 1\rnull: 2"), "has a key that is null at line 2");
  CHECK_THROWS_WITH(as_json("a: 1\rb: '\x01'"), "has a control character at line 2");
}

TEST_CASE("what follows a document is told") {
  CHECK_FALSE(YamlDocument("a: 1\n...\n# a comment\n").has_more());
  for (const char* text : {"a: 1\n---\nb: 1", "a: 1\n--- {b: 1}", "a: 1\n...\nb", "{a: 1}\n{b: 1", "{a: 1} b"}) {
    CAPTURE(text);
    const YamlDocument document(text);
    CHECK(document.has_more());
    CHECK(yaml_as_json(document.root(), "") == R"({"a":1})");
  }
}

TEST_CASE("the bounds of a document are those that it is given") {
  const std::string deep = std::string(70, '[') + std::string(70, ']');
  CHECK_THROWS_AS(as_json(deep), YamlMismatch);
  YamlLimits limits;
  limits.max_depth = 100;
  CHECK(as_json(deep, limits) == deep);

  std::string wide = "[";
  for (int i = 0; i < 12'000; ++i) wide += "1,";
  wide.back() = ']';
  CHECK_THROWS_AS(as_json(wide), YamlMismatch);
  limits.max_json_values = 20'000;
  CHECK(as_json(wide, limits) == wide);
  limits.max_nodes = 1'000;
  CHECK_THROWS_AS(as_json(wide, limits), YamlMismatch);
}
