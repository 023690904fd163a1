// Tests Backoff and ImmediateRetry.
#include "sync/backoff.hpp"

#include <doctest/doctest.h>

#include "support/rig.hpp"
#include "sync/retry_plan.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;

TEST_CASE("the backoff doubles from 800 ms to 30 s") {
  Backoff backoff(800ms, 30s);
  FixedRandom random;
  std::vector<Milliseconds> delays;
  for (int i = 0; i < 8; ++i) delays.push_back(backoff.next(random));
  CHECK(delays == std::vector<Milliseconds>{800ms, 1600ms, 3200ms, 6400ms, 12800ms, 25600ms, 30s, 30s});
}

TEST_CASE("the jitter adds up to 100 %") {
  Backoff backoff(800ms, 30s);
  FixedRandom random;
  random.value = 0.5;
  CHECK(backoff.next(random) == 1200ms);
  random.value = 0.999;
  CHECK(backoff.next(random) == 1600ms + 1598ms);
}

TEST_CASE("only a reset shortens the backoff") {
  Backoff backoff(800ms, 30s);
  FixedRandom random;
  for (int i = 0; i < 10; ++i) backoff.next(random);
  CHECK(backoff.next(random) == 30s);
  backoff.reset();
  CHECK(backoff.next(random) == 800ms);
}

TEST_CASE("a backoff of zero waits nevertheless") {
  Backoff backoff(0ms, 0ms);
  FixedRandom random;
  CHECK(backoff.next(random) > 0ms);
}

TEST_CASE("another way is tried at once only so often between two waits, or two successes") {
  Options options;
  options.candidates = 3;
  ServerState server_state;
  FixedRandom random;
  RetryPlan plan(options, server_state, random);
  const auto taken = [&] {
    int count = 0;
    while (count < 100 && plan.take_other_way()) ++count;
    return count;
  };
  CHECK(taken() == 9);
  plan.begin_wait(nullptr, 800ms, Instant{});
  CHECK(taken() == 9);
  CHECK(taken() == 0);
  plan.note_healthy();
  CHECK(taken() == 9);
}

TEST_CASE("the immediate retry needs progress and a minimum interval") {
  ImmediateRetry retry(30s);
  const Instant start{std::chrono::hours(1)};
  CHECK(retry.take(start));
  CHECK_FALSE(retry.take(start + 60s));
  retry.renew();
  CHECK(retry.take(start + 60s));
  retry.renew();
  CHECK_FALSE(retry.take(start + 89s));
  CHECK(retry.take(start + 90s));
}
