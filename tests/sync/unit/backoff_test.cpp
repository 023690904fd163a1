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
  Instant now{1h};
  const auto taken = [&] {
    int count = 0;
    while (count < 100 && plan.take_other_way(now)) ++count;
    return count;
  };
  CHECK(taken() == 8);
  plan.begin_wait(nullptr, 800ms, now);
  CHECK(taken() == 8);
  CHECK(taken() == 0);
  now += 29s;
  plan.note_healthy();
  CHECK(taken() == 0);
  now += 1s;
  CHECK(taken() == 8);
}

TEST_CASE("a round of names begins with progress only 30 s after the last one began") {
  Candidates candidates(3, 1);
  Instant now{1h};
  CHECK(candidates.advance(now));
  CHECK(candidates.advance(now));
  CHECK(candidates.current() == 0);
  candidates.note_found();
  CHECK_FALSE(candidates.advance(now + 29s));
  CHECK(candidates.current() == 1);
  now += 1h;
  CHECK(candidates.advance(now));
  candidates.note_found();
  now += 30s;
  for (int i = 0; i < 2; ++i) CHECK(candidates.advance(now));
  CHECK_FALSE(candidates.advance(now));
  Candidates one(1, 0);
  one.note_found();
  CHECK_FALSE(one.advance(now));
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
