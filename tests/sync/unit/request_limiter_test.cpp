// Tests RequestLimiter, alone and with reflectors.
#include "sync/request_limiter.hpp"

#include <doctest/doctest.h>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;

TEST_CASE("at most 20 requests to one server are in flight, the others follow in order") {
  auto server_state = std::make_shared<ServerState>();
  std::vector<std::unique_ptr<Rig>> rigs;
  for (int i = 0; i < 30; ++i) rigs.push_back(std::make_unique<Rig>(plain(), server_state));
  for (auto& rig : rigs) rig->start();
  CHECK(server_state->limiter().in_flight() == 20);
  CHECK(rigs[19]->requests.size() == 1);
  CHECK(rigs[20]->requests.empty());
  CHECK(rigs[20]->state() == State::connecting);

  // The list holds its slot until its last page.
  rigs[3]->list({}, "10", "token");
  CHECK_FALSE(rigs[20]->timer);
  rigs[3]->list({}, "10");
  rigs[20]->advance(0ms);
  CHECK(rigs[20]->requests.size() == 1);
  // The watch that follows the list is queued after the others.
  CHECK_FALSE(rigs[3]->last().is_watch);

  rigs[4]->reflector.cancel();
  rigs[21]->advance(0ms);
  CHECK(rigs[21]->requests.size() == 1);
  rigs[5].reset();
  rigs[22]->advance(0ms);
  CHECK(rigs[22]->requests.size() == 1);
  CHECK(server_state->limiter().in_flight() == 20);
}

TEST_CASE("an open watch holds no slot") {
  auto server_state = std::make_shared<ServerState>();
  Rig rig(plain(), server_state);
  rig.go_live();
  CHECK(server_state->limiter().in_flight() == 0);
}

TEST_CASE("a reflector that is cancelled while queued leaves the queue") {
  auto server_state = std::make_shared<ServerState>();
  std::vector<std::unique_ptr<Rig>> rigs;
  for (int i = 0; i < 22; ++i) rigs.push_back(std::make_unique<Rig>(plain(), server_state));
  for (auto& rig : rigs) rig->start();
  rigs[20]->reflector.cancel();
  rigs[0]->fail_list(http_error(500));
  CHECK_FALSE(rigs[20]->timer);
  rigs[21]->advance(0ms);
  CHECK(rigs[21]->requests.size() == 1);
}

TEST_CASE("retries to one server: 20 at once, then 20 per second") {
  RequestLimiter limiter;
  const Instant now{std::chrono::hours(1)};
  for (int i = 0; i < 20; ++i) CHECK(limiter.reserve_retry(now) == now);
  CHECK(limiter.reserve_retry(now) == now + 50ms);
  CHECK(limiter.reserve_retry(now) == now + 100ms);
  CHECK(limiter.reserve_retry(now + 10s) == now + 10s);
  for (int i = 0; i < 19; ++i) CHECK(limiter.reserve_retry(now + 10s) == now + 10s);
  CHECK(limiter.reserve_retry(now + 10s) == now + 10s + 50ms);
}

TEST_CASE("a thousand streams share the retry budget after an outage") {
  auto server_state = std::make_shared<ServerState>();
  std::vector<std::unique_ptr<Rig>> rigs;
  for (int i = 0; i < 1000; ++i) rigs.push_back(std::make_unique<Rig>(plain(), server_state));
  for (auto& rig : rigs) {
    rig->start();
    rig->advance(0ms);
    if (!rig->requests.empty()) rig->fail_list(unreachable_error());
  }
  const auto sent = [&] {
    std::size_t count = 0;
    for (auto& rig : rigs) count += rig->requests.size();
    return count;
  };
  CHECK(sent() == 1000);
  // Without a budget all 1,000 would try again after 800 ms.
  std::size_t max_per_second = 0;
  for (int second = 0; second < 60; ++second) {
    const std::size_t before = sent();
    for (int step = 0; step < 20; ++step) {
      for (auto& rig : rigs) {
        const std::size_t requests = rig->requests.size();
        rig->advance(50ms);
        if (rig->requests.size() > requests) rig->fail_list(unreachable_error());
      }
    }
    max_per_second = std::max(max_per_second, sent() - before);
  }
  CHECK(max_per_second <= 41);
  CHECK(sent() > 2000);
}
