// The way to a cluster through a Headlamp server: its path, headers and WebSocket subprotocols
// (headlamp v0.45: frontend/src/lib/k8s/api/v1, backend/cmd/headlamp.go and stateless.go). Pure.
#pragma once

#include <string>
#include <vector>

#include "base/expected.hpp"
#include "cluster/connection_options.hpp"
#include "cluster/connection_spec.hpp"
#include "transport/transport.hpp"

namespace ksr::cluster {

// Plain values; may be copied between threads.
struct HeadlampPlan {
  // "/clusters/NAME", with the name as the server knows it.
  std::string path;
  // Sent with HTTP requests: KUBECONFIG, X-HEADLAMP-USER-ID, X-HEADLAMP_BACKEND-TOKEN.
  std::vector<transport::Header> http_headers;
  // Offered with WebSocket handshakes, in this order. The server takes its own ones out.
  std::vector<std::string> subprotocols;
  // The server knows the cluster only from the KUBECONFIG header, and forgets it 20 seconds after the last one.
  bool stateless = false;
};

bool wants_headlamp(const ConnectionOptions& options);
Expected<HeadlampPlan> plan_headlamp(const ConnectionOptions& options);
// The server and the credentials for it, which go on to the cluster.
ConnectionSpec headlamp_spec(const ConnectionOptions& options);

}  // namespace ksr::cluster
