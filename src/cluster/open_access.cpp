#include "cluster/open_access.hpp"

#include <utility>

#include "cluster/locate.hpp"
#include "cluster/settle.hpp"

namespace ksr::cluster {
namespace {

Expected<Settings> headlamp_settings(const ConnectionOptions& options, const Surroundings& surroundings,
                                     Logger& logger) {
  auto plan = plan_headlamp(options);
  if (!plan) return plan.error();
  auto settings = settle(headlamp_draft(options), options, surroundings, logger);
  if (!settings) return settings;
  settings->server.prefix += plan->path;
  settings->headlamp = *std::move(plan);
  return settings;
}

Expected<Settings> cluster_settings(const ConnectionOptions& options, const Surroundings& surroundings,
                                    Logger& logger) {
  const auto draft = locate(options, surroundings, logger);
  if (!draft) return draft.error();
  return settle(*draft, options, surroundings, logger);
}

}  // namespace

Expected<std::shared_ptr<Access>> open_access_in(const ConnectionOptions& options, const AccessEnvironment& environment,
                                                 const Surroundings& surroundings, Registry& registry, Logger& logger) {
  auto settings = wants_headlamp(options) ? headlamp_settings(options, surroundings, logger)
                                          : cluster_settings(options, surroundings, logger);
  if (!settings) return settings.error();
  return std::shared_ptr<Access>(registry.find_or_make(*std::move(settings), environment, surroundings));
}

Expected<std::string> default_namespace_in(const ConnectionOptions& options, const Surroundings& surroundings,
                                           Logger& logger) {
  if (wants_headlamp(options)) return std::string("default");
  auto draft = locate(options, surroundings, logger);
  if (!draft) return draft.error();
  return draft->default_namespace.empty() ? std::string("default") : draft->default_namespace;
}

Expected<std::string> default_namespace(const ConnectionOptions& options, Logger& logger) {
  return default_namespace_in(options, process_surroundings(), logger);
}

Expected<std::shared_ptr<Access>> open_access(const ConnectionOptions& options, const AccessEnvironment& environment,
                                              Logger& logger) {
  return open_access_in(options, environment, process_surroundings(), process_registry(), logger);
}

}  // namespace ksr::cluster
