// From a draft to settings: reads the files it names and refuses what can never work.
#pragma once

#include "base/expected.hpp"
#include "base/log.hpp"
#include "cluster/draft.hpp"
#include "cluster/settings.hpp"

namespace ksr::cluster {

// Blocks on the disk at most. `options` gives what only config keys can say: headers, user agent, timeouts. Any thread.
Expected<Settings> settle(const Draft& draft, const ConnectionOptions& options, Logger& logger);

}  // namespace ksr::cluster
