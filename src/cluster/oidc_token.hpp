// `read_id_token` takes the id-token that kubectl keeps in a kubeconfig for `auth-provider: oidc`, as long as it is
// valid; used when a connection is resolved and by the credential sources. It is not refreshed here: kubectl, or a
// login program, writes the next one to the file. Reads a file on the calling thread. Any thread but the network
// thread.
#pragma once

#include <string>

#include "base/expected.hpp"
#include "cluster/credentials.hpp"

namespace ksr::cluster {

// Plain values; may be copied between threads.
struct OidcPlan {
  // For messages: "auth-provider of user \"jane\" in /home/jane/.kube/config".
  std::string role;
  std::string kubeconfig;
  std::string user;
  // What a kubeconfig that is a pipe held: there is nothing to read again. Else empty.
  std::string id_token = {};
};

// The token, which expires by its claim `exp` (RFC 7519, section 4.1.4). The error names what to do.
Expected<Credentials> read_id_token(const OidcPlan& plan, WallTime now);

}  // namespace ksr::cluster
