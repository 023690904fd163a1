#include <doctest/doctest.h>

#include <string>

#include "json/json_pointer.hpp"

namespace ksr::json::testing {
namespace {

// "(none)" when the pointer finds nothing.
std::string at(std::string_view document, std::string_view pointer) {
  const auto found = find_pointer(document, pointer);
  if (!found) return "(none)";
  if (found->data() < document.data() || found->data() + found->size() > document.data() + document.size())
    return "(copy)";
  return std::string(*found);
}

TEST_CASE("the examples of RFC 6901, section 5") {
  constexpr char kDocument[] =
      R"({"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8})";
  CHECK(at(kDocument, "") == kDocument);
  CHECK(at(kDocument, "/foo") == R"(["bar", "baz"])");
  CHECK(at(kDocument, "/foo/0") == "\"bar\"");
  CHECK(at(kDocument, "/") == "0");
  CHECK(at(kDocument, "/a~1b") == "1");
  CHECK(at(kDocument, "/c%d") == "2");
  CHECK(at(kDocument, "/e^f") == "3");
  CHECK(at(kDocument, "/g|h") == "4");
  CHECK(at(kDocument, "/i\\j") == "5");
  CHECK(at(kDocument, "/k\"l") == "6");
  CHECK(at(kDocument, "/ ") == "7");
  CHECK(at(kDocument, "/m~0n") == "8");
}

TEST_CASE("pointers that find nothing") {
  constexpr char kDocument[] = R"({"a":[1,[],{}],"s":"x","~1":9})";
  for (const char* pointer :
       {"a", "/b", "/a/3", "/a/-", "/a/01", "/a/-1", "/a/+1", "/a/x", "/a/", "/a/1/0", "/a/2/x", "/s/0", "/a/0/0", "/~",
        "/~2", "/b/~", "/a/18446744073709551616", "/a/99999999999999999999999", "//"}) {
    CHECK_MESSAGE(at(kDocument, pointer) == "(none)", pointer);
  }
  CHECK(at(kDocument, "/~01") == "9");
  CHECK(at("", "") == "(none)");
  CHECK(at("", "/a") == "(none)");
}

TEST_CASE("spaces, escapes, equal keys, every kind of value") {
  constexpr char kDocument[] =
      "\n{ \"x\" : 1 , \"\\u0061\" : [ true , -1.5e3 , null , \"}]\\\"\\\\\" , { \"d\" : { \"e\" : [ 0 ] } } ] , \"x\" "
      ": 2 } \n";
  CHECK(at(kDocument, "/x") == "2");
  CHECK(at(kDocument, "/a/0") == "true");
  CHECK(at(kDocument, "/a/1") == "-1.5e3");
  CHECK(at(kDocument, "/a/2") == "null");
  CHECK(at(kDocument, "/a/3") == "\"}]\\\"\\\\\"");
  CHECK(at(kDocument, "/a/4/d/e/0") == "0");
  CHECK(at(kDocument, "/a/4/d") == R"({ "e" : [ 0 ] })");
  CHECK(at("7", "") == "7");
  CHECK(at(R"({"":{"":[5]}})", "///0") == "5");
}

TEST_CASE("strings and depths longer than any wide step") {
  std::string document = R"({"skip":)" + std::string(5000, '[') + R"("]\"}\\")" + std::string(5000, ']') + R"(,"t":")" +
                         std::string(300, 'y') + R"(\\\"","hit":[{"a":"}"},42]})";
  CHECK(at(document, "/hit/1") == "42");
  CHECK(at(document, "/t").size() == 306);
}

TEST_CASE("invalid JSON is not read past its end") {
  const std::string document = R"({"a":{"b":["c\"d",{"e":[1,2]}]},"f":"g"})";
  for (std::size_t size = 0; size < document.size(); ++size) {
    const std::string cut = document.substr(0, size);
    for (const char* pointer : {"", "/a", "/a/b/1/e/1", "/f", "/z"}) {
      const std::string found = at(cut, pointer);
      CHECK(found != "(copy)");
    }
  }
  for (const char* text :
       {"}", "]", ",", ":", "{]", "[}", "{{", R"({"a")", R"({"a":)", R"({"a",})", "[,]", "\"", "\"\\"}) {
    CHECK(at(text, "/a") == "(none)");
    CHECK(at(text, "/0/0") == "(none)");
  }
}

}  // namespace
}  // namespace ksr::json::testing
