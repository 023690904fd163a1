#include <doctest/doctest.h>

#include "unit/json/documents.hpp"

namespace ksr::json::testing {
namespace {

// Far enough from every end that the fast paths are taken, and close to one.
std::vector<std::string> settings_of(const std::string& value) {
  const std::string filler = R"({"k":"0123456789abcdef0123456789abcdef0123456789abcdef","n":[1,2.5,true]})";
  return {value, filler + "," + value + "," + filler + "," + filler, R"({"a":)" + value + "}",
          R"([{"a":[)" + value + "," + filler + R"(],"b":)" + value + "}," + filler + "]"};
}

void check_all(const std::string& value, bool valid) {
  for (const std::string& text : settings_of(value)) {
    const Verdict whole = judge(text);
    CHECK_MESSAGE(whole.valid == valid, text);
    for (const bool enter_all : {false, true}) {
      for (const std::size_t chunk : {1, 2, 3, 5, 16, 17, 63, 64, 65, 1000}) {
        const Verdict split = judge(text, chunk, enter_all);
        CHECK_MESSAGE(split == whole, text << " by " << chunk << ": " << split.problem << " / " << whole.problem);
      }
    }
  }
}

TEST_CASE("valid JSON") {
  for (const char* value : {"0",
                            "-0",
                            "1",
                            "-12",
                            "0.5",
                            "1.25e3",
                            "1E+2",
                            "1e-2",
                            "0e0",
                            "true",
                            "false",
                            "null",
                            "\"\"",
                            "{}",
                            "[]",
                            " [ ] ",
                            "{ }",
                            R"({"a":1})",
                            R"({"a":{},"b":[]})",
                            "[[[]],{}]",
                            R"("\"\\\/\b\f\n\r\t")",
                            R"("\u00e9\uD83D\uDE00")",
                            "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
                            "\"\x7f\"",
                            "\t\r\n 1 \n",
                            R"({"":0})",
                            R"("\u0000")",
                            R"({"a" : [ 1 , 2 ] , "b" : "c" })",
                            R"("\\\\\\\\")",
                            R"("\\\"")",
                            "1234567890123456789012345678901234567890",
                            R"("0123456789abcdef\n0123456789abcdef")",
                            R"("{[,:]}\"{[,:]}")",
                            "\"\\\\\"",
                            "[\n  1,\n  [\n    2\n  ]\n]"}) {
    check_all(value, true);
  }
}

TEST_CASE("invalid JSON") {
  for (const char* value : {"01",
                            "-",
                            "+1",
                            "1.",
                            ".5",
                            "1e",
                            "1e+",
                            "0x1",
                            "1.e1",
                            "--1",
                            "1-",
                            "tru",
                            "True",
                            "nul",
                            "truely",
                            "NaN",
                            "Infinity",
                            "'a'",
                            "\"a",
                            R"("\x")",
                            R"("\u12")",
                            R"("\u12g4")",
                            R"("\ud800")",
                            R"("\ud800x")",
                            R"("\ud800\n")",
                            R"("\ud800\ud800")",
                            R"("\udc00")",
                            "\"\n\"",
                            "\"\x01\"",
                            "\"\x1f\"",
                            "\"\xff\"",
                            "\"\xc0\x80\"",
                            "\"\xc3\"",
                            "\"\xed\xa0\x80\"",
                            "\"\xf4\x90\x80\x80\"",
                            "\"\xe2\x82\"",
                            "\"\x80\"",
                            "\"\xf8\x80\x80\x80\x80\"",
                            "{",
                            "}",
                            "[",
                            "{]",
                            "[}",
                            R"({"a"})",
                            R"({"a":})",
                            R"({"a":1,})",
                            "[1,]",
                            "[,1]",
                            R"({,"a":1})",
                            R"({"a":1 "b":2})",
                            R"({1:2})",
                            "[1 2]",
                            R"(["a":1])",
                            R"({"a":1:2})",
                            R"({"a","b"})",
                            R"({"a":1,"b"})",
                            R"(["a""b"])",
                            "[1\"a\"]",
                            "[\"a\"1]",
                            "[{}{}]",
                            "[[][]]",
                            "[1[]]",
                            "[{}1]",
                            "{[]:1}",
                            R"({"a"1})",
                            "\\",
                            "/* */",
                            "[1,\x01]",
                            "[1\x01]",
                            "\xef\xbb\xbf",
                            "\x7f",
                            "[true false]",
                            "[nulll]",
                            "[1e5x]",
                            R"({"a":1,"b":{"c":}})",
                            R"([{"a":1],[2}])",
                            "[\"\\",
                            "tr\"ue"}) {
    check_all(value, false);
  }
  std::string nul = "\"a";
  nul += '\0';
  check_all(nul + "\"", false);
  check_all(std::string(1, '\0'), false);
}

TEST_CASE("depth is bounded and costs no stack") {
  for (const char bracket : {'[', '{'}) {
    std::string deep;
    for (int i = 0; i < 10000; ++i) deep += bracket == '[' ? "[" : R"({"a":)";
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{100}, std::size_t{1} << 30}) {
      const Verdict verdict = judge(deep, chunk);
      CHECK_FALSE(verdict.valid);
      CHECK(verdict.problem.find("too deep") != std::string::npos);
    }
    for (int i = 0; i < 10000; ++i) deep += bracket == '[' ? "]" : (i == 0 ? "1}" : "}");
    CHECK(judge(deep, 1 << 30, false, 10001).valid);
    CHECK(judge(deep, 77, true, 10001).valid);
  }
  const std::string to_the_limit = std::string(511, '[') + std::string(511, ']');
  CHECK(judge(to_the_limit).valid);
  CHECK_FALSE(judge("[" + to_the_limit + "]").valid);
}

TEST_CASE("brackets of both kinds, at every depth around the words of the stack") {
  for (int depth = 55; depth < 140; ++depth) {
    std::string open;
    std::string close;
    for (int i = 0; i < depth; ++i) {
      open += i % 3 == 1 ? R"({"some-key":)" : "[";
      close.insert(0, i % 3 == 1 ? "}" : "]");
    }
    const std::string text = open + "1" + close + "," + open + "[]" + close;
    CHECK(judge(text).valid);
    std::string wrong = text;
    wrong.back() = wrong.back() == ']' ? '}' : ']';
    CHECK_FALSE(judge(wrong).valid);
    CHECK_FALSE(judge(open + "1" + close + "]").valid);
    CHECK(judge(text, 7) == judge(text));
  }
}

}  // namespace
}  // namespace ksr::json::testing
