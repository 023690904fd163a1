#include "cluster/rfc3339.hpp"

#include <doctest/doctest.h>

using ksr::cluster::parse_rfc3339;

namespace {

long long seconds(const char* text) {
  const auto time = parse_rfc3339(text);
  REQUIRE(time.has_value());
  return std::chrono::duration_cast<std::chrono::seconds>(time->time_since_epoch()).count();
}

}  // namespace

TEST_CASE("times are read to the second, in any zone") {
  CHECK(seconds("1970-01-01T00:00:00Z") == 0);
  CHECK(seconds("2000-02-29T12:00:00Z") == 951825600);
  CHECK(seconds("2026-11-24T09:00:00.123456Z") == 1795510800);
  CHECK(seconds("2026-11-24T10:00:00+01:00") == 1795510800);
  CHECK(seconds("2026-11-24T03:30:00-05:30") == 1795510800);
  CHECK(seconds("1969-12-31T23:59:59z") == -1);
  CHECK(seconds("9999-12-31T23:59:59Z") > 8'000'000'000);
  CHECK(seconds("0001-01-01T00:00:00Z") < 0);
}

TEST_CASE("what is no time is refused") {
  for (const char* text :
       {"", "2026", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Z ", "2026-01-01T00:00:00+1:00",
        "-026-01-01T00:00:00Z", "2026-00-01T00:00:00Z", "tomorrow"}) {
    CAPTURE(text);
    CHECK(!parse_rfc3339(text).has_value());
  }
}
