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
  options.initial =
      choose<Initial>(random, std::array{Initial::automatic, Initial::list, Initial::watchlist, Initial::watchlist});
  options.transport = choose(random, std::array{WatchTransport::automatic, WatchTransport::automatic,
                                                WatchTransport::websocket, WatchTransport::http});
  options.encoding = choose(random, std::array{Encoding::automatic, Encoding::automatic, Encoding::json});
  options.page_size = choose<std::size_t>(random, std::array<std::size_t, 4>{500, 0, 3, 5});
  options.candidates = random.chance(0.2) ? 2 : 1;
  options.watch_timeout = choose(random, std::array<std::optional<Milliseconds>, 5>{std::nullopt, 7s, 30s, 60s, 240s});
  options.resource = "v1/things";
  return options;
}

// Only what the client can avoid.
Gateway draw_gateway(SeededRandom& random, WatchTransport transport) {
  if (random.chance(0.4)) return Gateway::none;
  if (random.chance(0.2)) return Gateway::cuts_all;
  const bool breaks_websocket =
      transport == WatchTransport::http || (transport == WatchTransport::automatic && random.chance(0.7));
  if (!breaks_websocket && transport == WatchTransport::websocket) {
    return choose(random, std::array{Gateway::swallows_http, Gateway::mutes_http});
  }
  if (!breaks_websocket) {
    return choose(random, std::array{Gateway::swallows_http, Gateway::mutes_http, Gateway::buffers_http,
                                     Gateway::withholds_http});
  }
  return choose(random, std::array{Gateway::refuses_websocket, Gateway::refuses_websocket, Gateway::cuts_handshakes,
                                   Gateway::swallows_handshakes, Gateway::closes_websockets, Gateway::mutes_websockets,
                                   Gateway::buffers_http, Gateway::withholds_http});
}

}  // namespace

Scenario::Scenario(std::uint64_t scenario_seed, SeededRandom& random)
    : seed(scenario_seed), options(draw_options(random)) {
  streams = seed % 100 == 99 ? 60 : random.chance(0.2) ? 3 : 1;
  sharing = std::array{0.0, 0.02, 0.2}[seed % 3];
  actions = streams > 10 ? 60 : 200;
  pace = choose(random, std::array<Milliseconds, 4>{100ms, 500ms, 2s, 6s});

  replicas = 1 + random.below(3);
  watch_cache = random.chance(0.8);
  window = 3 + random.below(40);
  gone_by_status = choose(random, std::array{0.0, 0.3, 1.0});
  options.events = !watch_cache;
  bookmarks = watch_cache && random.chance(0.85);
  pings = random.chance(0.5);
  watchlist = choose(
      random, std::array{WatchListSupport::works, WatchListSupport::works, WatchListSupport::works,
                         WatchListSupport::refused, WatchListSupport::fails_in_stream, WatchListSupport::ignored});
  gateway = draw_gateway(random, options.transport);
  next_gateway = random.chance(0.3) ? draw_gateway(random, options.transport) : Gateway::none;
  // By the seed, so that others stay what they are.
  if (seed % 4 == 0) {
    for (Gateway* const each : {&gateway, &next_gateway}) {
      if (*each == Gateway::withholds_http) *each = Gateway::withholds_events;
    }
  }
  // None of the seeds that have tests of their own is among them.
  if (seed % 7 == 5) {
    drips = std::array{0.03, 0.2, 0.6}[seed / 7 % 3];
    options.initial_timeout = std::array<Milliseconds, 3>{25s, 120s, 600s}[seed / 21 % 3];
  }
  unknown_protobuf = choose(random, std::array{0.0, 0.0, 0.05, 0.3});
  refusal_code = choose(random, std::array{200, 302, 400, 401, 403, 404, 426, 500, 502, 503});
  connection_life = random.between(5s, 90s);
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
