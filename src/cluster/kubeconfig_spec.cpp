#include "cluster/kubeconfig_spec.hpp"

#include <utility>
#include <vector>

#include "cluster/text.hpp"

namespace ksr::cluster {
namespace {

std::string files_of(const Kubeconfig& config) {
  std::string files;
  for (const std::string& file : config.files) files += (files.empty() ? "" : ":") + file;
  return files.empty() ? "kubeconfig" : "kubeconfig " + files;
}

Error lacking(const std::string& role, const std::string& reason) {
  return {Status::invalid, role + ": " + reason};
}

// "token of user \"jane\" in /home/jane/.kube/config"
class Roles {
 public:
  Roles(const char* kind, const std::string& name, const std::string& origin)
      : entry_(std::string(kind) + " " + in_quotes(name) + " in " + origin) {}
  const std::string& entry() const noexcept { return entry_; }
  std::string of(const char* field) const { return std::string(field) + " of " + entry_; }
  ValueWithOrigin sourced(const std::string& text, const char* field) const { return {text, of(field)}; }

 private:
  std::string entry_;
};

Expected<void> take_cluster(const Kubeconfig& config, const ContextEntry& context, const Roles& context_roles,
                            ConnectionSpec& spec) {
  if (context.cluster.empty()) return lacking(context_roles.entry(), "names no cluster");
  const auto found = config.clusters.find(context.cluster);
  if (found == config.clusters.end()) {
    return lacking(context_roles.entry(), "its cluster " + in_quotes(context.cluster) + " does not exist");
  }
  const ClusterEntry& cluster = found->second;
  const Roles roles("cluster", context.cluster, cluster.origin);
  if (cluster.server.empty()) return lacking(roles.entry(), "names no server");
  spec.server = roles.sourced(cluster.server, "server");
  spec.tls_server_name = roles.sourced(cluster.tls_server_name, "tls-server-name");
  spec.insecure = roles.sourced(cluster.insecure_skip_tls_verify ? "true" : "", "insecure-skip-tls-verify");
  spec.ca_file = roles.sourced(cluster.ca_file, "certificate-authority");
  spec.ca_data = roles.sourced(cluster.ca_data, "certificate-authority-data");
  spec.proxy_url = roles.sourced(cluster.proxy_url, "proxy-url");
  spec.disable_compression = cluster.disable_compression;
  spec.exec_config = cluster.exec_config;
  return {};
}

// k8s.io/client-go/tools/clientcmd/validation.go, validateAuthInfo.
Expected<void> check_exec(const ExecStanza& exec, const std::string& role) {
  if (exec.command.empty()) return lacking(role, "names no command");
  if (exec.api_version != "client.authentication.k8s.io/v1" &&
      exec.api_version != "client.authentication.k8s.io/v1beta1") {
    return lacking(role, "has the apiVersion " + in_quotes(exec.api_version) +
                             "; expected client.authentication.k8s.io/v1 or v1beta1");
  }
  for (const auto& [name, value] : exec.variables) {
    if (name.empty() || name.find('=') != std::string::npos) return lacking(role, "has a variable without a name");
  }
  const std::string& mode = exec.interactive_mode;
  if (mode.empty() && exec.api_version == "client.authentication.k8s.io/v1") {
    return lacking(role, "has no interactiveMode; expected Never or IfAvailable");
  }
  if (mode == "Always") return lacking(role, "has the interactiveMode Always, but a library has no terminal to ask on");
  if (!mode.empty() && mode != "Never" && mode != "IfAvailable") {
    return lacking(role, "has the interactiveMode " + in_quotes(mode) + "; expected Never or IfAvailable");
  }
  return {};
}

Expected<void> check_user(const UserEntry& user, const Roles& roles) {
  if (!user.auth_provider.empty()) {
    return lacking(roles.of("auth-provider"),
                   in_quotes(user.auth_provider) + " is not supported; expected an exec plugin in its place");
  }
  const bool token = !user.token.empty() || !user.token_file.empty();
  const bool basic = !user.username.empty() || !user.password.empty();
  if (token && basic) return lacking(roles.entry(), "has both a token and a user name; expected only one of them");
  if ((!user.as_uid.empty() || !user.as_groups.empty() || !user.as_extra.empty()) && user.as.empty()) {
    return lacking(roles.entry(), "has as-uid, as-groups or as-user-extra without as");
  }
  if (user.exec) return check_exec(*user.exec, roles.of("exec"));
  return {};
}

void take_credentials(const UserEntry& user, const Roles& roles, ConnectionSpec& spec) {
  spec.token = roles.sourced(user.token, "token");
  spec.token_file = roles.sourced(user.token_file, "tokenFile");
  spec.username = roles.sourced(user.username, "username");
  spec.password = roles.sourced(user.password, "password");
  spec.client_cert_file = roles.sourced(user.client_cert_file, "client-certificate");
  spec.client_cert_data = roles.sourced(user.client_cert_data, "client-certificate-data");
  spec.client_key_file = roles.sourced(user.client_key_file, "client-key");
  spec.client_key_data = roles.sourced(user.client_key_data, "client-key-data");
  const bool has_static_credentials =
      spec.token.set() || spec.token_file.set() || spec.username.set() || spec.password.set() || spec.has_certificate();
  if (user.exec && !has_static_credentials) {
    spec.exec = user.exec;
    spec.exec_role = roles.of("exec");
  }
}

Expected<void> take_user(const Kubeconfig& config, const ContextEntry& context, const Roles& context_roles,
                         ConnectionSpec& spec) {
  if (context.user.empty()) return {};
  const auto found = config.users.find(context.user);
  if (found == config.users.end()) {
    return lacking(context_roles.entry(), "its user " + in_quotes(context.user) + " does not exist");
  }
  const UserEntry& user = found->second;
  const Roles roles("user", context.user, user.origin);
  if (auto fine = check_user(user, roles); !fine) return fine;
  spec.impersonation = {user.as, user.as_uid, user.as_groups, user.as_extra};
  take_credentials(user, roles, spec);
  return {};
}

}  // namespace

Expected<ConnectionSpec> spec_of_context(const Kubeconfig& config, const std::string& context_name) {
  const std::string& chosen = context_name.empty() ? config.current_context : context_name;
  if (chosen.empty()) {
    return lacking(files_of(config), "has no current-context; expected one, or the key context");
  }
  const auto found = config.contexts.find(chosen);
  if (found == config.contexts.end())
    return lacking(files_of(config), "context " + in_quotes(chosen) + " does not exist");
  const ContextEntry& context = found->second;
  const Roles roles("context", chosen, context.origin);
  ConnectionSpec spec;
  spec.default_namespace = context.name_space;
  if (auto fine = take_cluster(config, context, roles, spec); !fine) return fine.error();
  if (auto fine = take_user(config, context, roles, spec); !fine) return fine.error();
  return spec;
}

}  // namespace ksr::cluster
