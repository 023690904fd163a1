#include "base/civil_time.hpp"

#include <doctest/doctest.h>

using namespace ksr;

namespace {

long long seconds(const char* text) {
  const auto time = parse_rfc3339(text);
  REQUIRE(time.has_value());
  return time->seconds;
}

}  // namespace

TEST_CASE("RFC 3339 times are read in any zone") {
  CHECK(seconds("1970-01-01T00:00:00Z") == 0);
  CHECK(seconds("2000-02-29T12:00:00Z") == 951825600);
  CHECK(seconds("2026-11-24T09:00:00.123456Z") == 1795510800);
  CHECK(seconds("2026-11-24T10:00:00+01:00") == 1795510800);
  CHECK(seconds("2026-11-24T03:30:00-05:30") == 1795510800);
  CHECK(seconds("1969-12-31T23:59:59z") == -1);
  CHECK(seconds("9999-12-31T23:59:59Z") > 8'000'000'000);
  CHECK(seconds("0001-01-01T00:00:00Z") < 0);
  CHECK(parse_rfc3339("2026-11-24T09:00:00.1234567899Z")->nanoseconds == 123'456'789);
}

TEST_CASE("what is not an RFC 3339 time is refused") {
  for (const char* text :
       {"", "2026", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Z ", "2026-01-01T00:00:00+1:00",
        "-026-01-01T00:00:00Z", "2026-00-01T00:00:00Z", "tomorrow"}) {
    CAPTURE(text);
    CHECK(!parse_rfc3339(text).has_value());
  }
}

TEST_CASE("HTTP dates are read") {
  const auto parse_http_date = [](const char* text) {
    return ksr::parse_http_date(text, to_time_point(*parse_rfc3339("2026-11-30T12:00:00Z")));
  };
  // The example of RFC 9110, section 5.6.7.
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT")->seconds == 784111777);
  CHECK(parse_http_date("Thu, 29 Feb 2024 12:00:00 GMT")->seconds == 1709208000);
  CHECK(parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT")->seconds == 253402300799);
  CHECK(parse_http_date("Sun, 06 Nov 1560 08:49:37 GMT")->seconds < 0);
  for (const char* text : {"",
                           "Sun, 06 Nov 1994",
                           "Sun, 06 Nov 1994 25:49:37 GMT",
                           "Sun, 06 Foo 1994 08:49:37 GMT",
                           "Sun, 31 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 06 Nov 1994 08:49:37 GMT ",
                           "Su",
                           "Sun, 06-Nov-94 08:49:37 GMT",
                           "Sunday, 06-Nov-1994 08:49:37 GMT",
                           "Sunday, 06 Nov 94 08:49:37 GMT",
                           "Sunday, 06-Foo-94 08:49:37 GMT",
                           "Sunday, 31-Nov-94 08:49:37 GMT",
                           "Thursday, 29-Feb-01 08:49:37 GMT",
                           "Sunday, 06-Nov-94 08:49:37 GMT ",
                           "Sunday, 06-Nov-94 08:49:37",
                           "Sunday,",
                           ",",
                           "Sun Nov 6 08:49:37 1994",
                           "Sun Nov 06 08:49:37 1994 ",
                           "Sun Nov  0 08:49:37 1994",
                           "Sun Nov 31 08:49:37 1994",
                           "Sun Foo  6 08:49:37 1994",
                           "Sun Nov  6 08:49:37 94",
                           "Sunday Nov  6 08:49:37 1994",
                           "Sun Nov  6 08:49:37 1994 GMT"}) {
    CAPTURE(text);
    CHECK(!parse_http_date(text));
  }
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT")->seconds == 784111777);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994")->seconds == 784111777);
  CHECK(parse_http_date("Wed Nov 16 08:49:37 1994")->seconds == 784975777);
  // Two digits are a year of which the last 50 are to come.
  const auto seconds_in = [](const char* text) { return parse_rfc3339(text)->seconds; };
  CHECK(parse_http_date("Monday, 30-Nov-26 12:00:20 GMT")->seconds == seconds_in("2026-11-30T12:00:20Z"));
  CHECK(parse_http_date("Sunday, 29-Nov-76 12:00:00 GMT")->seconds == seconds_in("2076-11-29T12:00:00Z"));
  CHECK(parse_http_date("Wednesday, 02-Dec-76 12:00:00 GMT")->seconds == seconds_in("1976-12-02T12:00:00Z"));
  CHECK(parse_http_date("Tuesday, 29-Feb-00 12:00:00 GMT")->seconds == seconds_in("2000-02-29T12:00:00Z"));
}

TEST_CASE("times beyond what the clock can hold are its ends") {
  const auto first = to_time_point(*parse_rfc3339("0001-01-01T00:00:00Z"));
  const auto last = to_time_point(*parse_rfc3339("9999-12-31T23:59:59Z"));
  CHECK(first < std::chrono::system_clock::time_point());
  CHECK(last > std::chrono::system_clock::now() + std::chrono::hours(24 * 365 * 100));
  CHECK(to_time_point({5, 0}) == std::chrono::system_clock::time_point(std::chrono::seconds(5)));
}
