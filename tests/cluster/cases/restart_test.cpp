// The apiserver stops while streams run and restarts with the same data.
#include "cluster/cases/stream_on_cluster.hpp"

using namespace ksr::clustertest;
using ksr::testing::Recorder;

namespace {

void restart_in_the_middle(const std::string& transport, bool kill) {
  Cluster& cluster = Cluster::shared();
  const std::string ns = cluster.fresh_namespace("restart");
  for (const char* name : {"stays", "goes"}) cluster.admin().create(configmaps_path(ns), make_configmap(ns, name));
  Recorder seen;
  auto settings = with(on_cluster("v1/configmaps", ns, transport), "backoff_initial", "100ms");
  REQUIRE(seen.open(with(settings, "backoff_max", "1s")) == KSR_OK);
  REQUIRE(seen.wait_count(2));
  REQUIRE(seen.wait_state(KSR_STATE_LIVE));
  kill ? cluster.kill_apiserver() : cluster.stop_apiserver();
  CHECK(seen.wait_state(KSR_STATE_WAITING));
  CHECK(seen.wait([](const Recorder& now) { return !now.errors().empty(); }));
  cluster.start_apiserver();
  cluster.admin().erase(configmaps_path(ns, "goes"));
  cluster.admin().create(configmaps_path(ns), make_configmap(ns, "comes"));
  CHECK(seen.wait_name("comes"));
  CHECK(seen.wait_name("goes", false));
  check_equals_list(seen, configmaps_path(ns));
  CHECK(seen.wait_state(KSR_STATE_LIVE));
}

}  // namespace

TEST_CASE("an apiserver that restarts while streams run") {
  on_both_transports([](const std::string& transport) {
    SUBCASE("with SIGTERM") {
      restart_in_the_middle(transport, false);
    }
    SUBCASE("with SIGKILL") {
      restart_in_the_middle(transport, true);
    }
  });
}

TEST_CASE("after its resource version was compacted a stream relists and reports the difference") {
  on_both_transports([](const std::string& transport) {
    Cluster& cluster = Cluster::shared();
    const std::string ns = cluster.fresh_namespace("compacted");
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, "old"));
    Recorder seen;
    auto settings = with(on_cluster("v1/configmaps", ns, transport), "backoff_initial", "100ms");
    REQUIRE(seen.open(with(settings, "backoff_max", "1s")) == KSR_OK);
    REQUIRE(seen.wait_count(1));
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    cluster.kill_apiserver();
    cluster.start_apiserver();
    for (int i = 0; i < 5; ++i) {
      cluster.admin().create(configmaps_path(ns), make_configmap(ns, "new-" + std::to_string(i)));
    }
    cluster.admin().erase(configmaps_path(ns, "old"));
    cluster.etcd().compact();
    cluster.kill_apiserver();
    cluster.start_apiserver();
    CHECK(seen.wait_count(5));
    check_equals_list(seen, configmaps_path(ns));
  });
}
