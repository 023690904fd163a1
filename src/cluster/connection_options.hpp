// `ConnectionOptions` and `QueryOptions` are the config keys of the groups connection, Headlamp and query, parsed but
// not yet resolved; filled in by stream/config. Plain values; may be copied between threads.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/instant.hpp"
#include "base/shard.hpp"

namespace ksr::cluster {

inline constexpr Milliseconds kDefaultRequestTimeout{30'000};

// Empty strings are keys that are not set.
struct ConnectionOptions {
  std::string kubeconfig;
  std::string context;
  std::string server;
  std::string token;
  std::string token_file;
  std::string username;
  std::string password;
  std::string ca_file;
  std::string ca_data;  // PEM, or base64 of PEM
  std::string client_cert_file;
  std::string client_key_file;
  std::string client_cert_data;
  std::string client_key_data;
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  std::string proxy_url;
  std::string impersonate_user;
  std::string impersonate_uid;
  std::vector<std::string> impersonate_groups;
  std::vector<std::pair<std::string, std::string>> impersonate_extra;  // key, value; a key may occur several times
  std::string user_agent;
  std::vector<std::pair<std::string, std::string>> headers;  // header.NAME
  Milliseconds exec_timeout{60'000};
  bool exec_stderr_inherited = false;
  Milliseconds connect_timeout{30'000};
  Milliseconds request_timeout = kDefaultRequestTimeout;

  std::string headlamp_url;
  std::string headlamp_cluster;
  std::string headlamp_kubeconfig;
  std::string headlamp_user_id;
  std::string headlamp_token;
};

struct QueryOptions {
  // As given: v1/pods, apps/v1/deployments, /api/v1/pods, or (through discovery) pods, deploy,
  // ingresses.networking.k8s.io.
  std::vector<std::string> resources;
  // Empty: all namespaces.
  std::vector<std::string> namespaces;
  // `namespaces` is the context's, not the caller's: a cluster-scoped resource is listed without it.
  bool namespaces_of_context = false;
  std::string label_selector;
  std::string field_selector;
  // Empty: all objects.
  std::optional<Shard> shard;
  bool metadata_only = false;
  // A name has to be that of a resource that can be listed.
  bool listable_only = true;
};

}  // namespace ksr::cluster
