// `Nginx` is Debian's nginx as a gateway in front of the cluster, with a configuration of the test's own and all its
// files in a temporary directory; `KubectlProxy` is kubectl's. Used by the cases about gateways. Live on the test's
// thread.
#pragma once

#include <cstdint>
#include <string>

#include "cluster/harness/child_process.hpp"
#include "support/temporary_directory.hpp"

namespace ksr::clustertest {

// proxy_pass to the cluster below `prefix`, such as "/k8s/clusters/x/", with whatever the location needs besides.
std::string location_of_cluster(const std::string& directives = "", const std::string& prefix = "/");
// With the administrator's token, as a gateway that authenticates its users by itself would.
std::string as_administrator();

class Nginx {
 public:
  enum class Tls { no, yes };
  // `server` stands in the one block "server". Returns when it accepts connections.
  explicit Nginx(const std::string& server, Tls tls = Tls::no, const std::string& http = "");

  std::string url() const;
  // Of what has signed its certificate.
  std::string ca_file() const { return directory_.path("ca.pem"); }

 private:
  std::string configuration(const std::string& server, Tls tls, const std::string& http) const;

  const testing::TemporaryDirectory directory_;
  const std::uint16_t port_;
  const Tls tls_;
  ChildProcess process_;
};

class KubectlProxy {
 public:
  KubectlProxy();
  std::string url() const;

 private:
  const testing::TemporaryDirectory directory_;
  const std::uint16_t port_;
  ChildProcess process_;
};

}  // namespace ksr::clustertest
