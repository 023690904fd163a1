// `FixtureServers` are the servers that the fixtures name, and the requests they received; used by cluster.kubectl.
// Lives on the test's thread.
#pragma once

#include <set>
#include <string>

#include "cluster/harness/connect_proxy.hpp"
#include "cluster/kubectl/fixture.hpp"
#include "server/api_server.hpp"

namespace ksr::clustertest {

class FixtureServers {
 public:
  FixtureServers();

  Replacements replacements() const;
  // The lists and watches of the resource since the last call: "A /api/v1/namespaces/shop/pods as Bearer
  // token-of-jane", one for each server, path and credentials.
  std::set<std::string> requests(const std::string& resource);

 private:
  testserver::ApiServer a_;  // 127.0.0.1
  testserver::ApiServer b_;  // its certificate names api.internal
  testserver::ApiServer c_;  // serves below a path prefix
  testserver::ApiServer d_;  // without TLS
  ConnectProxy proxy_;
  std::size_t tunnels_ = 0;
};

}  // namespace ksr::clustertest
