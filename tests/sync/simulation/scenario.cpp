#include "simulation/scenario.hpp"

#include <array>

namespace ksr::sync::testing {

using namespace std::chrono_literals;

namespace {

template <class T, std::size_t N>
T choose(SeededRandom& random, const std::array<T, N>& choices) {
  return choices[random.below(N)];
}

Options draw_options(SeededRandom& random) {
  Options options;
  options.initial = choose<Initial>(random, std::array{Initial::automatic, Initial::list, Initial::watchlist});
  options.transport = choose(random, std::array{WatchTransport::automatic, WatchTransport::automatic,
                                                WatchTransport::websocket, WatchTransport::http});
  options.page_size = choose<std::size_t>(random, std::array<std::size_t, 4>{500, 0, 3, 5});
  options.candidates = random.chance(0.2) ? 2 : 1;
  options.watch_timeout = choose(random, std::array<std::optional<Milliseconds>, 5>{std::nullopt, 7s, 30s, 60s, 240s});
  options.resource = "v1/things";
  return options;
}

}  // namespace

Scenario::Scenario(std::uint64_t seed, SeededRandom& random) : options(draw_options(random)) {
  streams = seed % 100 == 99 ? 60 : random.chance(0.2) ? 3 : 1;
  actions = streams > 10 ? 60 : 200;
  pace = choose(random, std::array<Milliseconds, 4>{100ms, 500ms, 2s, 6s});

  replicas = 1 + random.below(3);
  watch_cache = random.chance(0.8);
  window = 3 + random.below(40);
  gone_by_status = choose(random, std::array{0.0, 0.3, 1.0});
  bookmarks = watch_cache && random.chance(0.85);
  pings = random.chance(0.5);
  watchlist = choose(
      random, std::array{WatchListSupport::works, WatchListSupport::works, WatchListSupport::works,
                         WatchListSupport::refused, WatchListSupport::fails_in_stream, WatchListSupport::ignored});
  const bool may_lack = options.transport == WatchTransport::automatic;
  websocket = choose(random, std::array{WebSocketSupport::works, WebSocketSupport::works,
                                        may_lack ? WebSocketSupport::refused : WebSocketSupport::works,
                                        may_lack ? WebSocketSupport::unanswered : WebSocketSupport::works});
  max_delay = choose(random, std::array<Milliseconds, 4>{0ms, 20ms, 300ms, 2s});
  max_lag = choose(random, std::array<Milliseconds, 4>{0ms, 100ms, 2s, 8s});

  // Most scenarios have a few kinds of faults, some have none, some all of them.
  const auto sometimes = [&](double weight) { return random.chance(0.55) ? weight * (0.2 + random.unit()) : 0.0; };
  cuts = sometimes(2);
  outages = sometimes(0.6);
  refusals = sometimes(1);
  expiries = sometimes(2);
  inconsistencies = sometimes(1);
  sleeps = sometimes(0.3);
}

}  // namespace ksr::sync::testing
