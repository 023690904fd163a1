// `ConnectionSpec` is a connection as config keys, a kubeconfig or both describe it, before files are read and values
// checked; made by find_connection_spec, used by resolve_connection. Plain values; any thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cluster/connection_options.hpp"
#include "cluster/kubeconfig.hpp"
#include "cluster/oidc_plan.hpp"

namespace ksr::cluster {

// A value and where it comes from, for messages: "ca_file", "certificate-authority of cluster \"dev\" in
// /home/jane/config".
struct ValueWithOrigin {
  std::string text;
  std::string role;
  bool set() const noexcept { return !text.empty(); }
};

struct Impersonation {
  ValueWithOrigin user;
  ValueWithOrigin uid;
  std::vector<ValueWithOrigin> groups;
  // By key, of which one may occur several times.
  std::vector<std::pair<std::string, ValueWithOrigin>> extra;
  bool any() const noexcept { return user.set() || uid.set() || !groups.empty() || !extra.empty(); }
};

struct ConnectionSpec {
  // Where it was found, for the log: "kubeconfig /home/jane/.kube/config, context \"dev\"".
  std::string found_in = "the configuration keys";
  // Of the context; empty without one.
  std::string default_namespace;
  ValueWithOrigin server;
  ValueWithOrigin ca_file, ca_data;
  ValueWithOrigin client_cert_file, client_cert_data;
  ValueWithOrigin client_key_file, client_key_data;
  ValueWithOrigin tls_server_name;
  ValueWithOrigin insecure;  // set: certificates are not verified
  ValueWithOrigin proxy_url;
  ValueWithOrigin token, token_file;
  ValueWithOrigin username, password;
  Impersonation impersonation;
  std::optional<ExecStanza> exec;
  std::optional<OidcPlan> oidc;
  // What messages call the stanza: "exec of user \"jane\" in /home/jane/.kube/config".
  std::string exec_role;
  // JSON for plugins with provideClusterInfo.
  std::string exec_config;
  bool disable_compression = false;
  // A kubeconfig had credentials, which are not sent since the server has no TLS.
  bool credentials_dropped = false;

  bool has_ca() const noexcept { return ca_file.set() || ca_data.set(); }
  bool has_certificate() const noexcept { return client_cert_file.set() || client_cert_data.set(); }
  // A token or a user name and password.
  bool has_credentials() const noexcept { return token.set() || token_file.set() || username.set() || password.set(); }
  bool has_key() const noexcept { return client_key_file.set() || client_key_data.set(); }
};

ConnectionSpec spec_of(const ConnectionOptions& options);
// `keys` overrides `file`, by the rules of kubectl's flags (k8s.io/client-go/tools/clientcmd/client_config.go): another
// server drops the file's tls-server-name, no verification drops its CA, other credentials drop all of the file's, but
// of a user name and password, a certificate and its key, and what is impersonated each replaces its own alone, another
// certificate drops a plugin, and a server without TLS gets no credentials of the file.
ConnectionSpec overridden(ConnectionSpec file, const ConnectionSpec& keys);

}  // namespace ksr::cluster
