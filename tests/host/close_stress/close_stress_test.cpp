// Close, cancel and close_async from callbacks and from eight threads at once, while events pour in and connections
// break.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <random>
#include <thread>
#include <vector>

#include "host/close_stress/guest.hpp"
#include "server/cases/on_server.hpp"

using namespace ksr_test;
using ksr::testserver::ApiServer;

namespace {

constexpr int storms = 40;
constexpr unsigned pokers = 8;
constexpr unsigned guests_under_stress = 8;
constexpr int pokes = 200;

Settings settings_of(const ApiServer& server, unsigned number) {
  Settings settings = on_server(server, number % 2 == 0 ? "websocket" : "http");
  settings.emplace_back("backoff_initial", "1ms");
  if (number % 4 < 2) settings.emplace_back("delivery", "manual");
  if (number % 3 == 0) settings.emplace_back("min_interval", "2ms");
  return settings;
}

void blow(std::deque<Guest>& guests, std::uint32_t seed) {
  std::mt19937 random(seed);
  for (int i = 0; i < pokes; ++i) guests[random() % guests.size()].poke(random);
}

// Those that nobody has ended yet; a stream that delivers by hand makes its last callbacks in close_async itself, or
// in the dispatch that runs.
void end_all(std::deque<Guest>& guests) {
  for (std::size_t i = 0; i < guests.size(); ++i) {
    if (i % 2 == 0) guests[i].close_async();
    guests[i].close();
  }
  for (int tries = 0; tries < 3'000; ++tries) {
    bool all = true;
    for (const Guest& guest : guests) all = all && guest.destroyed() == 1;
    if (all) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void storm(const ApiServer& server, std::uint32_t seed, bool unruly) {
  std::deque<Guest> guests;
  for (unsigned i = 0; i < guests_under_stress; ++i) {
    guests.emplace_back(unruly && i % 2 == 1, seed + i);
    guests.back().open(settings_of(server, i));
  }
  // Some storms meet streams that connect, some streams whose events pour in.
  if (seed % 2 == 0) {
    int synced = 0;
    for (Guest& guest : guests) synced += guest.wait_synced() ? 1 : 0;
    CHECK(synced > 0);
  }
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < pokers; ++i) threads.emplace_back(blow, std::ref(guests), seed * 100 + i);
  for (std::thread& thread : threads) thread.join();
  end_all(guests);
  for (const Guest& guest : guests) {
    CHECK(guest.violations() == std::vector<std::string>{});
    CHECK(guest.destroyed() == 1);
  }
}

}  // namespace

TEST_CASE("a storm of close, cancel and close_async from eight threads") {
  ApiServer server(with_token());
  server.script("populate pods 20\nchurn pods 200/s\nevery 30ms drop connections reset");
  for (std::uint32_t seed = 1; seed <= storms; ++seed) storm(server, seed, false);
}

TEST_CASE("a storm in which callbacks end their own streams too") {
  ApiServer server(with_token());
  server.script("populate pods 20\nchurn pods 200/s\nevery 70ms drop connections");
  for (std::uint32_t seed = 101; seed <= 100 + storms; ++seed) storm(server, seed, true);
}

TEST_CASE("eight threads close one stream: one of them has closed it, and it is gone for all") {
  ApiServer server(with_token());
  server.script("populate pods 20\nchurn pods 200/s");
  for (std::uint32_t round = 0; round < 2 * storms; ++round) {
    Guest guest(false, round);
    guest.open(settings_of(server, round));
    if (round % 3 != 0) guest.wait_synced();
    std::atomic<int> closed{0};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < pokers; ++i) {
      threads.emplace_back([&] { closed += guest.close() ? 1 : 0; });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(closed >= 1);
    CHECK(guest.destroyed() == 1);
    CHECK(guest.violations() == std::vector<std::string>{});
  }
}
