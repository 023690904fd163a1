#include "stream/suspend_watch.hpp"

#include <doctest/doctest.h>

using namespace ksr;
using namespace ksr::stream;

TEST_CASE("a suspended machine shows as a growing offset between two clocks") {
  SuspendWatch watch;
  CHECK_FALSE(watch.slept(Milliseconds(1'000)));
  CHECK_FALSE(watch.slept(Milliseconds(1'500)));
  CHECK(watch.slept(Milliseconds(61'500)));
  CHECK_FALSE(watch.slept(Milliseconds(61'500)));
  watch.reset();
  CHECK_FALSE(watch.slept(Milliseconds(900'000)));
}
