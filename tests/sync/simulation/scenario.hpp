// `Scenario` is what a seed decides in advance: the server's features, the client's options, the rates of faults; used
// by all parts of the simulation.
#pragma once

#include <cstdint>
#include <optional>

#include "base/instant.hpp"
#include "simulation/seeded_random.hpp"
#include "sync/sync_options.hpp"

namespace ksr::sync::testing {

enum class WatchListSupport { works, refused, fails_in_stream, ignored };
// What stands between the client and the servers. Each lets one transport through at least.
enum class Gateway {
  none,
  refuses_websocket,    // answers the handshake itself, without a Status
  cuts_handshakes,      // closes the connection instead of an answer
  swallows_handshakes,  // never answers them
  closes_websockets,    // answers 101, and closes at once
  mutes_websockets,     // answers 101, and passes on nothing
  swallows_http,        // the head of an HTTP watch never comes
  mutes_http,           // it comes, and nothing after it
  buffers_http,         // it comes with the first message
  withholds_http,       // it comes with the end, and so does all else
  withholds_events,     // it comes, and all else with the end
  cuts_all,             // each connection after some time
};

struct Scenario {
  Scenario(std::uint64_t seed, SeededRandom& random);

  const std::uint64_t seed;
  Options options;
  std::size_t streams = 1;
  // How often a stream that shares the view of another comes or goes, at each input, page and object; 0: each is alone.
  double sharing = 0;
  std::size_t actions = 0;
  // The mean time between two actions.
  Milliseconds pace{0};

  std::size_t replicas = 1;
  bool watch_cache = true;    // core/v1 Events have none
  std::size_t window = 20;    // changes that a watch cache remembers
  double gone_by_status = 0;  // how often a 410 is the answer instead of the first event
  bool bookmarks = true;
  bool pings = true;  // a dead WebSocket is detected by its pings
  WatchListSupport watchlist = WatchListSupport::works;
  Gateway gateway = Gateway::none;
  // Another one takes its place once; none: it does not.
  Gateway next_gateway = Gateway::none;
  // How often what it sends in protobuf is not known.
  double unknown_protobuf = 0;
  // How often a request has a wait in which the other side makes progress and never ends it.
  double drips = 0;
  int refusal_code = 0;
  Milliseconds connection_life{0};

  // The limits of all delays, so that fresh_at can be checked.
  Milliseconds max_delay{0};
  Milliseconds max_lag{0};

  // The relative frequency of each kind of action.
  double writes = 10;
  double cuts = 0;
  double outages = 0;
  double refusals = 0;
  double expiries = 0;
  double inconsistencies = 0;
  double sleeps = 0;
};

}  // namespace ksr::sync::testing
