// The ways to reach the cluster that every case about logging in goes: both transports, and a proxy at the edge that
// wants credentials or none.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "cluster/cases/stream_on_cluster.hpp"
#include "cluster/harness/connect_proxy.hpp"

namespace ksr::clustertest {

struct Way {
  std::string transport;
  ConnectProxy& proxy;

  ksr_test::Settings to(const std::string& resource, const std::string& ns) const {
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
      const bool wants_credentials = proxy == &guarded;
      CAPTURE(wants_credentials);
      const std::size_t before = proxy->tunnels().size();
      test(Way{transport, *proxy});
      CHECK(proxy->tunnels().size() > before);
      CHECK(proxy->refused() == 0);
    }
  }
}

// No secret in anything the host was told.
inline void check_never_told(const ksr_test::Recorder& seen, const std::string& secret) {
  for (const std::string& line : seen.log()) CHECK(line.find(secret) == std::string::npos);
  for (const auto& error : seen.errors()) CHECK(error.message.find(secret) == std::string::npos);
}

}  // namespace ksr::clustertest
