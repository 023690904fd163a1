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

TEST_CASE("a quoted scalar without its closing quote is refused") {
  for (const char* text :
       {"a: \"x\n", "a: \"x\n  b: second\n", "a: 'x\nb: y\n\n", "a: \"", "a: '", "a: \"x\\\n", "\"a\n", "a: [\"x\n",
        "- 'it''s\n", "a: \"x\n---\nb: 1\n", "a: 'x\n...\n", "a: \"x\r\n", "'a: 1\n"}) {
    CAPTURE(std::string(text));
    CHECK_THROWS_AS(as_json(text), YamlMismatch);
  }
  CHECK_THROWS_WITH(as_json("users:\n- token: \"S3CRET\n  name: a\n"), "is not valid YAML at line 4");
  CHECK(as_json("a: \"x\n  y\"\nb: ''\nc: 'it''s'\nd: \"\"") == R"({"a":"x y","b":"","c":"it's","d":""})");
}

TEST_CASE("a key without a colon is refused") {
  for (const char* text : {"data:\n  a: b\n  c\n", "data:\n  a: b\n  c", "a:\n- x\n-y\n", "a: 1\njunk\n", "a: 1\njunk",
                           "a: 1\njunk\n# end\n", "a: 1\njunk\n---\nb: 1\n", "a:\n  b: 1\n  c\nd: 1\n",
                           "a: 1\n'junk'\n", "a: 1\n&b\n", "a: 1\n!!str\n", "a: 1\n[b]\n", "a:\n{b: 1}\n",
                           "a: 1\n[b,\nc]: 2\n", "a:\nb\n", "- a: 1\n  b\n- c\n", "? a: 1\n  b\n: c\n"}) {
    CAPTURE(std::string(text));
    CHECK_THROWS_AS(as_json(text), YamlMismatch);
  }
  CHECK_THROWS_WITH(as_json("data:\n  a: b\n  c\n"), "is not valid YAML at line 3");
  CHECK(as_json("? a\n? b\n") == R"({"a":null,"b":null})");
  CHECK(as_json("? a\n  b\n: c\n&x d: 1\n!!str e: 2\n") == R"({"a b":"c","d":1,"e":2})");
  CHECK(as_json("a:\n- x: 1\n  w: 2\n- z\nb: {c, d: 1}\n") == R"({"a":[{"w":2,"x":1},"z"],"b":{"c":null,"d":1}})");
  CHECK(as_json("&a\na: [\n]\nb: {\nc: 1\n}\n") == R"({"a":[],"b":{"c":1}})");
  CHECK(as_json("a\nb\n") == "\"a b\"");
}

TEST_CASE("line breaks of block scalars are those of libyaml") {
  CHECK(as_json("a: >+\n  x\n\n\n") == R"({"a":"x\n\n\n"})");
  CHECK(as_json("a: >+\n  x\n\n\nb: c\n") == R"({"a":"x\n\n\n","b":"c"})");
  CHECK(as_json("a: >+\n  x\n\nb: c\n") == R"({"a":"x\n\n","b":"c"})");
  CHECK(as_json("a: >+\n  x\nb: c\n") == R"({"a":"x\n","b":"c"})");
  CHECK(as_json("a: >+\n\n\nb: |+\n\n") == R"({"a":"\n\n","b":"\n"})");
  CHECK(as_json("- |+\n  x\n\n- |-\n  x\n\n- |\n  x\n\n- >-\n  x\n\n- >\n  x\n\n") ==
        R"(["x\n\n","x","x\n","x","x\n"])");
  CHECK(as_json("- |\n  x") == R"(["x"])");
  CHECK(as_json("- >\n\n  a\n  b\n\n  c\n   d\n\n   e\n\n  f\n  g\n") == R"(["\na b\nc\n d\n\n e\n\nf g\n"])");
  CHECK(as_json("- |2-\n    x\n   y\n- >1\n  z\n# c\n- a") == R"(["  x\n y"," z\n","a"])");
  CHECK(as_json("a: |\n\n\n   x\n  # text\n # comment\nb: c") == R"({"a":"\n\nx\n","b":"c"})");
  CHECK(as_json("- &x |\n  a\n- !!str >-\n  b\n  c\n- *x") == R"(["a\n","b c","a\n"])");
  CHECK(as_json("a:\n- |\n x\n- z\nb: |  # c\n\n") == R"({"a":["x\n","z"],"b":""})");
  CHECK_THROWS_AS(as_json("a: |\n\tx\n"), YamlMismatch);
  CHECK_THROWS_AS(as_json("a: |\n  x\n\ty\n"), YamlMismatch);
}

TEST_CASE("an empty entry of a flow collection, and a tab where a key could be, are refused") {
  for (const char* text : {"[a,,b]", "[,]", "[,a]", "{,}", "{a: 1,,b: 2}", "{,a: 1}", "a: 1\n\t# c\n",
                           "a: {}\n  \t\nb: 2\n", "\t\n", "-\tx\n"}) {
    CAPTURE(std::string(text));
    CHECK_THROWS_AS(as_json(text), YamlMismatch);
  }
  CHECK(as_json("[a, b, ]") == R"(["a","b"])");
  CHECK(as_json("{a: 1,\n\tb: 2,\t}\t# c\n") == R"({"a":1,"b":2})");
  CHECK(as_json("a:\tx\t# c\nb: 'y'\t\nc: z\t\n---\t# c\n") == R"({"a":"x","b":"y","c":"z"})");
}

TEST_CASE("names of anchors") {
  CHECK(as_json("[&a-1_B x, *a-1_B , &c\nz]") == R"(["x","x","z"])");
  for (const char* text : {"&a!! x", "&a.b x", "&\u00e9 x", "& x", "[&a x, *a.]"}) {
    CAPTURE(std::string(text));
    CHECK_THROWS_AS(as_json(text), YamlMismatch);
  }
}

TEST_CASE("numbers as Go reads them") {
  CHECK(as_json("[1e-400, 0.1e-999999999999999999999, 0e999, 1e400, 0.001e+400]") == R"([0,0,0,"1e400","0.001e+400"])");
  CHECK(as_json("[0." + std::string(400, '0') + "1, " + std::string(400, '1') + "e-399]") ==
        R"([0,1.1111111111111112E0])");
  CHECK(as_json("[!!int 1, !!int '0x10', !!float 1, !!float 1.5]") == R"([1,16,1,1.5E0])");
  CHECK(as_json("[1e3, 1.0, -2.50e+1, -0.0, 9.2e18, 9.3e18, 1e300]") ==
        "[1000,1,-25,0,9200000000000000000,9.3E18,1E300]");
  for (const char* text : {"!!int 1.0", "!!int 1e3", "!!int .inf", "!!int 99999999999999999999", "!!int x"}) {
    CAPTURE(std::string(text));
    CHECK_THROWS_WITH(as_json(text), "has a value that is not of the type of its tag at line 1");
  }
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
