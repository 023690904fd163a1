#include "cluster/kubeconfig.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/secrets.hpp"
#include "base/text.hpp"
#include "cluster/files.hpp"
#include "cluster/yaml_reader.hpp"

namespace ksr::cluster {
namespace {

constexpr const char* kExecExtension = "client.authentication.k8s.io/exec";

// k8s.io/client-go/tools/clientcmd/loader.go, ResolvePaths.
std::string resolved(const std::string& path, const std::string& origin) {
  if (path.empty() || path.front() == '/') return path;
  return (std::filesystem::path(origin).parent_path() / path).lexically_normal().string();
}

std::string exec_config_of(const YamlMap& cluster) {
  for (const YamlMap& extension : cluster.maps("extensions")) {
    if (extension.text("name") == kExecExtension && extension.has("extension")) {
      return yaml_as_json(*extension.node("extension"), extension.place());
    }
  }
  return "";
}

ClusterEntry read_cluster(const YamlMap& cluster, const std::string& origin) {
  ClusterEntry entry;
  entry.origin = origin;
  entry.server = cluster.text("server");
  entry.tls_server_name = cluster.text("tls-server-name");
  entry.insecure_skip_tls_verify = cluster.flag("insecure-skip-tls-verify");
  entry.ca_file = resolved(cluster.text("certificate-authority"), origin);
  entry.ca_data = cluster.text("certificate-authority-data");
  entry.proxy_url = cluster.text("proxy-url");
  entry.disable_compression = cluster.flag("disable-compression");
  entry.exec_config = exec_config_of(cluster);
  return entry;
}

ExecStanza read_exec(const YamlMap& exec, const std::string& origin) {
  ExecStanza stanza;
  stanza.api_version = exec.text("apiVersion");
  stanza.command = exec.text("command");
  // A bare name is looked for in PATH.
  if (stanza.command.find('/') != std::string::npos) stanza.command = resolved(stanza.command, origin);
  stanza.arguments = exec.texts("args");
  for (const YamlMap& variable : exec.maps("env")) {
    stanza.variables.emplace_back(variable.text("name"), variable.text("value"));
  }
  stanza.interactive_mode = exec.text("interactiveMode");
  stanza.install_hint = exec.text("installHint");
  stanza.provide_cluster_info = exec.flag("provideClusterInfo");
  return stanza;
}

std::vector<std::pair<std::string, std::string>> read_extra(const YamlMap& user) {
  std::vector<std::pair<std::string, std::string>> extra;
  const YamlMap map = user.map("as-user-extra");
  for (const std::string& key : map.keys()) {
    // The key is not repeated: it may have been confused with its value.
    for (std::string& value : map.texts_of(key)) extra.emplace_back(key, std::move(value));
  }
  return extra;
}

// k8s.io/client-go/plugin/pkg/client/auth/oidc/oidc.go.
OidcProvider read_oidc(const YamlMap& config) {
  OidcProvider provider;
  provider.id_token = config.text("id-token");
  provider.refresh_token = config.text("refresh-token");
  provider.issuer = config.text("idp-issuer-url");
  provider.client_id = config.text("client-id");
  provider.client_secret = config.text("client-secret");
  provider.ca_file = config.text("idp-certificate-authority");
  provider.ca_data = config.text("idp-certificate-authority-data");
  return provider;
}

UserEntry read_user(const YamlMap& user, const std::string& origin) {
  UserEntry entry;
  entry.origin = origin;
  entry.token = user.text("token");
  entry.token_file = resolved(user.text("tokenFile"), origin);
  entry.username = user.text("username");
  entry.password = user.text("password");
  entry.client_cert_file = resolved(user.text("client-certificate"), origin);
  entry.client_cert_data = user.text("client-certificate-data");
  entry.client_key_file = resolved(user.text("client-key"), origin);
  entry.client_key_data = user.text("client-key-data");
  entry.as = user.text("as");
  entry.as_uid = user.text("as-uid");
  entry.as_groups = user.texts("as-groups");
  entry.as_extra = read_extra(user);
  if (user.has("auth-provider")) {
    const YamlMap provider = user.map("auth-provider");
    entry.auth_provider = provider.text("name");
    if (entry.auth_provider == "oidc") entry.oidc = read_oidc(provider.map("config"));
  }
  if (user.has("exec")) entry.exec = read_exec(user.map("exec"), origin);
  return entry;
}

ContextEntry read_context(const YamlMap& context, const std::string& origin) {
  return {origin, context.text("cluster"), context.text("user"), context.text("namespace")};
}

// "clusters", "cluster": a list of {name, cluster}. Within one file a name is unique
// (clientcmd/api/v1/conversion.go).
template <class Entry>
void read_entries(const YamlMap& root, const char* list, const char* stanza, const std::string& origin,
                  Entry (*read)(const YamlMap&, const std::string&), std::map<std::string, Entry>& entries) {
  for (const YamlMap& item : root.maps(list)) {
    const std::string name = item.text("name");
    const YamlMap body(item.node(stanza), item.place() + " " + in_quotes(without_confused_secret(name)));
    if (!entries.try_emplace(name, read(body, origin)).second) throw YamlMismatch(body.place() + ": is duplicated");
  }
}

void read_all(const YamlMap& root, const std::string& path, Kubeconfig& config) {
  const std::string kind = root.text("kind");
  const std::string version = root.text("apiVersion");
  if ((!kind.empty() && kind != "Config") || (!version.empty() && version != "v1")) {
    throw YamlMismatch("kind: expected Config of apiVersion v1");
  }
  config.current_context = root.text("current-context");
  read_entries(root, "clusters", "cluster", path, read_cluster, config.clusters);
  read_entries(root, "users", "user", path, read_user, config.users);
  read_entries(root, "contexts", "context", path, read_context, config.contexts);
}

Error invalid_file(const std::string& path, const std::string& reason) {
  return {Status::invalid, "kubeconfig " + shown_path(path) + ": " + reason};
}

std::string absolute(const std::string& path) {
  std::error_code failure;
  const auto whole = std::filesystem::absolute(path, failure);
  return failure ? path : whole.lexically_normal().string();
}

// What is below a file (ENOTDIR) is there as far as kubectl is concerned: it cannot be read.
bool exists(const std::string& path) {
  std::error_code failure;
  return std::filesystem::exists(std::filesystem::status(path, failure)) ||
         failure != std::errc::no_such_file_or_directory;
}

Expected<Kubeconfig> load_one(const std::string& path) {
  const std::string whole = absolute(path);
  auto text = read_kubeconfig_file({"kubeconfig", whole});
  if (!text) return std::move(text).error();
  return parse_kubeconfig(whole, *text);
}

void log_notes(const Kubeconfig& config, Logger& logger) {
  for (const std::string& note : config.notes) logger.log(LogLevel::notice, note);
}

struct DefaultPaths {
  // What they come from, for messages.
  std::string origin;
  std::vector<std::string> paths;
};

// k8s.io/client-go/tools/clientcmd/loader.go, NewDefaultClientConfigLoadingRules.
DefaultPaths default_paths(const ProcessEnvironment& process_env) {
  DefaultPaths found;
  if (const auto list = process_env.variable("KUBECONFIG"); list && !list->empty()) {
    found.origin = "KUBECONFIG";
    std::vector<std::string>& paths = found.paths;
    for (const std::string_view path : split(*list, ':')) {
      if (!path.empty() && std::find(paths.begin(), paths.end(), path) == paths.end()) paths.emplace_back(path);
    }
    return found;
  }
  found.origin = "~/.kube/config";
  if (const auto home = process_env.variable("HOME"); home && !home->empty()) {
    found.paths.push_back(*home + "/.kube/config");
  }
  return found;
}

}  // namespace

Expected<Kubeconfig> parse_kubeconfig(const std::string& path, const std::string& text) {
  Kubeconfig config;
  config.files.push_back(path);
  try {
    const YamlDocument document(text);
    read_all(YamlMap(&document.root(), ""), path, config);
    for (const std::string& note : document.notes()) {
      config.notes.push_back("kubeconfig " + shown_path(path) + ": " + note);
    }
  } catch (const YamlMismatch& mismatch) {
    return invalid_file(path, mismatch.what());
  }
  return config;
}

void merge_kubeconfig(Kubeconfig& first, Kubeconfig later) {
  first.files.insert(first.files.end(), later.files.begin(), later.files.end());
  first.notes.insert(first.notes.end(), later.notes.begin(), later.notes.end());
  first.clusters.merge(later.clusters);
  first.users.merge(later.users);
  first.contexts.merge(later.contexts);
  if (first.current_context.empty()) first.current_context = std::move(later.current_context);
}

Expected<Kubeconfig> load_kubeconfig(const std::string& path, const ProcessEnvironment& process_env, Logger& logger) {
  if (!path.empty()) {
    auto config = load_one(path);
    if (config) log_notes(*config, logger);
    return config;
  }
  Kubeconfig merged;
  const DefaultPaths defaults = default_paths(process_env);
  merged.searched = defaults.origin;
  const char* separator = ": ";
  for (const std::string& candidate : defaults.paths) {
    merged.searched += std::exchange(separator, ", ") + shown_path(candidate);
    if (!exists(candidate)) {
      merged.searched += " does not exist";
      logger.log(LogLevel::debug, "kubeconfig " + shown_path(candidate) + ": does not exist");
      continue;
    }
    auto config = load_one(candidate);
    if (!config) return config;
    if (config->empty()) merged.searched += " is empty";
    merge_kubeconfig(merged, *std::move(config));
  }
  log_notes(merged, logger);
  return merged;
}

}  // namespace ksr::cluster
