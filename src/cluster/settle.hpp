// From a draft to settings: reads the files it names and refuses what can never work.
#pragma once

#include "base/expected.hpp"
#include "base/log.hpp"
#include "cluster/draft.hpp"
#include "cluster/settings.hpp"
#include "cluster/surroundings.hpp"

namespace ksr::cluster {

// Blocks on the disk at most. `options` gives what only config keys can say: headers, user agent, timeouts. A proxy
// that the draft does not name comes from the environment. Any thread.
Expected<Settings> settle(const Draft& draft, const ConnectionOptions& options, const Surroundings& surroundings,
                          Logger& logger);

}  // namespace ksr::cluster
