#include <doctest/doctest.h>

#include <limits>

#include "store/timestamp.hpp"

namespace ksr::store::test {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST_CASE("timestamps are the nanoseconds since 1970") {
  CHECK(parse_timestamp("1970-01-01T00:00:00Z") == 0);
  CHECK(parse_timestamp("2024-02-29T12:34:56Z") == 1709210096 * kSecond);
  CHECK(parse_timestamp("2000-03-01T00:00:00Z") == 951868800 * kSecond);
  CHECK(parse_timestamp("1969-12-31T23:59:59.5Z") == -kSecond / 2);
  CHECK(parse_timestamp("1970-01-01T00:00:00.123456Z") == 123456000);
  CHECK(parse_timestamp("1970-01-01t00:00:00.000000001z") == 1);
  CHECK(parse_timestamp("1970-01-01T00:00:00.0000000019999Z") == 1);
}

TEST_CASE("an offset names the same time") {
  CHECK(parse_timestamp("1970-01-01T01:30:00+01:30") == 0);
  CHECK(parse_timestamp("1969-12-31T19:00:00.25-05:00") == kSecond / 4);
  CHECK(parse_timestamp("1970-01-01T00:00:00-00:00") == 0);
}

TEST_CASE("a leap second is the second that follows") {
  CHECK(parse_timestamp("2016-12-31T23:59:60Z") == parse_timestamp("2017-01-01T00:00:00Z"));
}

TEST_CASE("times out of range are the ends of it") {
  CHECK(parse_timestamp("9999-12-31T23:59:59Z") == std::numeric_limits<std::int64_t>::max());
  CHECK(parse_timestamp("0001-01-01T00:00:00Z") == kNoTime + 1);
  CHECK(parse_timestamp("0000-01-01T00:00:00+23:59") == kNoTime + 1);
  CHECK(parse_timestamp("2262-04-11T23:47:14.999999999Z") < std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("a string that is not a timestamp is the oldest") {
  for (const char* text : {"",
                           "x",
                           "2024",
                           "2024-01-01",
                           "2024-01-01T00:00:00",
                           "2024-01-01 00:00:00Z",
                           "2024-13-01T00:00:00Z",
                           "2024-00-01T00:00:00Z",
                           "2024-01-00T00:00:00Z",
                           "2023-02-29T00:00:00Z",
                           "2024-04-31T00:00:00Z",
                           "2024-01-01T24:00:00Z",
                           "2024-01-01T00:60:00Z",
                           "2024-01-01T00:00:61Z",
                           "2024-01-01T00:00:00.Z",
                           "2024-01-01T00:00:00Zx",
                           "2024-01-01T00:00:00+1:00",
                           "2024-01-01T00:00:00+24:00",
                           "2024-01-01T00:00:00+01:60",
                           "2024-01-01T00:00:00+0100",
                           "+024-01-01T00:00:00Z",
                           "2024-1-01T00:00:00Z",
                           "-2024-01-01T00:00:00Z",
                           "null"}) {
    CAPTURE(text);
    CHECK(parse_timestamp(text) == kNoTime);
  }
}

}  // namespace
}  // namespace ksr::store::test
