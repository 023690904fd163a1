// `HeadlampProxy` does to requests what a Headlamp server does between client and cluster (headlamp 0.45:
// backend/cmd/headlamp.go, stateless.go); used by World. Lives on the server's thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "server/request.hpp"
#include "server/server_options.hpp"

namespace ksr::testserver {

class HeadlampProxy {
 public:
  explicit HeadlampProxy(HeadlampOptions options) : options_(std::move(options)) {}

  // Passes a request on, with `target` and the subprotocols as the cluster receives them, or returns the response.
  std::optional<Reply> pass(ApiRequest& request, std::string& target);
  // The plugins have changed: the next response announces it, once.
  void reload() { reload_is_due_ = true; }
  void announce_reload(Reply& reply);
  // As if all contexts that requests sent had expired.
  void forget_contexts() { contexts_.clear(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Context {
    Clock::time_point expires_at;
    std::string token;  // of the kubeconfig that the request sent
  };

  bool has_backend_token(ApiRequest& request) const;
  // nullopt: the header is not a kubeconfig.
  std::optional<std::string> context_key(ApiRequest& request, const std::string& cluster);
  bool remember(const std::string& key, const std::string& kubeconfig);
  Context* stateless(const std::string& key);

  HeadlampOptions options_;
  std::map<std::string, Context> contexts_;
  bool reload_is_due_ = false;
};

}  // namespace ksr::testserver
