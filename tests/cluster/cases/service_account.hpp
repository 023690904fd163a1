// `ServiceAccount` makes tokens of a service account that may read config maps, each bound to a secret: deleting the
// secret revokes the token, as a rotation does. Used by the cases about credentials. Lives on the test's thread.
#pragma once

#include <map>
#include <string>

#include "cluster/harness/cluster.hpp"

namespace ksr::clustertest {

class ServiceAccount {
 public:
  explicit ServiceAccount(const std::string& ns);
  std::string new_token(const std::string& name) const;
  // Returns when the apiserver refuses the token, which it caches for some seconds.
  void revoke(const std::string& name, const std::string& token) const;

 private:
  std::string ns_;
};

}  // namespace ksr::clustertest
