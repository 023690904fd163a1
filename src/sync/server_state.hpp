// `ServerState` is what the streams of one server share: which features and names it refused, which worked, its
// TransportChoice, its WatchPath and its RequestLimiter; used by Reflector, kept by stream::ServerStates as long as a
// stream of the server is open. Lives on the network thread. One for each server and identity.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
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

  // It encodes lists piece by piece and reads them from its watch cache, so that one page of any size costs it no
  // memory (StreamingCollectionEncodingToJSON and ...ToProtobuf, in Kubernetes since 1.33). False as long as nothing is
  // known.
  bool streams_lists() const noexcept { return streams_lists_.value_or(false); }
  bool version_known() const noexcept { return streams_lists_.has_value(); }
  // As GET /version says it: "1", "33+". Anything else: an older one.
  void note_version(std::string_view major, std::string_view minor) noexcept;

  // It sends something in protobuf that this library does not know: it is newer, and that resource is read as JSON.
  bool json_only(const std::string& resource) const;
  void note_json_only(const std::string& resource);

  TransportChoice& transport() noexcept { return transport_; }
  WatchPath& path() noexcept { return path_; }

  // Which candidate name of `resource` worked last; 0 when none is known to.
  std::size_t working_candidate(const std::string& resource) const;
  void note_working_candidate(const std::string& resource, std::size_t candidate);

 private:
  struct ResourceState {
    bool watchlist_refused = false;
    bool json_only = false;
    std::size_t working_candidate = 0;
  };

  RequestLimiter limiter_;
  TransportChoice transport_;
  WatchPath path_;
  std::optional<bool> streams_lists_;
  std::unordered_map<std::string, ResourceState> resources_;
};

}  // namespace ksr::sync
