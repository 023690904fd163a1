#include "cluster/draft.hpp"

#include <utility>

#include "cluster/server_url.hpp"

namespace ksr::cluster {
namespace {

void take(Sourced& place, const Sourced& value) {
  if (value.set()) place = value;
}

void drop(Sourced& one, Sourced& other) {
  one = {};
  other = {};
}

// The certificate of the file says nothing: it is itself a credential that only counts over TLS.
bool uses_tls(const Draft& merged, const Draft& keys) {
  const bool tls_expected = merged.has_ca() || merged.insecure.set() || keys.has_certificate();
  const auto server = parse_server_url(merged.server.role, merged.server.text, tls_expected);
  return server && server->secure();
}

void drop_credentials(Draft& draft) {
  drop(draft.token, draft.token_file);
  drop(draft.username, draft.password);
  drop(draft.client_cert_file, draft.client_cert_data);
  drop(draft.client_key_file, draft.client_key_data);
  draft.exec.reset();
}

}  // namespace

Draft draft_of(const ConnectionOptions& options) {
  Draft draft;
  draft.server = {options.server, "server"};
  draft.ca_file = {options.ca_file, "ca_file"};
  draft.ca_data = {options.ca_data, "ca_data"};
  draft.client_cert_file = {options.client_cert_file, "client_cert_file"};
  draft.client_cert_data = {options.client_cert_data, "client_cert_data"};
  draft.client_key_file = {options.client_key_file, "client_key_file"};
  draft.client_key_data = {options.client_key_data, "client_key_data"};
  draft.tls_server_name = {options.tls_server_name, "tls_server_name"};
  draft.insecure = {options.insecure_skip_tls_verify ? "true" : "", "insecure_skip_tls_verify"};
  draft.proxy_url = {options.proxy_url, "proxy_url"};
  draft.token = {options.token, "token"};
  draft.token_file = {options.token_file, "token_file"};
  draft.username = {options.username, "username"};
  draft.password = {options.password, "password"};
  draft.impersonation = {options.impersonate_user, options.impersonate_uid, options.impersonate_groups,
                         options.impersonate_extra};
  return draft;
}

Draft overridden(Draft file, const Draft& keys) {
  Draft whole = std::move(file);
  if (keys.server.set() || keys.tls_server_name.set()) whole.tls_server_name = keys.tls_server_name;
  take(whole.server, keys.server);
  if (keys.insecure.set()) {
    whole.insecure = keys.insecure;
    drop(whole.ca_file, whole.ca_data);
  }
  if (keys.has_ca()) {
    if (!keys.insecure.set()) whole.insecure = {};
    whole.ca_file = keys.ca_file;
    whole.ca_data = keys.ca_data;
  }
  // Judged when server and CA are merged (k8s.io/client-go/tools/clientcmd/client_config.go, ClientConfig): credentials
  // of a file are not sent to a server without TLS, whether the file names it or a key.
  if (!uses_tls(whole, keys)) drop_credentials(whole);
  if (keys.has_certificate() || keys.has_key()) {
    whole.client_cert_file = keys.client_cert_file;
    whole.client_cert_data = keys.client_cert_data;
    whole.client_key_file = keys.client_key_file;
    whole.client_key_data = keys.client_key_data;
    whole.exec.reset();
  }
  if (keys.token.set() || keys.token_file.set() || keys.username.set() || keys.password.set()) {
    whole.token = keys.token;
    whole.token_file = keys.token_file;
    whole.username = keys.username;
    whole.password = keys.password;
    whole.exec.reset();
  }
  take(whole.proxy_url, keys.proxy_url);
  if (keys.impersonation.any()) whole.impersonation = keys.impersonation;
  return whole;
}

}  // namespace ksr::cluster
