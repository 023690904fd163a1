#include "cluster/open_access.hpp"

#include <utility>

#include "cluster/find_connection_spec.hpp"
#include "cluster/resolve_connection.hpp"

namespace ksr::cluster {
namespace {

Expected<ResolvedConnection> headlamp_settings(const ConnectionOptions& options, const ProcessEnvironment& process_env,
                                               Logger& logger) {
  auto plan = plan_headlamp(options);
  if (!plan) return plan.error();
  auto settings = resolve_connection(headlamp_spec(options), options, process_env, logger);
  if (!settings) return settings;
  settings->server.prefix += plan->path;
  settings->headlamp = *std::move(plan);
  return settings;
}

Expected<ResolvedConnection> cluster_settings(const ConnectionOptions& options, const ProcessEnvironment& process_env,
                                              Logger& logger) {
  const auto spec = find_connection_spec(options, process_env, logger);
  if (!spec) return spec.error();
  return resolve_connection(*spec, options, process_env, logger);
}

}  // namespace

Expected<std::shared_ptr<Access>> open_access_in(const ConnectionOptions& options, const AccessEnvironment& environment,
                                                 const ProcessEnvironment& process_env, SharedAccessRegistry& registry,
                                                 Logger& logger) {
  auto settings = wants_headlamp(options) ? headlamp_settings(options, process_env, logger)
                                          : cluster_settings(options, process_env, logger);
  if (!settings) return settings.error();
  return std::shared_ptr<Access>(registry.find_or_make(*std::move(settings), environment, process_env));
}

Expected<std::string> default_namespace_in(const ConnectionOptions& options, const ProcessEnvironment& process_env,
                                           Logger& logger) {
  if (wants_headlamp(options)) return std::string("default");
  auto spec = find_connection_spec(options, process_env, logger);
  if (!spec) return spec.error();
  return spec->default_namespace.empty() ? std::string("default") : spec->default_namespace;
}

Expected<std::string> default_namespace(const ConnectionOptions& options, Logger& logger) {
  return default_namespace_in(options, process_environment(), logger);
}

Expected<std::shared_ptr<Access>> open_access(const ConnectionOptions& options, const AccessEnvironment& environment,
                                              Logger& logger) {
  return open_access_in(options, environment, process_environment(), process_access_registry(), logger);
}

}  // namespace ksr::cluster
