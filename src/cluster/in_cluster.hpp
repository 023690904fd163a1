// The connection of a pod to its own cluster (k8s.io/client-go/rest/config.go, InClusterConfig).
#pragma once

#include <optional>

#include "base/log.hpp"
#include "cluster/connection_spec.hpp"
#include "cluster/process_environment.hpp"

namespace ksr::cluster {

// Empty outside of a pod. Reads files on the calling thread.
std::optional<ConnectionSpec> in_cluster_spec(const ProcessEnvironment& process_env, Logger& logger);

}  // namespace ksr::cluster
