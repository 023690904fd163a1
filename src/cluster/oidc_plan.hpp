// `OidcPlan` says where the tokens of a kubeconfig's `auth-provider: oidc` come from; made by find_connection_spec,
// used by fetch_id_token. Plain values; may be copied between threads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "cluster/kubeconfig.hpp"

namespace ksr::cluster {

struct OidcPlan {
  // For messages: "auth-provider of user \"jane\" in /home/jane/.kube/config".
  std::string role;
  std::string kubeconfig;
  std::string user;
  // What a kubeconfig that is a pipe, or a descriptor, held: there is nothing to read again. Else empty.
  std::optional<OidcProvider> held = std::nullopt;
  // "HTTPS_PROXY=...": those of the environment, for the way to the issuer.
  std::vector<std::string> proxy_variables = {};
  Milliseconds connect_timeout{30'000};
  Milliseconds request_timeout{30'000};
};

}  // namespace ksr::cluster
