// The servers that the fixtures name, and who asked them for what.
#pragma once

#include <set>
#include <string>

#include "cluster/harness/connect_proxy.hpp"
#include "cluster/kubectl/fixture.hpp"
#include "server/api_server.hpp"

namespace ksr::clustertest {

class Places {
 public:
  Places();

  Replacements replacements() const;
  // What was asked since the last time: "A /api/v1/namespaces/shop/pods as Bearer token-of-jane", one for each server,
  // place and credentials that a list or watch of the resource came to.
  std::set<std::string> asked(const std::string& resource);

 private:
  testserver::ApiServer a_;  // 127.0.0.1
  testserver::ApiServer b_;  // says that it is api.internal
  testserver::ApiServer c_;  // serves below a prefix
  testserver::ApiServer d_;  // without TLS
  ConnectProxy proxy_;
  std::size_t tunnels_ = 0;
};

}  // namespace ksr::clustertest
