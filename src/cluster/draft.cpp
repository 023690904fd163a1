#include "cluster/draft.hpp"

#include <utility>

namespace ksr::cluster {
namespace {

void take(Sourced& place, const Sourced& value) {
  if (value.set()) place = value;
}

void drop(Sourced& one, Sourced& other) {
  one = {};
  other = {};
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
