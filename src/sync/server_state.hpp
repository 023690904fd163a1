// `ServerState` is what the streams of one server share: which features and names it refused, which worked, its
// TransportChoice, its WatchPath and its RequestLimiter; used by Reflector, kept by stream::ServerStates as long as a
// stream of the server is open. Lives on the network thread. One for each server and identity.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include "sync/request_limiter.hpp"
#include "sync/transport_choice.hpp"
#include "sync/watch_path.hpp"

namespace ksr::sync {

class ServerState {
 public:
  RequestLimiter& limiter() noexcept { return limiter_; }

  bool watchlist_refused(const std::string& resource) const;
  void note_watchlist_refused(const std::string& resource);

  TransportChoice& transport() noexcept { return transport_; }
  WatchPath& path() noexcept { return path_; }

  // Which candidate name of `resource` worked last; 0 when none is known to.
  std::size_t working_candidate(const std::string& resource) const;
  void note_working_candidate(const std::string& resource, std::size_t candidate);

 private:
  struct ResourceState {
    bool watchlist_refused = false;
    std::size_t working_candidate = 0;
  };

  RequestLimiter limiter_;
  TransportChoice transport_;
  WatchPath path_;
  std::unordered_map<std::string, ResourceState> resources_;
};

}  // namespace ksr::sync
