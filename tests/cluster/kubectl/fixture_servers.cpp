#include "cluster/kubectl/fixture_servers.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

#include "cluster/harness/base64.hpp"

namespace ksr::clustertest {
namespace {

using testserver::ApiServer;
using testserver::RecordedRequest;
using testserver::ServerOptions;

ServerOptions known_users(bool tls) {
  ServerOptions options;
  options.tls = tls;
  options.ipv6 = false;
  if (tls) options.tokens = {{"token-of-jane", "jane"}, {"token-of-bob", "bob"}, {"jane:pass:word", "jane"}};
  return options;
}

ServerOptions only_internal() {
  ServerOptions options = known_users(true);
  options.default_names = false;
  options.server_names = {"api.internal"};
  return options;
}

ServerOptions below_prefix() {
  ServerOptions options = known_users(true);
  options.path_prefix = "/k8s/clusters/c-1";
  return options;
}

std::string credentials_of(const RecordedRequest& request) {
  std::string credentials = request.header("Authorization");
  if (!request.client_name.empty()) credentials += "certificate of " + request.client_name;
  std::vector<std::string> impersonated;
  for (const auto& [name, value] : request.headers) {
    std::string key = name;
    std::transform(key.begin(), key.end(), key.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (key.rfind("impersonate-", 0) == 0) impersonated.push_back(" " + key + "=" + value);
  }
  std::sort(impersonated.begin(), impersonated.end());
  for (const std::string& part : impersonated) credentials += part;
  return credentials;
}

// What Go's encoding/pem takes as well.
std::string loose(const std::string& pem) {
  std::string text = "subject: CN=ca\r\n\r\n";
  for (const char c : pem) text += c == '\n' ? std::string(" \r\n") : std::string(1, c);
  text.insert(text.find("-----END"), "\r\n");
  return text + "the end\r\n";
}

void collect(std::set<std::string>& requests, const std::string& name, ApiServer& server, const std::string& resource) {
  server.run([&](testserver::World& world) {
    for (const RecordedRequest& request : world.requests()) {
      const std::string path = request.target.substr(0, request.target.find('?'));
      const bool fits = path.size() > resource.size() && path.substr(path.size() - resource.size()) == resource;
      if (fits && (request.verb == "list" || request.verb == "watch")) {
        requests.insert(name + " " + path + " as " + credentials_of(request));
      }
    }
    world.requests().clear();
  });
}

}  // namespace

FixtureServers::FixtureServers()
    : a_(known_users(true)), b_(only_internal()), c_(below_prefix()), d_(known_users(false)) {
  for (ApiServer* server : {&a_, &b_, &c_, &d_}) server->script("create pods shop/web\ncreate nodes one");
}

Replacements FixtureServers::replacements() const {
  const testing::CertificateAndKey jane = a_.client_certificate("jane-by-certificate");
  const testing::CertificateAndKey other = a_.client_certificate("other");
  const auto internal = "https://127.0.0.1:" + std::to_string(b_.port());
  return {{"A", a_.url()},
          {"B", internal},
          {"C", c_.url()},
          {"D", d_.url()},
          {"CA", a_.ca_file()},
          {"CA_B", b_.ca_file()},
          {"CA_C", c_.ca_file()},
          {"CA_PEM", a_.ca_pem()},
          {"CA_DATA", base64(a_.ca_pem())},
          {"LOOSE_CA_DATA", base64(loose(a_.ca_pem()))},
          {"CERT_PEM", jane.certificate_pem},
          {"KEY_PEM", jane.key_pem},
          {"CERT_DATA", base64(jane.certificate_pem)},
          {"KEY_DATA", base64(jane.key_pem)},
          {"OTHER_KEY_DATA", base64(other.key_pem)},
          {"PROXY", proxy_.url()}};
}

std::set<std::string> FixtureServers::requests(const std::string& resource) {
  std::set<std::string> requests;
  collect(requests, "A", a_, resource);
  collect(requests, "B", b_, resource);
  collect(requests, "C", c_, resource);
  collect(requests, "D", d_, resource);
  const std::size_t tunnels = proxy_.tunnels().size();
  if (tunnels != tunnels_) requests.insert("through the proxy");
  tunnels_ = tunnels;
  return requests;
}

}  // namespace ksr::clustertest
