// What a seed decides before anything happens: the server's abilities, the client's settings, which troubles there are.
#pragma once

#include <cstdint>
#include <optional>

#include "base/instant.hpp"
#include "simulation/random.hpp"
#include "sync/sync_options.hpp"

namespace ksr::sync::testing {

enum class WatchListSupport { works, refused, fails_in_stream, ignored };
enum class WebSocketSupport { works, refused, unanswered };

struct Scenario {
  Scenario(std::uint64_t seed, SeededRandom& random);

  Options options;
  std::size_t streams = 1;
  std::size_t actions = 0;
  // How busy it is: the mean time between two actions.
  Milliseconds pace{0};

  std::size_t replicas = 1;
  bool watch_cache = true;    // core/v1 Events have none
  std::size_t window = 20;    // changes that a watch cache remembers
  double gone_by_status = 0;  // how often a 410 is the answer instead of the first event
  bool bookmarks = true;
  bool pings = true;  // a WebSocket that is dead is found by its pings
  WatchListSupport watchlist = WatchListSupport::works;
  WebSocketSupport websocket = WebSocketSupport::works;

  // The limits of all delays, so that the freshness can be held against the truth.
  Milliseconds max_delay{0};
  Milliseconds max_lag{0};

  // How often each kind of action comes, relative to the others.
  double writes = 10;
  double cuts = 0;
  double outages = 0;
  double refusals = 0;
  double expiries = 0;
  double lies = 0;
  double sleeps = 0;
};

}  // namespace ksr::sync::testing
