// From a kubeconfig to the connection that one of its contexts describes. Pure.
#pragma once

#include <string>

#include "base/expected.hpp"
#include "cluster/connection_spec.hpp"
#include "cluster/kubeconfig.hpp"

namespace ksr::cluster {

// `context` empty: the current one. The error names file, entry and reason. The credentials are there whatever the
// server is: overridden() drops them where the server has no TLS.
Expected<ConnectionSpec> spec_of_context(const Kubeconfig& config, const std::string& context);

}  // namespace ksr::cluster
