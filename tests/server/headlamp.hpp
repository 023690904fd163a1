// What a Headlamp server does to requests on their way to a cluster (headlamp 0.45: backend/cmd/headlamp.go,
// stateless.go). Lives on the server's thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "server/request.hpp"
#include "server/server_options.hpp"

namespace ksr::testserver {

class HeadlampGate {
 public:
  explicit HeadlampGate(HeadlampOptions options) : options_(std::move(options)) {}

  // Lets a request through, with `target` and the subprotocols as the cluster gets them, or answers it.
  std::optional<Reply> pass(ApiRequest& request, std::string& target);
  // The plugins have changed: the next answer says so, once.
  void reload() { reload_is_due_ = true; }
  void announce_reload(Reply& reply);
  // As if the time of all contexts that came with a request were over.
  void forget_contexts() { contexts_.clear(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Context {
    Clock::time_point good_until;
    std::string token;  // of the kubeconfig it came with
  };

  bool has_backend_token(ApiRequest& request) const;
  // Empty: the kubeconfig is none.
  std::optional<std::string> context_key(ApiRequest& request, const std::string& cluster);
  bool remember(const std::string& key, const std::string& kubeconfig);
  Context* stateless(const std::string& key);

  HeadlampOptions options_;
  std::map<std::string, Context> contexts_;
  bool reload_is_due_ = false;
};

}  // namespace ksr::testserver
