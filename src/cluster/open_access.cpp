#include "cluster/open_access.hpp"

#include <cstdint>
#include <utility>

#include "base/secrets.hpp"
#include "base/text.hpp"
#include "cluster/find_connection_spec.hpp"
#include "cluster/resolve_connection.hpp"

namespace ksr::cluster {
namespace {

// What the server gets to see of the user: where each credential comes from, never the credential.
std::string identity_of(const ConnectionSpec& spec) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  for (const ValueWithOrigin* credential :
       {&spec.token, &spec.token_file, &spec.client_cert_file, &spec.client_cert_data}) {
    if (credential->set()) add(credential->role);
  }
  if (spec.username.set()) add(spec.username.role + " " + in_quotes(without_confused_secret(spec.username.text)));
  if (spec.exec) add(spec.exec_role);
  if (spec.oidc) add(spec.oidc->role);
  if (text.empty()) text = "none";
  if (spec.impersonation.user.set())
    add("impersonating " + in_quotes(without_confused_secret(spec.impersonation.user.text)));
  return text;
}

void log_connection(const ConnectionSpec& spec, const ResolvedConnection& connection, Logger& logger) {
  if (!logger.wants(LogLevel::info)) return;
  logger.log(LogLevel::info, "connection from " + spec.found_in + ": server " + connection.server.text() +
                                 ", credentials: " + identity_of(spec) +
                                 (connection.skip_verify ? ", certificates are not verified" : ""));
}

constexpr const char* kDefaultNamespace = "default";

std::string namespace_or_default(const ConnectionSpec& spec) {
  return spec.default_namespace.empty() ? kDefaultNamespace : spec.default_namespace;
}

Expected<ResolvedConnection> resolve_headlamp(const ConnectionOptions& options, const ProcessEnvironment& process_env,
                                              Logger& logger) {
  auto plan = plan_headlamp(options);
  if (!plan) return plan.error();
  const ConnectionSpec spec = headlamp_spec(options);
  auto connection = resolve_connection(spec, options, process_env, logger);
  if (!connection) return connection;
  connection->server.prefix += plan->path;
  log_connection(spec, *connection, logger);
  connection->headlamp = *std::move(plan);
  return connection;
}

Expected<ResolvedConnection> resolve_cluster(const ConnectionOptions& options, const ProcessEnvironment& process_env,
                                             Logger& logger, std::string* name_space) {
  const auto spec = find_connection_spec(options, process_env, logger);
  if (!spec) return spec.error();
  if (name_space != nullptr) *name_space = namespace_or_default(*spec);
  auto connection = resolve_connection(*spec, options, process_env, logger);
  if (connection) log_connection(*spec, *connection, logger);
  return connection;
}

std::string key_of(const ResolvedConnection& connection, const AccessEnvironment& environment) {
  const auto address = [](const void* object) {
    return std::to_string(reinterpret_cast<std::uintptr_t>(object)) + "/";
  };
  return address(&environment.executor) + address(&environment.transport) + fingerprint(connection);
}

// The registry of the process. Never destroyed: streams may be open when the process exits.
SharedAccessRegistry& process_access_registry() {
  static SharedAccessRegistry* const registry = new SharedAccessRegistry;
  return *registry;
}

}  // namespace

std::shared_ptr<SharedAccess> SharedAccessRegistry::find_or_make(ResolvedConnection connection,
                                                                 const AccessEnvironment& environment,
                                                                 const ProcessEnvironment& process_env) {
  const std::string key = key_of(connection, environment);
  const MutexLock lock(accesses_mutex_);
  for (auto entry = accesses_.begin(); entry != accesses_.end();) {
    entry = entry->second.expired() ? accesses_.erase(entry) : std::next(entry);
  }
  std::weak_ptr<SharedAccess>& entry = accesses_[key];
  std::shared_ptr<SharedAccess> access = entry.lock();
  if (!access) {
    access = SharedAccess::make(std::move(connection), environment, process_env);
    entry = access;
  }
  return access;
}

Expected<std::shared_ptr<Access>> open_access_in(const ConnectionOptions& options, const AccessEnvironment& environment,
                                                 const ProcessEnvironment& process_env, SharedAccessRegistry& registry,
                                                 Logger& logger, std::string* name_space) {
  if (name_space != nullptr) *name_space = kDefaultNamespace;
  auto connection = wants_headlamp(options) ? resolve_headlamp(options, process_env, logger)
                                            : resolve_cluster(options, process_env, logger, name_space);
  if (!connection) return connection.error();
  return std::shared_ptr<Access>(registry.find_or_make(*std::move(connection), environment, process_env));
}

Expected<std::shared_ptr<Access>> open_access(const ConnectionOptions& options, const AccessEnvironment& environment,
                                              Logger& logger, std::string* name_space) {
  return open_access_in(options, environment, process_environment(), process_access_registry(), logger, name_space);
}

}  // namespace ksr::cluster
