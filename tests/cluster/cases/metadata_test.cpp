// metadata_only: the apiserver itself omits spec and status, in lists and in events.
#include "cluster/cases/stream_on_cluster.hpp"

using namespace ksr::clustertest;
using ksr::testing::Recorder;

TEST_CASE("only metadata is received, and its changes are seen") {
  for (const char* initial : {"list", "watchlist"}) {
    CAPTURE(initial);
    on_both_transports([&](const std::string& transport) {
      Cluster& cluster = Cluster::shared();
      const std::string ns = cluster.fresh_namespace("metadata");
      cluster.admin().create(configmaps_path(ns), make_configmap(ns, "before", {{"key", "value"}}));
      Recorder seen;
      bool has_data = false;
      bool has_labels = false;
      seen.during_update = [&](ksr_stream*, const ksr_snapshot* snapshot) {
        for (std::size_t i = 0; i < ksr_snapshot_count(snapshot); ++i) {
          const ksr_object* object = ksr_snapshot_at(snapshot, i);
          has_data = has_data || ksr::testing::get(object, "/data") != "(nothing)";
          has_labels = has_labels || ksr::testing::get(object, "/metadata/labels/tier") == "\"front\"";
        }
      };
      const auto settings = with(on_cluster("configmaps", ns, transport), "metadata_only", "true");
      REQUIRE(seen.open(with(settings, "initial", initial)) == KSR_OK);
      REQUIRE(seen.wait_name("before"));
      REQUIRE(seen.wait_state(KSR_STATE_LIVE));
      cluster.admin().create(configmaps_path(ns), make_configmap(ns, "after", {{"key", "value"}}));
      CHECK(seen.wait_name("after"));
      cluster.admin().patch(configmaps_path(ns, "after"), {{"metadata", {{"labels", {{"tier", "front"}}}}}});
      check_equals_list(seen, configmaps_path(ns));
      CHECK(seen.close() == KSR_OK);
      CHECK_FALSE(has_data);
      CHECK(has_labels);
    });
  }
}
