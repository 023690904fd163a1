// close, cancel and close_async from callbacks and from eight threads at once, while events arrive and connections
// break.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <random>
#include <thread>
#include <vector>

#include "host/close_stress/stressed_stream.hpp"
#include "server/cases/on_server.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

constexpr int kRounds = 40;
constexpr unsigned kThreads = 8;
constexpr unsigned kStreams = 8;
constexpr int kCallsPerThread = 200;
constexpr unsigned kSharing = 20;

Settings settings_of(const ApiServer& server, unsigned number) {
  Settings settings = on_server(server, number % 2 == 0 ? "websocket" : "http");
  settings.emplace_back("backoff_initial", "1ms");
  if (number % 4 < 2) settings.emplace_back("delivery", "manual");
  if (number % 3 == 0) settings.emplace_back("min_interval", "2ms");
  return settings;
}

void call_many(std::deque<StressedStream>& streams, std::uint32_t seed) {
  std::mt19937 engine(seed);
  for (int i = 0; i < kCallsPerThread; ++i) streams[engine() % streams.size()].call_any(engine);
}

// Ends the streams that are still open; with delivery=manual the last callbacks run in close_async itself, or in the
// dispatch that is running.
void end_all(std::deque<StressedStream>& streams) {
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (i % 2 == 0) streams[i].close_async();
    streams[i].close();
  }
  for (int tries = 0; tries < 3'000; ++tries) {
    bool all = true;
    for (const StressedStream& stream : streams) all = all && stream.destroyed() == 1;
    if (all) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void stress(const ApiServer& server, std::uint32_t seed, bool ends_itself) {
  std::deque<StressedStream> streams;
  for (unsigned i = 0; i < kStreams; ++i) {
    streams.emplace_back(ends_itself && i % 2 == 1, seed + i);
    streams.back().open(settings_of(server, i));
  }
  // Half of the rounds begin while the streams connect, the others while events arrive.
  if (seed % 2 == 0) {
    int synced = 0;
    for (StressedStream& stream : streams) synced += stream.wait_synced() ? 1 : 0;
    CHECK(synced > 0);
  }
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back(call_many, std::ref(streams), seed * 100 + i);
  for (std::thread& thread : threads) thread.join();
  end_all(streams);
  for (const StressedStream& stream : streams) {
    CHECK(stream.violations() == std::vector<std::string>{});
    CHECK(stream.destroyed() == 1);
  }
}

}  // namespace

TEST_CASE("close, cancel and close_async from eight threads") {
  ApiServer server(with_token());
  server.script("populate pods 20\nchurn pods 200/s\nevery 30ms drop connections reset");
  for (std::uint32_t seed = 1; seed <= kRounds; ++seed) stress(server, seed, false);
}

TEST_CASE("close, cancel and close_async from eight threads and from callbacks") {
  ApiServer server(with_token());
  server.script("populate pods 20\nchurn pods 200/s\nevery 70ms drop connections");
  for (std::uint32_t seed = 101; seed <= 100 + kRounds; ++seed) stress(server, seed, true);
}

TEST_CASE("a storm of streams that share one watch: opened, ended and opened again from eight threads") {
  ApiServer server(with_token());
  server.script("populate pods 20\nchurn pods 200/s\nevery 50ms drop connections reset");
  for (std::uint32_t round = 0; round < kRounds / 4; ++round) {
    std::deque<StressedStream> streams;
    for (unsigned i = 0; i < kSharing * 2; ++i) streams.emplace_back(i % 3 == 1, round * 100 + i);
    const auto open = [&](unsigned i) {
      Settings settings = on_server(server, "http");
      settings.emplace_back("backoff_initial", "1ms");
      if (i % 4 == 1) settings.emplace_back("delivery", "manual");
      streams[i].open(settings);
    };
    for (unsigned i = 0; i < kSharing; ++i) open(i);
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 engine(round * 100 + t);
        for (unsigned i = t; i < kSharing; i += kThreads) {
          // Another one comes while this one ends.
          open(kSharing + i);
          for (int n = 0; n < 20; ++n) streams[i].call_any(engine);
          i % 2 == 0 ? static_cast<void>(streams[i].close()) : streams[i].close_async();
          for (int n = 0; n < 20; ++n) streams[kSharing + i].call_any(engine);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    end_all(streams);
    for (const StressedStream& stream : streams) {
      CHECK(stream.violations() == std::vector<std::string>{});
      CHECK(stream.destroyed() == 1);
    }
  }
}

TEST_CASE("eight threads close one stream: it is closed once, and destroyed when each call returns") {
  ApiServer server(with_token());
  server.script("populate pods 20\nchurn pods 200/s");
  for (std::uint32_t round = 0; round < 2 * kRounds; ++round) {
    StressedStream stream(false, round);
    stream.open(settings_of(server, round));
    if (round % 3 != 0) stream.wait_synced();
    std::atomic<int> closed{0};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] { closed += stream.close() ? 1 : 0; });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(closed >= 1);
    CHECK(stream.destroyed() == 1);
    CHECK(stream.violations() == std::vector<std::string>{});
  }
}
