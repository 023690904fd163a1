#include "cluster/open_access.hpp"

#include <utility>

#include "cluster/settle.hpp"

namespace ksr::cluster {
Expected<std::shared_ptr<Access>> open_access_in(const ConnectionOptions& options, const AccessEnvironment& environment,
                                                 const Surroundings& surroundings, Registry& registry, Logger& logger) {
  const Draft draft = draft_of(options);
  if (!draft.server.set()) {
    return Error{Status::invalid,
                 "server: is not set; expected the URL of the cluster, such as https://127.0.0.1:6443"};
  }
  auto settings = settle(draft, options, logger);
  if (!settings) return settings.error();
  return std::shared_ptr<Access>(registry.find_or_make(*std::move(settings), environment, surroundings));
}

Expected<std::shared_ptr<Access>> open_access(const ConnectionOptions& options, const AccessEnvironment& environment,
                                              Logger& logger) {
  return open_access_in(options, environment, process_surroundings(), process_registry(), logger);
}

}  // namespace ksr::cluster
