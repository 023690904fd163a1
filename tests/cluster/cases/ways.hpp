// `on_every_way` runs a case once for each way to reach the cluster: both transports, through a proxy with and without
// credentials; used by the cases about authentication. Lives on the test's thread.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "cluster/cases/stream_on_cluster.hpp"
#include "cluster/harness/connect_proxy.hpp"

namespace ksr::clustertest {

struct Way {
  std::string transport;
  ConnectProxy& proxy;

  ksr::testing::Settings to(const std::string& resource, const std::string& ns) const {
    Cluster& cluster = Cluster::shared();
    return {{"server", cluster.url()},   {"ca_file", cluster.ca_file()}, {"resource", resource},
            {"namespace", ns},           {"transport", transport},       {"proxy_url", proxy.url()},
            {"backoff_initial", "50ms"}, {"backoff_max", "500ms"}};
  }
};

template <class Test>
void on_every_way(Test test) {
  ConnectProxy open;
  ConnectProxy guarded("edge-user", "p@ss:w/rd");
  for (const char* transport : {"websocket", "http"}) {
    for (ConnectProxy* proxy : {&open, &guarded}) {
      CAPTURE(transport);
      const bool requires_credentials = proxy == &guarded;
      CAPTURE(requires_credentials);
      const std::size_t before = proxy->tunnels().size();
      test(Way{transport, *proxy});
      CHECK(proxy->tunnels().size() > before);
      CHECK(proxy->refused() == 0);
    }
  }
}

// No log line and no error passed to the host contains the secret.
inline void check_no_secret(const ksr::testing::Recorder& seen, const std::string& secret) {
  for (const std::string& line : seen.log()) CHECK(line.find(secret) == std::string::npos);
  for (const auto& error : seen.errors()) CHECK(error.message.find(secret) == std::string::npos);
}

}  // namespace ksr::clustertest
