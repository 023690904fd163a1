#include "base/resource_version.hpp"

#include <doctest/doctest.h>

using ksr::compare_resource_versions;

TEST_CASE("resource versions compare as digit strings of any length") {
  CHECK(*compare_resource_versions("9", "10") < 0);
  CHECK(*compare_resource_versions("10", "9") > 0);
  CHECK(*compare_resource_versions("10", "10") == 0);
  // Beyond doubles (2^53) and beyond 64 bits, where others lose updates.
  CHECK(*compare_resource_versions("9007199254740992", "9007199254740993") < 0);
  CHECK(*compare_resource_versions("99999999999999999999999999999998", "99999999999999999999999999999999") < 0);
}

TEST_CASE("what is no version compares with nothing") {
  for (const char* odd : {"", "0", "007", "-1", "+1", "1a", "0x10", " 1", "1.0"}) {
    CAPTURE(odd);
    CHECK_FALSE(compare_resource_versions(odd, "5").has_value());
    CHECK_FALSE(compare_resource_versions("5", odd).has_value());
  }
}
