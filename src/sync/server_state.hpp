// What the streams of one server share: what it refused before, what worked, and how many requests may be on their way
// to it. Lives on the network thread. One for each server and identity, kept as long as a stream of it is open.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>

#include "sync/request_limiter.hpp"

namespace ksr::sync {

class ServerState {
 public:
  RequestLimiter& limiter() noexcept { return limiter_; }

  // What /version said, if anyone asked. Decides whether `initial=auto` begins with WatchList.
  void set_server_version(int major, int minor);
  // True unless the version speaks against it or it was refused for this resource.
  bool watchlist_probable(const std::string& resource) const;
  bool watchlist_refused(const std::string& resource) const;
  void note_watchlist_refused(const std::string& resource);

  bool websocket_refused() const noexcept { return websocket_refused_; }
  void note_websocket_refused() noexcept { websocket_refused_ = true; }

  // Which of the names of `resource` the server knew last time; 0 when nothing is known.
  std::size_t working_candidate(const std::string& resource) const;
  void note_working_candidate(const std::string& resource, std::size_t candidate);

 private:
  struct ResourceState {
    bool watchlist_refused = false;
    std::size_t working_candidate = 0;
  };

  RequestLimiter limiter_;
  std::optional<bool> version_has_watchlist_;
  bool websocket_refused_ = false;
  std::unordered_map<std::string, ResourceState> resources_;
};

}  // namespace ksr::sync
