#include "cluster/draft.hpp"

namespace ksr::cluster {

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

}  // namespace ksr::cluster
