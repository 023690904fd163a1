// The connection of a pod to its own cluster (k8s.io/client-go/rest/config.go, InClusterConfig).
#pragma once

#include <optional>

#include "base/log.hpp"
#include "cluster/draft.hpp"
#include "cluster/surroundings.hpp"

namespace ksr::cluster {

// Empty outside of a pod. Reads files on the calling thread.
std::optional<Draft> in_cluster_draft(const Surroundings& surroundings, Logger& logger);

}  // namespace ksr::cluster
