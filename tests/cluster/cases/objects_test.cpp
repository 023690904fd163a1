// Objects of three kinds are created, changed and deleted, over both transports.
#include "cluster/cases/stream_on_cluster.hpp"

using namespace ksr::clustertest;
using ksr::testing::Recorder;

TEST_CASE("pods that are created, changed and deleted are seen, over both transports") {
  on_both_transports([](const std::string& transport) {
    Cluster& cluster = Cluster::shared();
    const std::string ns = cluster.fresh_namespace("pods");
    cluster.admin().create(pods_path(ns), make_pod(ns, "before"));
    Recorder seen;
    REQUIRE(seen.open(on_cluster("v1/pods", ns, transport)) == KSR_OK);
    REQUIRE(seen.wait_count(1));
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));

    cluster.admin().create(pods_path(ns), make_pod(ns, "after"));
    CHECK(seen.wait_name("after"));
    cluster.admin().patch_status(pods_path(ns, "after"), {{"phase", "Running"}});
    CHECK(seen.wait([](const Recorder& now) {
      for (const auto& delta : now.deltas()) {
        if (delta.kind == KSR_DELTA_MODIFIED && delta.name == "after") return true;
      }
      return false;
    }));
    cluster.admin().erase(pods_path(ns, "before"));
    CHECK(seen.wait_name("before", false));
    check_equals_list(seen, pods_path(ns));
    CHECK(seen.errors().empty());
    CHECK(seen.stat("watches") == 1);
    CHECK(seen.close() == KSR_OK);
    CHECK(seen.destroyed() == 1);
  });
}

TEST_CASE("config maps of all namespaces, deleted and created again under the same name") {
  on_both_transports([](const std::string& transport) {
    Cluster& cluster = Cluster::shared();
    const std::string ns = cluster.fresh_namespace("maps");
    Recorder seen;
    REQUIRE(seen.open(on_cluster("v1/configmaps", "", transport)) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, "phoenix", {{"key", "one"}}));
    REQUIRE(seen.wait_name("phoenix"));
    for (int round = 0; round < 10; ++round) {
      cluster.admin().erase(configmaps_path(ns, "phoenix"));
      cluster.admin().create(configmaps_path(ns), make_configmap(ns, "phoenix", {{"key", std::to_string(round)}}));
    }
    check_equals_list(seen, configmaps_path(""));
  });
}

TEST_CASE("objects of a CRD, whose lists have their keys in another order") {
  on_both_transports([](const std::string& transport) {
    Cluster& cluster = Cluster::shared();
    cluster.install_widget_crd();
    const std::string ns = cluster.fresh_namespace("widgets");
    cluster.admin().create(widgets_path(ns), make_widget(ns, "first", 1));
    Recorder seen;
    std::string kind;
    seen.during_update = [&](ksr_stream*, const ksr_snapshot* snapshot) {
      kind = ksr::testing::field(ksr_snapshot_at(snapshot, 0), KSR_FIELD_API_VERSION) + " " +
             ksr::testing::field(ksr_snapshot_at(snapshot, 0), KSR_FIELD_KIND) + " " +
             ksr::testing::get(ksr_snapshot_at(snapshot, 0), "/spec/size");
    };
    REQUIRE(seen.open(on_cluster("ksr.test/v1/widgets", ns, transport)) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    cluster.admin().patch(widgets_path(ns, "first"), {{"spec", {{"size", 42}}}});
    cluster.admin().create(widgets_path(ns), make_widget(ns, "second", 2));
    REQUIRE(seen.wait_name("second"));
    check_equals_list(seen, widgets_path(ns));
    CHECK(seen.close() == KSR_OK);
    CHECK(kind == "ksr.test/v1 Widget 42");
  });
}

TEST_CASE("managedFields are dropped unless configured") {
  Cluster& cluster = Cluster::shared();
  const std::string ns = cluster.fresh_namespace("managed");
  cluster.admin().create(configmaps_path(ns), make_configmap(ns, "listed", {{"key", "value"}}));
  for (const char* managed : {"drop", "keep"}) {
    CAPTURE(managed);
    std::map<std::string, bool> has;
    Recorder seen;
    seen.during_update = [&](ksr_stream*, const ksr_snapshot* snapshot) {
      for (std::size_t i = 0; i < ksr_snapshot_count(snapshot); ++i) {
        const ksr_object* object = ksr_snapshot_at(snapshot, i);
        has[ksr::testing::field(object, KSR_FIELD_NAME)] =
            ksr::testing::get(object, "/metadata/managedFields") != "(nothing)";
      }
    };
    const std::string name = std::string("watched-") + managed;
    REQUIRE(seen.open(with(on_cluster("v1/configmaps", ns, "auto"), "managed_fields", managed)) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, name, {{"key", "value"}}));
    REQUIRE(seen.wait_name(name));
    CHECK(seen.close() == KSR_OK);
    CHECK(has["listed"] == (std::string(managed) == "keep"));
    CHECK(has[name] == (std::string(managed) == "keep"));
  }
}
