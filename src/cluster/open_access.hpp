// open_access with everything around it given by hand; tests use it.
#pragma once

#include "cluster/access.hpp"
#include "cluster/registry.hpp"
#include "cluster/surroundings.hpp"

namespace ksr::cluster {

Expected<std::shared_ptr<Access>> open_access_in(const ConnectionOptions& options, const AccessEnvironment& environment,
                                                 const Surroundings& surroundings, Registry& registry, Logger& logger);

Expected<std::string> default_namespace_in(const ConnectionOptions& options, const Surroundings& surroundings,
                                           Logger& logger);

}  // namespace ksr::cluster
