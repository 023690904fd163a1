#include "cluster/find_connection_spec.hpp"

#include <utility>

#include "cluster/in_cluster.hpp"
#include "cluster/kubeconfig_files.hpp"
#include "cluster/kubeconfig_spec.hpp"

namespace ksr::cluster {

Expected<ConnectionSpec> find_connection_spec(const ConnectionOptions& options, const ProcessEnvironment& process_env,
                                              Logger& logger) {
  const ConnectionSpec keys = spec_of(options);
  const bool file_is_asked_for = !options.kubeconfig.empty() || !options.context.empty();
  if (keys.server.set() && !file_is_asked_for) return keys;

  const auto config = load_kubeconfig(options.kubeconfig, process_env, logger);
  if (!config) return config.error();
  if (config->empty() && !file_is_asked_for) {
    if (auto pod = in_cluster_spec(process_env, logger)) return overridden(*std::move(pod), keys);
    return Error{
        Status::invalid,
        "server: is not set, and there is no kubeconfig (KUBECONFIG, ~/.kube/config) and no service account of "
        "a pod; expected one of them"};
  }
  auto chosen = spec_of_context(*config, options.context);
  if (!chosen) return chosen;
  return overridden(*std::move(chosen), keys);
}

}  // namespace ksr::cluster
