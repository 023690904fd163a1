// `find_connection_spec` says which connection is meant: by config keys, by a kubeconfig, or by the pod that the
// process runs in; used when a stream is opened. Reads files on the calling thread. Any thread.
#pragma once

#include "base/expected.hpp"
#include "base/log.hpp"
#include "cluster/connection_spec.hpp"
#include "cluster/process_environment.hpp"

namespace ksr::cluster {

// Keys take precedence over files. With `server` alone no file is read. With neither `server`, `kubeconfig` nor
// `context` the kubeconfigs that kubectl would read are used, else the service account of the pod.
Expected<ConnectionSpec> find_connection_spec(const ConnectionOptions& options, const ProcessEnvironment& process_env,
                                              Logger& logger);

}  // namespace ksr::cluster
