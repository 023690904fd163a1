// `fetch_id_token` is the token of a kubeconfig's `auth-provider: oidc`, as kubectl takes it: the id-token of the file
// while it is valid, else one that the issuer gives for the refresh-token. Used by the credential sources, and
// `id_token_of` when a connection is resolved. Any thread but the network thread; fetch_id_token blocks.
#pragma once

#include <functional>
#include <string>

#include "base/expected.hpp"
#include "base/log.hpp"
#include "cluster/credentials.hpp"
#include "cluster/http_fetch.hpp"
#include "cluster/oidc_plan.hpp"

namespace ksr::cluster {

// One request to the issuer, which blocks until its answer is there. `url` is for messages.
using IssuerCall = std::function<Expected<FetchedAnswer>(const transport::ConnectionSettings& settings,
                                                         transport::Request request, const std::string& url)>;

// Read from the file again, unless it was a pipe.
Expected<OidcProvider> read_oidc_provider(const OidcPlan& plan);
// There is what a refresh needs.
bool can_refresh(const OidcProvider& provider) noexcept;
// The token of the file, which expires by its claim `exp` (RFC 7519, section 4.1.4). The error names what to do.
Expected<Credentials> id_token_of(const OidcPlan& plan, const OidcProvider& provider, WallTime now);

// What came of a refresh is kept in memory, for all connections of the process, and never written to the file.
Expected<Credentials> fetch_id_token(const OidcPlan& plan, const std::function<WallTime()>& now, const IssuerCall& call,
                                     Logger& logger);

}  // namespace ksr::cluster
