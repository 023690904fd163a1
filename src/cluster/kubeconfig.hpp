// `load_kubeconfig` reads the kubeconfig files that kubectl would read into one `Kubeconfig`; used by
// find_connection_spec. Plain values; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/expected.hpp"
#include "base/log.hpp"
#include "cluster/process_environment.hpp"

namespace ksr::cluster {

// The `exec` stanza of a user. client.authentication.k8s.io/v1 and v1beta1.
struct ExecStanza {
  std::string api_version;
  std::string command;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> variables;
  std::string interactive_mode;
  std::string install_hint;
  bool provide_cluster_info = false;
};

// `origin` is the file that an entry came from; relative paths are relative to its directory, and are absolute here.
struct ClusterEntry {
  std::string origin;
  std::string server;
  std::string tls_server_name;
  std::string ca_file, ca_data;
  std::string proxy_url;
  bool insecure_skip_tls_verify = false;
  bool disable_compression = false;
  // JSON of the extension client.authentication.k8s.io/exec; empty without one.
  std::string exec_config;
};

// The config of `auth-provider: oidc`.
struct OidcProvider {
  std::string id_token;
  std::string refresh_token;
  std::string issuer;
  std::string client_id, client_secret;
  std::string ca_file, ca_data;
};

struct UserEntry {
  std::string origin;
  std::string token, token_file;
  std::string username, password;
  std::string client_cert_file, client_cert_data;
  std::string client_key_file, client_key_data;
  std::string as, as_uid;
  std::vector<std::string> as_groups;
  std::vector<std::pair<std::string, std::string>> as_extra;
  std::string auth_provider;
  OidcProvider oidc;
  std::optional<ExecStanza> exec;
};

struct ContextEntry {
  std::string origin;
  std::string cluster;
  std::string user;
  std::string name_space;
};

struct Kubeconfig {
  // The files it was read from, in order; for messages.
  std::vector<std::string> files;
  // Where files were looked for, and what became of those that say nothing: "KUBECONFIG: /nope does not exist". Empty
  // where one file was asked for.
  std::string searched;
  // For the log: what is read otherwise than it may be meant.
  std::vector<std::string> notes;
  std::map<std::string, ClusterEntry> clusters;
  std::map<std::string, UserEntry> users;
  std::map<std::string, ContextEntry> contexts;
  std::string current_context;

  bool empty() const noexcept {
    return clusters.empty() && users.empty() && contexts.empty() && current_context.empty();
  }
};

// The content of one file. `path` is absolute. The error names the file and the entry, never a value.
Expected<Kubeconfig> parse_kubeconfig(const std::string& path, const std::string& text);
// Of equal names the whole entry of the first file is used, and the first current-context that is set
// (k8s.io/client-go/tools/clientcmd/loader.go).
void merge_kubeconfig(Kubeconfig& first, Kubeconfig later);

// `path` alone, which must exist; without one the files of KUBECONFIG, else ~/.kube/config, of which those that do not
// exist are skipped. Reads files on the calling thread.
Expected<Kubeconfig> load_kubeconfig(const std::string& path, const ProcessEnvironment& process_env, Logger& logger);

}  // namespace ksr::cluster
