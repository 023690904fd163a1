#include "cluster/headlamp.hpp"

#include <algorithm>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace ksr::cluster {
namespace {

// kubeconfig.go, MakeDNSFriendly.
std::string dns_friendly(const std::string& cluster) {
  std::string name;
  for (const char c : cluster) {
    if (c == '/') {
      name += "--";
    } else if (c == ' ') {
      name += "__";
    } else {
      name += c;
    }
  }
  return name;
}

// stateless.go reads [a-zA-Z0-9_-]+ from the subprotocol.
bool is_user_id(const std::string& id) {
  return !id.empty() &&
         std::all_of(id.begin(), id.end(), [](char c) { return is_alphanumeric(c) || c == '_' || c == '-'; });
}

Error bad(const std::string& reason) {
  return {Status::invalid, reason};
}

Expected<void> check(const ConnectionOptions& options) {
  if (options.headlamp_url.empty()) return bad("headlamp_url: is not set, but another headlamp key is");
  if (options.headlamp_cluster.empty()) return bad("headlamp_cluster: is not set; expected the cluster's name");
  if (has_control_characters(options.headlamp_cluster)) return bad("headlamp_cluster: holds control characters");
  if (options.headlamp_cluster == "." || options.headlamp_cluster == "..") {
    return bad("headlamp_cluster: is not a valid cluster name");
  }
  if (!options.server.empty() || !options.kubeconfig.empty() || !options.context.empty()) {
    return bad("headlamp_url: contradicts server, kubeconfig or context; the Headlamp server chooses the cluster");
  }
  if (has_control_characters(options.headlamp_token)) return bad("headlamp_token: holds control characters");
  if (!options.headlamp_user_id.empty() && !is_user_id(options.headlamp_user_id)) {
    return bad("headlamp_user_id: expected letters, digits, '_' and '-'");
  }
  if (options.headlamp_kubeconfig.empty()) return {};
  if (options.headlamp_user_id.empty()) {
    return bad("headlamp_user_id: is not set, but headlamp_kubeconfig is; expected the id that belongs to it");
  }
  if (has_control_characters(options.headlamp_kubeconfig) || !base64_decode(options.headlamp_kubeconfig)) {
    return bad("headlamp_kubeconfig: expected a kubeconfig as one line of base64");
  }
  return {};
}

std::vector<std::string> secrets_of_keys(const ConnectionOptions& options) {
  std::vector<std::string> secrets;
  if (!options.headlamp_token.empty()) secrets.push_back(options.headlamp_token);
  if (options.headlamp_kubeconfig.empty()) return secrets;
  secrets.push_back(options.headlamp_kubeconfig);
  const auto config = parse_kubeconfig("", base64_decode(options.headlamp_kubeconfig).value_or(""));
  if (!config) return secrets;
  for (const auto& [name, user] : config->users) {
    for (const std::string* secret : {&user.token, &user.password, &user.client_key_data}) {
      if (!secret->empty()) secrets.push_back(*secret);
    }
  }
  return secrets;
}

}  // namespace

bool wants_headlamp(const ConnectionOptions& options) {
  return !options.headlamp_url.empty() || !options.headlamp_cluster.empty() || !options.headlamp_kubeconfig.empty() ||
         !options.headlamp_user_id.empty() || !options.headlamp_token.empty();
}

Expected<HeadlampPlan> plan_headlamp(const ConnectionOptions& options) {
  if (auto fine = check(options); !fine) return fine.error();
  HeadlampPlan plan;
  plan.path = "/clusters/" + percent_encode(dns_friendly(options.headlamp_cluster));
  plan.stateless = !options.headlamp_kubeconfig.empty();
  // kube-apiserver echoes the one that it gets and refuses two.
  plan.subprotocols.push_back("base64.binary.k8s.io");
  if (plan.stateless) plan.http_headers.push_back({"KUBECONFIG", options.headlamp_kubeconfig});
  if (!options.headlamp_user_id.empty()) plan.http_headers.push_back({"X-HEADLAMP-USER-ID", options.headlamp_user_id});
  if (!options.headlamp_token.empty()) {
    plan.http_headers.push_back({"X-HEADLAMP_BACKEND-TOKEN", options.headlamp_token});
    plan.subprotocols.push_back("base64url.headlamp.backend.authorization.k8s.io." +
                                base64url_encode(options.headlamp_token));
  }
  // In spite of the name, the id is not encoded.
  if (plan.stateless) {
    plan.subprotocols.push_back("base64url.headlamp.authorization.k8s.io." + options.headlamp_user_id);
  }
  plan.secrets = secrets_of_keys(options);
  return plan;
}

ConnectionSpec headlamp_spec(const ConnectionOptions& options) {
  ConnectionSpec spec = spec_of(options);
  spec.server = {options.headlamp_url, "headlamp_url"};
  return spec;
}

}  // namespace ksr::cluster
