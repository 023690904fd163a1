// Where the description of a connection comes from: config keys, a kubeconfig, or the pod the process runs in.
#pragma once

#include "base/expected.hpp"
#include "base/log.hpp"
#include "cluster/connection_spec.hpp"
#include "cluster/process_environment.hpp"

namespace ksr::cluster {

// Keys stand above files. With `server` alone no file is read; with neither `server`, `kubeconfig` nor `context` the
// places count where kubectl looks, and at last the pod's own cluster. Reads files on the calling thread.
Expected<ConnectionSpec> find_connection_spec(const ConnectionOptions& options, const ProcessEnvironment& process_env,
                                              Logger& logger);

}  // namespace ksr::cluster
