#include "cluster/kubectl/places.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <vector>

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

std::string base64(const std::string& text) {
  std::string encoded((text.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  encoded.resize(static_cast<std::size_t>(size));
  return encoded;
}

std::string who(const RecordedRequest& request) {
  std::string who = request.header("Authorization");
  if (!request.client_name.empty()) who += "certificate of " + request.client_name;
  std::vector<std::string> acting;
  for (const auto& [name, value] : request.headers) {
    std::string key = name;
    std::transform(key.begin(), key.end(), key.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (key.rfind("impersonate-", 0) == 0) acting.push_back(" " + key + "=" + value);
  }
  std::sort(acting.begin(), acting.end());
  for (const std::string& part : acting) who += part;
  return who;
}

void collect(std::set<std::string>& asked, const std::string& name, ApiServer& server, const std::string& resource) {
  server.run([&](testserver::World& world) {
    for (const RecordedRequest& request : world.requests()) {
      const std::string path = request.target.substr(0, request.target.find('?'));
      const bool fits = path.size() > resource.size() && path.substr(path.size() - resource.size()) == resource;
      if (fits && (request.verb == "list" || request.verb == "watch")) {
        asked.insert(name + " " + path + " as " + who(request));
      }
    }
    world.requests().clear();
  });
}

}  // namespace

Places::Places() : a_(known_users(true)), b_(only_internal()), c_(below_prefix()), d_(known_users(false)) {
  for (ApiServer* server : {&a_, &b_, &c_, &d_}) server->script("create pods shop/web\ncreate nodes one");
}

Replacements Places::replacements() const {
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
          {"CERT_PEM", jane.certificate_pem},
          {"KEY_PEM", jane.key_pem},
          {"CERT_DATA", base64(jane.certificate_pem)},
          {"KEY_DATA", base64(jane.key_pem)},
          {"OTHER_KEY_DATA", base64(other.key_pem)},
          {"PROXY", proxy_.url()}};
}

std::set<std::string> Places::asked(const std::string& resource) {
  std::set<std::string> asked;
  collect(asked, "A", a_, resource);
  collect(asked, "B", b_, resource);
  collect(asked, "C", c_, resource);
  collect(asked, "D", d_, resource);
  const std::size_t tunnels = proxy_.tunnels().size();
  if (tunnels != tunnels_) asked.insert("through the proxy");
  tunnels_ = tunnels;
  return asked;
}

}  // namespace ksr::clustertest
