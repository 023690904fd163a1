#include "cluster/find_connection_spec.hpp"

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "base/secrets.hpp"
#include "base/text.hpp"
#include "cluster/files.hpp"
#include "cluster/kubeconfig.hpp"

namespace ksr::cluster {
namespace {

// ---- a context of a kubeconfig

std::string files_of(const Kubeconfig& config) {
  std::string files;
  for (const std::string& file : config.files) files += (files.empty() ? "" : ":") + shown_path(file);
  if (config.empty() && !config.searched.empty()) return "kubeconfig (" + config.searched + ")";
  return files.empty() ? "kubeconfig" : "kubeconfig " + files;
}

// A name, or what may stand in its place by mistake.
std::string quoted(const std::string& name) {
  return in_quotes(without_confused_secret(name));
}

Error invalid(const std::string& role, const std::string& reason) {
  return {Status::invalid, role + ": " + reason};
}

// What messages call an entry and its fields: "token of user \"jane\" in /home/jane/.kube/config".
class EntryName {
 public:
  EntryName(const char* kind, const std::string& name, const std::string& origin)
      : entry_(std::string(kind) + " " + quoted(name) + " in " + shown_path(origin)) {}
  const std::string& text() const noexcept { return entry_; }
  std::string field(const char* name) const { return std::string(name) + " of " + entry_; }
  ValueWithOrigin value(const std::string& text, const char* name) const { return {text, field(name)}; }

