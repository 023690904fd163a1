// `fetch_and_wait` is an HttpFetch over a connection of its own that the calling thread waits for; used for the issuer
// of OIDC tokens. Any thread that may block, never the network thread.
#pragma once

#include <atomic>
#include <string>

#include "base/executor.hpp"
#include "base/expected.hpp"
#include "cluster/http_fetch.hpp"

namespace ksr::cluster {

// The limits are those of `settings` and `request`, which must have one for the whole response. Setting `stop` ends the
// wait. `executor` and `transport` are those of the process, which are never destroyed.
Expected<FetchedAnswer> fetch_and_wait(Executor& executor, transport::Transport& transport,
                                       const transport::ConnectionSettings& settings, transport::Request request,
                                       const std::string& url, const std::atomic<bool>& stop);

}  // namespace ksr::cluster
