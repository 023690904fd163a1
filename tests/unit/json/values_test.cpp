#include "json/values.hpp"

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "json/json_pointer.hpp"

using namespace ksr::json;

namespace {

// What is copied with that much room, and the length that is returned; "(none)" for no string.
std::string copied(std::string_view value, std::size_t size, std::size_t* length = nullptr) {
  std::vector<char> to(size + 1, '#');
  const auto found = copy_string(value, to.data(), size);
  if (!found) return "(none)";
  if (length != nullptr) *length = *found;
  CHECK(to[size] == '#');
  return size == 0 ? std::string() : std::string(to.data());
}

}  // namespace

TEST_CASE("strings are decoded, cut between characters, and always end in a NUL") {
  std::size_t length = 0;
  CHECK(copied(R"("plain")", 100, &length) == "plain");
  CHECK(length == 5);
  CHECK(copied(R"("a\"\\\/\b\f\n\r\té")", 100, &length) == "a\"\\/\b\f\n\r\t\xc3\xa9");
  CHECK(length == 11);
  CHECK(copied(R"("😀")", 100) == "\xf0\x9f\x98\x80");
  for (const char* alone : {R"("\ud83d")", R"("\ude00")", R"("\ud83dx")", R"("\ud83d\n")", R"("\ud83dA")"}) {
    CHECK(copied(alone, 100).rfind("\xef\xbf\xbd", 0) == 0);
  }
  CHECK(copied(R"("\ud83dA")", 100) ==
        "\xef\xbf\xbd"
        "A");
  const char* mixed = R"("a\u00e9\u20ac\ud83d\ude00b")";  // 1, 2, 3, 4 and 1 bytes
  const std::string whole =
      "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"
      "b";
  const std::size_t fits[] = {0, 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
  for (std::size_t size = 0; size < std::size(fits); ++size) {
    CAPTURE(size);
    CHECK(copied(mixed, size, &length) == whole.substr(0, fits[size]));
    CHECK(length == whole.size());
  }
  CHECK(copied("\"\xc3\xa9\"", 2) == "");
  CHECK(copied(R"("")", 1) == "");
  CHECK(copy_string("\"abc\"", nullptr, 0) == 3);
  for (const char* other : {"1", "true", "null", "{}", "[\"a\"]", ""}) CHECK(copied(other, 10) == "(none)");
}

TEST_CASE("integers are what JSON means by them") {
  const std::vector<std::pair<const char*, std::int64_t>> there{{"0", 0},
                                                                {"-0", 0},
                                                                {"-0.0e7", 0},
                                                                {"0e999999999999", 0},
                                                                {"42", 42},
                                                                {"-7", -7},
                                                                {"1e3", 1000},
                                                                {"1E+3", 1000},
                                                                {"1.5e1", 15},
                                                                {"1.50", 0},  // see below
                                                                {"100e-2", 1},
                                                                {"0.001e3", 1},
                                                                {"1.0", 1},
                                                                {"9223372036854775807", INT64_MAX},
                                                                {"9.223372036854775807e18", INT64_MAX},
                                                                {"-9223372036854775808", INT64_MIN}};
  for (const auto& [text, number] : there) {
    CAPTURE(text);
    const auto found = integer_of(text);
    if (std::string(text) == "1.50") {
      CHECK_FALSE(found);
      continue;
    }
    REQUIRE(found);
    CHECK(*found == number);
  }
  for (const char* text : {"1.5", "0.1", "1e-1", "15e-1", "9223372036854775808", "-9223372036854775809", "1e19",
                           "1e999999999999", "123456789012345678901234567890", "\"1\"", "true", "null", "[1]", ""}) {
    CAPTURE(text);
    CHECK_FALSE(integer_of(text));
  }
}

TEST_CASE("doubles, the largest and the smallest too") {
  CHECK(double_of("1.5") == 1.5);
  CHECK(double_of("-1e3") == -1000.0);
  CHECK(double_of("1.7976931348623157e308") == std::numeric_limits<double>::max());
  CHECK_FALSE(double_of("1e309"));
  CHECK_FALSE(double_of("-1e999999"));
  CHECK_FALSE(double_of("0.001e999999"));
  CHECK(double_of("1e-400") == 0.0);
  CHECK(double_of("123e-999999") == 0.0);
  CHECK(std::signbit(double_of("-1e-400").value_or(1)));
  for (const char* text : {"\"1\"", "true", "null", "{}", ""}) CHECK_FALSE(double_of(text));
}

TEST_CASE("booleans and times") {
  CHECK(boolean_of("true") == true);
  CHECK(boolean_of("false") == false);
  for (const char* text : {"\"true\"", "1", "null", ""}) CHECK_FALSE(boolean_of(text));
  CHECK(unix_milliseconds_of(R"("1970-01-01T00:00:01Z")") == 1000);
  CHECK(unix_milliseconds_of(R"("2026-11-28T12:00:00.1239Z")") == 1'795'867'200'123);
  CHECK(unix_milliseconds_of(R"("1969-12-31T23:59:59.5Z")") == -500);
  CHECK(unix_milliseconds_of(R"("1970-01-01T02:00:00\u002b02:00")") == 0);
  const std::string digits(5000, '9');
  CHECK(unix_milliseconds_of("\"1970-01-01T00:00:00.0015" + digits + "\\u0039" + digits + "Z\"") == 1);
  CHECK(unix_milliseconds_of("\"1970-01-01T02:00:00." + digits + "+02:00\"") == 999);
  CHECK_FALSE(unix_milliseconds_of("\"1970-01-01T00:00:00." + digits + "\""));
  CHECK_FALSE(unix_milliseconds_of("\"1970-01-01T00:00:00." + digits + "." + digits + "Z\""));
  for (const char* text : {"\"yesterday\"", "\"\"", "1000", "null", "\"2026-11-28\"", ""}) {
    CHECK_FALSE(unix_milliseconds_of(text));
  }
  CHECK_FALSE(unix_milliseconds_of("\"" + std::string(100, '1') + "\""));
}

TEST_CASE("sizes of arrays and objects, and the names of members") {
  CHECK(size_of("[]") == 0);
  CHECK(size_of(" [ ]") == std::nullopt);  // find_pointer returns values without the spaces around them
  CHECK(size_of("[1, [2, 3], {\"a\": 4}, \"]\"]") == 4);
  CHECK(size_of("{}") == 0);
  CHECK(size_of("{ \"a\" : {\"b\": 1}, \"c,}\": [1, 2] }") == 2);
  for (const char* text : {"1", "\"[]\"", "null", ""}) CHECK_FALSE(size_of(text));
  const char* object = R"({"a": {"x": 1}, "\u0062\n": 2})";
  CHECK(key_of(object, 0) == "\"a\"");
  CHECK(copied(*key_of(object, 1), 10) == "b\n");
  CHECK_FALSE(key_of(object, 2));
  CHECK_FALSE(key_of("[1]", 0));
  CHECK_FALSE(key_of("{}", 0));
}

TEST_CASE("pointers with long names and escapes on either side") {
  const std::string name(200, 'n');
  const std::string document = "{\"" + name + "/~\": {\"app.kubernetes.io\\/name\": \"web\"}}";
  CHECK(find_pointer(document, "/" + name + "~1~0/app.kubernetes.io~1name") == "\"web\"");
  CHECK_FALSE(find_pointer(document, "/" + name + "~1~0/app.kubernetes.io~1nam"));
  CHECK_FALSE(find_pointer(document, "/" + name + "~1~0x/app.kubernetes.io~1name"));
  CHECK_FALSE(find_pointer(document, "/" + name + "~1~"));
  CHECK_FALSE(find_pointer(document, "/~2"));
  CHECK(find_pointer(R"({"\u0061\u00e9": 1})", "/a\xc3\xa9") == "1");
}

TEST_CASE("random numbers are read as an independent parser reads them") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string text = random() % 2 == 0 ? "-" : "";
    text += std::to_string(random() % (random() % 3 == 0 ? 10 : UINT64_MAX));
    if (random() % 3 == 0) text += "." + std::to_string(random() % 1000);
    if (random() % 3 == 0) text += (random() % 2 == 0 ? "e-" : "e") + std::to_string(random() % 25);
    CAPTURE(text);
    boost::json::parse_options options;
    const boost::json::value value = boost::json::parse(text, {}, options);
    const auto mine = double_of(text);
    REQUIRE(mine);
    const double theirs = value.is_int64()    ? static_cast<double>(value.as_int64())
                          : value.is_uint64() ? static_cast<double>(value.as_uint64())
                                              : value.as_double();
    // Boost.JSON rounds less exactly.
    CHECK(std::abs(*mine - theirs) <= std::abs(theirs) * 1e-14);
    const auto integer = integer_of(text);
    if (value.is_int64()) {
      CHECK(integer == value.as_int64());
    } else if (value.is_uint64()) {
      CHECK_FALSE(integer);
    } else if (integer) {
      CHECK(static_cast<double>(*integer) == *mine);
    } else {
      CHECK((std::floor(*mine) != *mine || std::abs(*mine) >= 1e10));
    }
  }
}
