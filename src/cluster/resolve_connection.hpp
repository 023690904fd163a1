// From a draft to settings: reads the files it names and refuses what can never work.
#pragma once

#include "base/expected.hpp"
#include "base/log.hpp"
#include "cluster/connection_spec.hpp"
#include "cluster/process_environment.hpp"
#include "cluster/resolved_connection.hpp"

namespace ksr::cluster {

// Blocks on the disk at most. `options` gives what only config keys can say: headers, user agent, timeouts. A proxy
// that the draft does not name comes from the environment. Any thread.
Expected<ResolvedConnection> resolve_connection(const ConnectionSpec& spec, const ConnectionOptions& options,
                                                const ProcessEnvironment& process_env, Logger& logger);

}  // namespace ksr::cluster