 private:
  std::string entry_;
};

// What `keys` replace may be missing (k8s.io/client-go/tools/clientcmd/client_config.go: what is checked is merged with
// the flags already).
Expected<void> take_cluster(const Kubeconfig& config, const ContextEntry& context, const EntryName& context_name,
                            const ConnectionSpec& keys, ConnectionSpec& spec) {
  const bool needed = !keys.server.set();
  const auto found = config.clusters.find(context.cluster);
  if (found == config.clusters.end()) {
    if (!needed) return {};
    if (context.cluster.empty()) return invalid(context_name.text(), "has no cluster");
    return invalid(context_name.text(), "its cluster " + quoted(context.cluster) + " does not exist");
  }
  const ClusterEntry& cluster = found->second;
  const EntryName entry("cluster", context.cluster, cluster.origin);
  if (cluster.server.empty() && needed) return invalid(entry.text(), "has no server");
  spec.server = entry.value(cluster.server, "server");
  spec.tls_server_name = entry.value(cluster.tls_server_name, "tls-server-name");
  spec.insecure = entry.value(cluster.insecure_skip_tls_verify ? "true" : "", "insecure-skip-tls-verify");
  spec.ca_file = entry.value(cluster.ca_file, "certificate-authority");
  spec.ca_data = entry.value(cluster.ca_data, "certificate-authority-data");
  spec.proxy_url = entry.value(cluster.proxy_url, "proxy-url");
  spec.disable_compression = cluster.disable_compression;
  spec.exec_config = cluster.exec_config;
  return {};
}

// k8s.io/client-go/tools/clientcmd/validation.go, validateAuthInfo.
Expected<void> check_exec(const ExecStanza& exec, const std::string& role) {
  if (exec.command.empty()) return invalid(role, "has no command");
  if (exec.api_version != "client.authentication.k8s.io/v1" &&
      exec.api_version != "client.authentication.k8s.io/v1beta1") {
    return invalid(role, "has the apiVersion " + quoted(exec.api_version) +
                             "; expected client.authentication.k8s.io/v1 or v1beta1");
  }
  for (const auto& [name, value] : exec.variables) {
    if (name.empty()) return invalid(role, "has a variable without a name");
    if (name.find('=') != std::string::npos) return invalid(role, "has a variable with a '=' in its name");
  }
  const std::string& mode = exec.interactive_mode;
  if (mode.empty() && exec.api_version == "client.authentication.k8s.io/v1") {
    return invalid(role, "has no interactiveMode; expected Never or IfAvailable");
  }
  if (!mode.empty() && mode != "Never" && mode != "IfAvailable" && mode != "Always") {
    return invalid(role, "has the interactiveMode " + quoted(mode) + "; expected Never or IfAvailable");
  }
  return {};
}

Expected<void> check_user(const UserEntry& user, const EntryName& entry, const ConnectionSpec& keys) {
  if (!user.auth_provider.empty() && user.exec) {
    return invalid(entry.text(), "has both an auth-provider and an exec plugin; expected only one of them");
  }
  if (!user.auth_provider.empty() && user.auth_provider != "oidc") {
    return invalid(entry.field("auth-provider"),
                   quoted(user.auth_provider) + " is not supported; expected an exec plugin in its place");
  }
  const bool token = !user.token.empty() || !user.token_file.empty();
  const bool basic = !user.username.empty() || !user.password.empty();
  if (token && basic) return invalid(entry.text(), "has both a token and a user name; expected only one of them");
  const bool as_nobody = user.as.empty() && !keys.impersonation.user.set();
  if ((!user.as_uid.empty() || !user.as_groups.empty() || !user.as_extra.empty()) && as_nobody) {
    return invalid(entry.text(), "has as-uid, as-groups or as-user-extra without as");
  }
  if (user.exec) return check_exec(*user.exec, entry.field("exec"));
  return {};
}

void take_credentials(const UserEntry& user, const std::string& name, const EntryName& entry, ConnectionSpec& spec) {
  spec.token = entry.value(user.token, "token");
  spec.token_file = entry.value(user.token_file, "tokenFile");
  spec.username = entry.value(user.username, "username");
  spec.password = entry.value(user.password, "password");
  spec.client_cert_file = entry.value(user.client_cert_file, "client-certificate");
  spec.client_cert_data = entry.value(user.client_cert_data, "client-certificate-data");
  spec.client_key_file = entry.value(user.client_key_file, "client-key");
  spec.client_key_data = entry.value(user.client_key_data, "client-key-data");
  // A certificate is of the connection, an id-token of each request: kubectl sends both. Beside a plugin, which may
  // give either, only one counts.
  if (user.auth_provider == "oidc" && !spec.has_credentials()) {
    spec.oidc = OidcPlan{entry.field("auth-provider"), user.origin, name};
    if (is_read_once(user.origin)) spec.oidc->held = user.oidc;
  }
  if (user.exec && !spec.has_credentials() && !(spec.has_certificate() && spec.has_key())) {
    spec.exec = user.exec;
    spec.exec_role = entry.field("exec");
  }
}

Expected<void> take_user(const Kubeconfig& config, const ContextEntry& context, const EntryName& context_name,
                         const ConnectionSpec& keys, ConnectionSpec& spec) {
  const auto found = config.users.find(context.user);
  if (found == config.users.end()) {
    if (context.user.empty() || keys.has_credentials() || (keys.has_certificate() && keys.has_key())) return {};
    return invalid(context_name.text(), "its user " + quoted(context.user) + " does not exist");
  }
  const UserEntry& user = found->second;
  const EntryName entry("user", context.user, user.origin);
  if (auto fine = check_user(user, entry, keys); !fine) return fine;
  spec.impersonation.user = entry.value(user.as, "as");
  spec.impersonation.uid = entry.value(user.as_uid, "as-uid");
  for (const std::string& group : user.as_groups) spec.impersonation.groups.push_back(entry.value(group, "as-groups"));
  for (const auto& [key, value] : user.as_extra) {
    spec.impersonation.extra.emplace_back(key, entry.value(value, "as-user-extra"));
  }
  take_credentials(user, context.user, entry, spec);
  return {};
}

// `context` empty: the current one. Credentials are taken whatever the server is: overridden() drops them where the
// server has no TLS.
Expected<ConnectionSpec> spec_of_context(const Kubeconfig& config, const std::string& context_key,
                                         const ConnectionSpec& keys) {
  const std::string& chosen = context_key.empty() ? config.current_context : context_key;
  const auto found = config.contexts.find(chosen);
  if (found == config.contexts.end() && chosen.empty()) {
    return invalid(files_of(config), "has no current-context; expected one, or the key context");
  }
  if (found == config.contexts.end()) return invalid(files_of(config), "context " + quoted(chosen) + " does not exist");
  const ContextEntry& context = found->second;
  const EntryName entry("context", chosen, context.origin);
  ConnectionSpec spec;
  spec.found_in = files_of(config) + ", context " + quoted(chosen);
  spec.default_namespace = context.name_space;
  if (auto fine = take_cluster(config, context, entry, keys, spec); !fine) return fine.error();
  if (auto fine = take_user(config, context, entry, keys, spec); !fine) return fine.error();
  return spec;
}

// ---- the pod that the process runs in

std::string variable(const ProcessEnvironment& process_env, const char* name) {
  return process_env.variable(name).value_or("");
}

bool is_file(const std::string& path) {
  std::error_code failure;
  return std::filesystem::is_regular_file(path, failure);
}

// A link that leads nowhere is there, and so is what cannot be looked at.
bool is_missing(const std::string& path) {
  std::error_code failure;
  return std::filesystem::symlink_status(path, failure).type() == std::filesystem::file_type::not_found;
}

std::string namespace_of(const ProcessEnvironment& process_env) {
  if (std::string name = variable(process_env, "POD_NAMESPACE"); !name.empty()) return name;
  const auto text = read_file({"namespace", process_env.service_account_directory + "/namespace"}, 4096);
  return text ? std::string(trimmed(*text)) : "";
}

NamedFile pod_token(const ProcessEnvironment& process_env) {
  return {"service account token", process_env.service_account_directory + "/token"};
}

// k8s.io/client-go/tools/clientcmd/client_config.go, inClusterClientConfig.Possible.
bool in_pod(const ProcessEnvironment& process_env) {
  return !variable(process_env, "KUBERNETES_SERVICE_HOST").empty() &&
         !variable(process_env, "KUBERNETES_SERVICE_PORT").empty() && is_file(pod_token(process_env).path);
}

// A context without a namespace is in that of the pod (clientcmd/merged_client_builder.go, Namespace).
ConnectionSpec with_namespace_of_pod(ConnectionSpec spec, const ProcessEnvironment& process_env) {
  if (spec.default_namespace.empty() && in_pod(process_env)) spec.default_namespace = namespace_of(process_env);
  return spec;
}

// Empty outside of a pod (k8s.io/client-go/rest/config.go, InClusterConfig).
std::optional<ConnectionSpec> in_cluster_spec(const ProcessEnvironment& process_env, Logger& logger) {
  if (!in_pod(process_env)) return std::nullopt;
  const std::string host = variable(process_env, "KUBERNETES_SERVICE_HOST");
  const std::string port = variable(process_env, "KUBERNETES_SERVICE_PORT");
  const NamedFile token = pod_token(process_env);
  const NamedFile ca{"service account CA", process_env.service_account_directory + "/ca.crt"};

  const bool ipv6 = host.find(':') != std::string::npos;
  ConnectionSpec spec;
  spec.found_in = "the service account of the pod";
  spec.server = {"https://" + (ipv6 ? "[" + host + "]" : host) + ":" + port, "KUBERNETES_SERVICE_HOST and _PORT"};
  spec.token_file = {token.path, token.role};
  if (is_missing(ca.path)) {
    logger.log(LogLevel::error, ca.text() + ": does not exist; the system's CAs are trusted instead");
  } else {
    // One that cannot be used is an error when it is read, never another trust.
    spec.ca_file = {ca.path, ca.role};
  }
  spec.default_namespace = namespace_of(process_env);
  return spec;
}

// `keys` may have replaced the plugin. Only one that is to run needs a terminal.
Expected<ConnectionSpec> overridden_context(ConnectionSpec file, const ConnectionSpec& keys) {
  ConnectionSpec spec = overridden(std::move(file), keys);
  if (spec.exec && spec.exec->interactive_mode == "Always") {
    return invalid(spec.exec_role, "has the interactiveMode Always, but a library has no terminal");
  }
  return spec;
}

}  // namespace

Expected<ConnectionSpec> find_connection_spec(const ConnectionOptions& options, const ProcessEnvironment& process_env,
                                              Logger& logger) {
  const ConnectionSpec keys = spec_of(options);
  const bool file_given = !options.kubeconfig.empty() || !options.context.empty();
  if (keys.server.set() && !file_given) return with_namespace_of_pod(keys, process_env);

  const auto config = load_kubeconfig(options.kubeconfig, process_env, logger);
  if (!config) return config.error();
  if (config->empty() && !file_given) {
    if (auto pod = in_cluster_spec(process_env, logger)) return overridden(*std::move(pod), keys);
    return Error{Status::invalid, "server: is not set, and there is no kubeconfig (" + config->searched +
                                      ") and no service account of a pod; expected one of them"};
  }
  // A kubeconfig that names no cluster counts as an empty one (k8s.io/client-go/tools/clientcmd/
  // merged_client_builder.go, ClientConfig). A context, cluster or user may be named "".
  if (options.context.empty() && config->current_context.empty() && config->contexts.count("") == 0) {
    if (auto pod = in_cluster_spec(process_env, logger)) {
      logger.log(LogLevel::notice,
                 files_of(*config) + " has no current-context; the service account of the pod is used");
      return overridden(*std::move(pod), keys);
    }
  }
  auto chosen = spec_of_context(*config, options.context, keys);
  if (!chosen) return chosen;
  auto merged = overridden_context(*std::move(chosen), keys);
  if (!merged) return merged;
  return with_namespace_of_pod(*std::move(merged), process_env);
}

}  // namespace ksr::cluster
