// `sync::Options` configures one Reflector, with the names of the config keys; filled by stream::Config.
// Plain data, for any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/instant.hpp"
#include "base/shard.hpp"

namespace ksr::sync {

// `automatic` is a list: on a server of today it comes from the watch cache, compressed, where the initial events of a
// watch cost an encoder call and a flush each and are never compressed.
enum class Initial : std::uint8_t { automatic, list, watchlist };
// How objects come over the wire; `automatic`: in protobuf where this library knows the type.
enum class Encoding : std::uint8_t { automatic, json, protobuf };
enum class WatchTransport : std::uint8_t { automatic, websocket, http };

// Of a server that holds a whole page in memory while it encodes it (client-go tools/pager/pager.go).
constexpr std::size_t kPageSize = 500;

struct Options {
  Initial initial = Initial::automatic;
  WatchTransport transport = WatchTransport::automatic;
  Encoding encoding = Encoding::automatic;
  bool reconnect = true;
  Milliseconds backoff_initial{800};
  Milliseconds backoff_max{30'000};
  // Empty: uniform in 5 to 10 minutes, drawn anew for each watch.
  std::optional<Milliseconds> watch_timeout;
  // The whole of a list, or of a watch's initial events.
  Milliseconds initial_timeout{600'000};
  // The JSON of one list. Beyond it the list is not taken.
  std::uint64_t max_view_bytes = std::uint64_t{8} << 30;
  // 0: the whole list in one page. Empty: in one page where the server encodes lists piece by piece, else kPageSize.
  std::optional<std::size_t> page_size = {};
  // The others' objects are left out, whether or not the server sends them. Empty: all objects.
  std::optional<Shard> shard = {};
  // The resource is Events, which have no watch cache and so no bookmarks (kube-apiserver,
  // registry/core/rest/storage_core.go).
  bool events = false;
  // How many candidate names `resource` has; they are tried in order on 404.
  std::size_t candidates = 1;
  // The config's `resource`, as given: the key under which ServerState records what it learns.
  std::string resource = {};
};

// KSR_STATE_*.
enum class State : std::int32_t { connecting = 1, listing = 2, live = 3, waiting = 4, closed = 5 };

}  // namespace ksr::sync
