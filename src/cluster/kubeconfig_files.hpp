// Which kubeconfig files count, as kubectl finds them.
#pragma once

#include <string>

#include "base/expected.hpp"
#include "base/log.hpp"
#include "cluster/kubeconfig.hpp"
#include "cluster/process_environment.hpp"

namespace ksr::cluster {

// `path` alone, which must exist; without one the files of KUBECONFIG, else ~/.kube/config, and those that do not exist
// are passed over. Reads files on the calling thread.
Expected<Kubeconfig> load_kubeconfig(const std::string& path, const ProcessEnvironment& process_env, Logger& logger);

}  // namespace ksr::cluster
