// Where the description of a connection comes from: config keys, a kubeconfig, or the pod the process runs in.
#pragma once

#include "base/expected.hpp"
#include "base/log.hpp"
#include "cluster/draft.hpp"
#include "cluster/surroundings.hpp"

namespace ksr::cluster {

// Keys stand above files. With `server` alone no file is read; with neither `server`, `kubeconfig` nor `context` the
// places count where kubectl looks, and at last the pod's own cluster. Reads files on the calling thread.
Expected<Draft> locate(const ConnectionOptions& options, const Surroundings& surroundings, Logger& logger);

}  // namespace ksr::cluster
