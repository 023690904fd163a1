// `plan_headlamp` says how a cluster is reached through a Headlamp server: path, headers and WebSocket subprotocols
// (headlamp v0.45: frontend/src/lib/k8s/api/v1, backend/cmd/headlamp.go and stateless.go); used by open_access. Pure,
// any thread.
#pragma once

#include <string>
#include <vector>

#include "base/expected.hpp"
#include "cluster/connection_options.hpp"
#include "cluster/connection_spec.hpp"
#include "transport/transport.hpp"

namespace ksr::cluster {

struct HeadlampPlan {
  // "/clusters/NAME", with the name as the server has it.
  std::string path;
  // Sent with HTTP requests: KUBECONFIG, X-HEADLAMP-USER-ID, X-HEADLAMP_BACKEND-TOKEN.
  std::vector<transport::Header> http_headers;
  // Offered with WebSocket handshakes, in this order. The server removes its own ones.
  std::vector<std::string> subprotocols;
  // The server has the cluster only from the KUBECONFIG header, and forgets it 20 seconds after the last one.
  bool stateless = false;
  // The token, the kubeconfig, and the secrets in it.
  std::vector<std::string> secrets = {};
};

bool wants_headlamp(const ConnectionOptions& options);
Expected<HeadlampPlan> plan_headlamp(const ConnectionOptions& options);
// The server and the credentials for it, which it passes on to the cluster.
ConnectionSpec headlamp_spec(const ConnectionOptions& options);

}  // namespace ksr::cluster
