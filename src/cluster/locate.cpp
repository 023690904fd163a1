#include "cluster/locate.hpp"

#include <utility>

#include "cluster/in_cluster.hpp"
#include "cluster/kubeconfig_draft.hpp"
#include "cluster/kubeconfig_files.hpp"

namespace ksr::cluster {

Expected<Draft> locate(const ConnectionOptions& options, const Surroundings& surroundings, Logger& logger) {
  const Draft keys = draft_of(options);
  const bool file_is_asked_for = !options.kubeconfig.empty() || !options.context.empty();
  if (keys.server.set() && !file_is_asked_for) return keys;

  const auto config = load_kubeconfig(options.kubeconfig, surroundings, logger);
  if (!config) return config.error();
  if (config->empty() && !file_is_asked_for) {
    if (auto pod = in_cluster_draft(surroundings, logger)) return overridden(*std::move(pod), keys);
    return Error{
        Status::invalid,
        "server: is not set, and there is no kubeconfig (KUBECONFIG, ~/.kube/config) and no service account of "
        "a pod; expected one of them"};
  }
  auto chosen = draft_of_context(*config, options.context);
  if (!chosen) return chosen;
  return overridden(*std::move(chosen), keys);
}

}  // namespace ksr::cluster
