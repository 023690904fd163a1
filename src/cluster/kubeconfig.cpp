#include "cluster/kubeconfig.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

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
      return yaml_as_json(extension.node("extension"), extension.place());
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
  if (!map.whole().IsDefined() || map.whole().IsNull()) return extra;
  for (const auto& item : map.whole()) {
    if (!item.first.IsScalar()) throw YamlMismatch(map.place() + ": expected strings as keys");
    const std::string key = item.first.Scalar();
    for (const std::string& value : map.texts(key.c_str())) extra.emplace_back(key, value);
  }
  return extra;
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
  if (user.has("auth-provider")) entry.auth_provider = user.map("auth-provider").text("name");
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
    const YamlMap body(item.node(stanza), item.place() + " " + in_quotes(name));
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
  return {Status::invalid, "kubeconfig " + one_line(path) + ": " + reason};
}

std::string absolute(const std::string& path) {
  std::error_code failure;
  const auto whole = std::filesystem::absolute(path, failure);
  return failure ? path : whole.lexically_normal().string();
}

bool exists(const std::string& path) {
  std::error_code failure;
  return std::filesystem::exists(path, failure) || failure;
}

Expected<Kubeconfig> load_one(const std::string& path) {
  const std::string whole = absolute(path);
  auto text = read_file({"kubeconfig", whole}, kMaxKubeconfigSize);
  if (!text) return std::move(text).error();
  return parse_kubeconfig(whole, *text);
}

// k8s.io/client-go/tools/clientcmd/loader.go, NewDefaultClientConfigLoadingRules.
std::vector<std::string> default_paths(const ProcessEnvironment& process_env) {
  std::vector<std::string> paths;
  if (const auto list = process_env.variable("KUBECONFIG"); list && !list->empty()) {
    for (const std::string_view path : split(*list, ':')) {
      if (!path.empty() && std::find(paths.begin(), paths.end(), path) == paths.end()) paths.emplace_back(path);
    }
    return paths;
  }
  if (const auto home = process_env.variable("HOME"); home && !home->empty()) paths.push_back(*home + "/.kube/config");
  return paths;
}

}  // namespace

Expected<Kubeconfig> parse_kubeconfig(const std::string& path, const std::string& text) {
  Kubeconfig config;
  config.files.push_back(path);
  try {
    read_all(YamlMap(YAML::Load(text), ""), path, config);
  } catch (const YamlMismatch& mismatch) {
    return invalid_file(path,
                        mismatch.what()[0] == ':' ? "is not a kubeconfig; expected a YAML mapping" : mismatch.what());
  } catch (const YAML::Exception& failure) {
    // yaml-cpp's message may quote the file, which may have a secret there.
    return invalid_file(path, failure.mark.is_null()
                                  ? "is not valid YAML"
                                  : "is not valid YAML at line " + std::to_string(failure.mark.line + 1));
  }
  return config;
}

void merge_kubeconfig(Kubeconfig& first, Kubeconfig later) {
  first.files.insert(first.files.end(), later.files.begin(), later.files.end());
  first.clusters.merge(later.clusters);
  first.users.merge(later.users);
  first.contexts.merge(later.contexts);
  if (first.current_context.empty()) first.current_context = std::move(later.current_context);
}

Expected<Kubeconfig> load_kubeconfig(const std::string& path, const ProcessEnvironment& process_env, Logger& logger) {
  if (!path.empty()) return load_one(path);
  Kubeconfig merged;
  for (const std::string& candidate : default_paths(process_env)) {
    if (!exists(candidate)) {
      logger.log(LogLevel::debug, "kubeconfig " + one_line(candidate) + ": does not exist");
      continue;
    }
    auto config = load_one(candidate);
    if (!config) return config;
    merge_kubeconfig(merged, *std::move(config));
  }
  return merged;
}

}  // namespace ksr::cluster
