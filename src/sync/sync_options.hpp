// The knobs of the list+watch state machine; the names are those of the config keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/instant.hpp"

namespace ksr::sync {

enum class Initial : std::uint8_t { automatic, list, watchlist };
enum class WatchTransport : std::uint8_t { automatic, websocket, http };

struct Options {
  Initial initial = Initial::automatic;
  WatchTransport transport = WatchTransport::automatic;
  bool reconnect = true;
  Milliseconds backoff_initial{800};
  Milliseconds backoff_max{30'000};
  // Empty: uniform in 5 to 10 minutes, drawn anew for each watch.
  std::optional<Milliseconds> watch_timeout;
  // 0: the whole list in one page.
  std::size_t page_size = 500;
  // How many names `resource` gave; they are tried in order on 404.
  std::size_t candidates = 1;
  // What the server's memory files its findings under: the config's `resource`, as given.
  std::string resource = {};
};

// KSR_STATE_*.
enum class State : std::int32_t { connecting = 1, listing = 2, live = 3, waiting = 4, closed = 5 };

}  // namespace ksr::sync
