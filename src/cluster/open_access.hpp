// open_access with everything around it given by hand; tests use it.
#pragma once

#include "cluster/access.hpp"
#include "cluster/process_environment.hpp"
#include "cluster/shared_access_registry.hpp"

namespace ksr::cluster {

Expected<std::shared_ptr<Access>> open_access_in(const ConnectionOptions& options, const AccessEnvironment& environment,
                                                 const ProcessEnvironment& process_env, SharedAccessRegistry& registry,
                                                 Logger& logger);

Expected<std::string> default_namespace_in(const ConnectionOptions& options, const ProcessEnvironment& process_env,
                                           Logger& logger);

}  // namespace ksr::cluster
