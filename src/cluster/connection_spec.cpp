#include "cluster/connection_spec.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "base/url.hpp"

namespace ksr::cluster {
namespace {

void take(ValueWithOrigin& place, const ValueWithOrigin& value) {
  if (value.set()) place = value;
}

void drop(ValueWithOrigin& one, ValueWithOrigin& other) {
  one = {};
  other = {};
}

// Each for itself, of the extra ones each key (clientcmd merges the flags over the user of the file).
void merge(Impersonation& file, const Impersonation& keys) {
  take(file.user, keys.user);
  take(file.uid, keys.uid);
  if (!keys.groups.empty()) file.groups = keys.groups;
  const auto given = [&keys](const auto& one) {
    return std::any_of(keys.extra.begin(), keys.extra.end(),
                       [&one](const auto& key) { return equal_ignoring_case(key.first, one.first); });
  };
  file.extra.erase(std::remove_if(file.extra.begin(), file.extra.end(), given), file.extra.end());
  file.extra.insert(file.extra.end(), keys.extra.begin(), keys.extra.end());
}

bool uses_tls(const ConnectionSpec& spec) {
  const auto server = parse_server_url(spec.server.role, spec.server.text);
  return server && server->secure();
}

void drop_credentials(ConnectionSpec& spec) {
  spec.credentials_dropped = spec.has_credentials() || spec.exec || spec.oidc || spec.has_certificate();
  drop(spec.token, spec.token_file);
  drop(spec.username, spec.password);
  drop(spec.client_cert_file, spec.client_cert_data);
  drop(spec.client_key_file, spec.client_key_data);
  spec.exec.reset();
  spec.oidc.reset();
}

}  // namespace

ConnectionSpec spec_of(const ConnectionOptions& options) {
  ConnectionSpec spec;
  spec.server = {options.server, "server"};
  spec.ca_file = {options.ca_file, "ca_file"};
  spec.ca_data = {options.ca_data, "ca_data"};
  spec.client_cert_file = {options.client_cert_file, "client_cert_file"};
  spec.client_cert_data = {options.client_cert_data, "client_cert_data"};
  spec.client_key_file = {options.client_key_file, "client_key_file"};
  spec.client_key_data = {options.client_key_data, "client_key_data"};
  spec.tls_server_name = {options.tls_server_name, "tls_server_name"};
  spec.insecure = {options.insecure_skip_tls_verify ? "true" : "", "insecure_skip_tls_verify"};
  spec.proxy_url = {options.proxy_url, "proxy_url"};
  spec.token = {options.token, "token"};
  spec.token_file = {options.token_file, "token_file"};
  spec.username = {options.username, "username"};
  spec.password = {options.password, "password"};
  spec.impersonation.user = {options.impersonate_user, "impersonate_user"};
  spec.impersonation.uid = {options.impersonate_uid, "impersonate_uid"};
  for (const std::string& group : options.impersonate_groups) {
    spec.impersonation.groups.push_back({group, "impersonate_groups"});
  }
  for (const auto& [key, value] : options.impersonate_extra) {
    spec.impersonation.extra.emplace_back(key, ValueWithOrigin{value, "impersonate_extra." + one_line(key)});
  }
  return spec;
}

ConnectionSpec overridden(ConnectionSpec file, const ConnectionSpec& keys) {
  ConnectionSpec merged = std::move(file);
  if (keys.server.set() || keys.tls_server_name.set()) merged.tls_server_name = keys.tls_server_name;
  take(merged.server, keys.server);
  if (keys.insecure.set()) {
    merged.insecure = keys.insecure;
    drop(merged.ca_file, merged.ca_data);
  }
  if (keys.has_ca()) {
    if (!keys.insecure.set()) merged.insecure = {};
    merged.ca_file = keys.ca_file;
    merged.ca_data = keys.ca_data;
  }
  // Decided when server and CA are merged (k8s.io/client-go/tools/clientcmd/client_config.go, ClientConfig):
  // credentials of a file are not sent to a server without TLS, whether the file names it or a key.
  if (!uses_tls(merged)) drop_credentials(merged);
  if (keys.has_certificate()) {
    merged.client_cert_file = keys.client_cert_file;
    merged.client_cert_data = keys.client_cert_data;
  }
  if (keys.has_key()) {
    merged.client_key_file = keys.client_key_file;
    merged.client_key_data = keys.client_key_data;
  }
  if (keys.has_certificate() || keys.has_key()) merged.exec.reset();
  if (keys.token.set() || keys.token_file.set() || keys.username.set() || keys.password.set()) {
    const bool pair = !keys.token.set() && !keys.token_file.set();
    merged.token = keys.token;
    merged.token_file = keys.token_file;
    if (!pair || keys.username.set()) merged.username = keys.username;
    if (!pair || keys.password.set()) merged.password = keys.password;
    merged.exec.reset();
    merged.oidc.reset();
  }
  take(merged.proxy_url, keys.proxy_url);
  merge(merged.impersonation, keys.impersonation);
  return merged;
}

}  // namespace ksr::cluster
