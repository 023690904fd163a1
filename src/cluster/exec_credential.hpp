// `exec_info` is the JSON that an exec plugin gets, `parse_exec_credential` reads the JSON or YAML that it prints; used
// by exec_plugin. client.authentication.k8s.io/v1 and v1beta1. Pure, any thread.
#pragma once

#include <string>
#include <vector>

#include "base/expected.hpp"
#include "cluster/credentials.hpp"

namespace ksr::cluster {

// What a plugin with provideClusterInfo gets to know of the cluster.
struct ExecCluster {
  std::string server;
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  std::string ca_pem;
  std::string proxy_url;
  bool disable_compression = false;
  // JSON text; empty without one.
  std::string config;
};

// The value of KUBERNETES_EXEC_INFO. `cluster` NULL: the plugin has no provideClusterInfo.
std::string exec_info(const std::string& api_version, const ExecCluster* cluster);

// The error says what is wrong with the output and never repeats any of it.
Expected<Credentials> parse_exec_credential(const std::string& output, const std::string& api_version);

// The token and the key in it, whether or not it is one that can be used; nothing while it is not whole.
std::vector<std::string> secrets_of_exec_credential(const std::string& output);

}  // namespace ksr::cluster
