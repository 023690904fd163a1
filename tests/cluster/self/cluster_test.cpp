#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json/value.hpp>
#include <set>

#include "cluster/harness/cluster.hpp"
#include "cluster/harness/harness_error.hpp"
#include "cluster/harness/objects.hpp"

namespace json = boost::json;
using namespace ksr::clustertest;

namespace {

int status_of_refusal(ApiClient& client, const std::string& path) {
  try {
    client.list(path);
    return 200;
  } catch (const ApiRefused& refused) {
    return refused.status();
  }
}

}  // namespace

TEST_CASE("pods are created, changed through both subresources and deleted") {
  Cluster& cluster = Cluster::shared();
  ApiClient& api = cluster.admin();
  const std::string ns = cluster.fresh_namespace("pods");
  const json::object created = api.create(pods_path(ns), make_pod(ns, "one", {{"app", "a"}}));
  const json::object labelled = api.patch(pods_path(ns, "one"), {{"metadata", {{"labels", {{"app", "b"}}}}}});
  const json::object running = api.patch_status(pods_path(ns, "one"), {{"phase", "Running"}});
  CHECK(metadata_of(created, "uid") == metadata_of(running, "uid"));
  CHECK(metadata_of(created, "resourceVersion") != metadata_of(labelled, "resourceVersion"));
  CHECK(running.at("status").at("phase") == "Running");
  CHECK(api.list(pods_path(ns) + "?labelSelector=app%3Db").size() == 1);
  CHECK(api.list(pods_path(ns) + "?labelSelector=app%3Da").empty());
  api.erase(pods_path(ns, "one"));
  CHECK_FALSE(api.find(pods_path(ns, "one")));
}

TEST_CASE("a replaced config map has the new data, and a stale replacement is refused") {
  Cluster& cluster = Cluster::shared();
  ApiClient& api = cluster.admin();
  const std::string ns = cluster.fresh_namespace("maps");
  json::object map = api.create(configmaps_path(ns), make_configmap(ns, "m", {{"k", "1"}}));
  json::object changed = map;
  changed["data"] = {{"k", "2"}};
  CHECK(api.replace(configmaps_path(ns, "m"), changed).at("data").at("k") == "2");
  CHECK_THROWS_AS(api.replace(configmaps_path(ns, "m"), map), ApiRefused);
}

TEST_CASE("a list is complete over several pages") {
  Cluster& cluster = Cluster::shared();
  ApiClient& api = cluster.admin();
  const std::string ns = cluster.fresh_namespace("paged");
  constexpr std::size_t kCount = 600;
  for (std::size_t i = 0; i < kCount; ++i) api.create(configmaps_path(ns), make_configmap(ns, "m" + std::to_string(i)));
  std::set<std::string> uids;
  for (const json::object& item : api.list(configmaps_path(ns))) uids.insert(metadata_of(item, "uid"));
  CHECK(uids.size() == kCount);
  api.erase_collection(configmaps_path(ns));
  CHECK(api.list(configmaps_path(ns)).empty());
}

TEST_CASE("a custom resource is served once its CRD is installed") {
  Cluster& cluster = Cluster::shared();
  cluster.install_widget_crd();
  cluster.install_widget_crd();
  const std::string ns = cluster.fresh_namespace("widgets");
  cluster.admin().create(widgets_path(ns), make_widget(ns, "w", 3));
  const auto widgets = cluster.admin().list(widgets_path(ns));
  REQUIRE(widgets.size() == 1);
  CHECK(widgets[0].at("spec").at("size") == 3);
}

TEST_CASE("core/v1 events can be created with a given time") {
  Cluster& cluster = Cluster::shared();
  const std::string ns = cluster.fresh_namespace("events");
  const json::object event = cluster.admin().create(events_path(ns), make_event(ns, "e", "2026-01-02T03:04:05Z"));
  CHECK(event.at("lastTimestamp") == "2026-01-02T03:04:05Z");
}

TEST_CASE("each user may do what its roles allow, and nothing else") {
  Cluster& cluster = Cluster::shared();
  const std::string ns = cluster.fresh_namespace("rbac");
  cluster.allow_reading(reader_user(), ns, "", "pods");
  ApiClient reader = cluster.client_for(reader_user());
  ApiClient unprivileged = cluster.client_for(unprivileged_user());
  ApiClient stranger = cluster.client_for({"stranger", "no-such-token", ""});
  CHECK(status_of_refusal(reader, pods_path(ns)) == 200);
  CHECK(status_of_refusal(reader, configmaps_path(ns)) == 403);
  CHECK(status_of_refusal(unprivileged, pods_path(ns)) == 403);
  CHECK(status_of_refusal(stranger, pods_path(ns)) == 401);
  CHECK_THROWS_AS(reader.create(pods_path(ns), make_pod(ns, "p")), ApiRefused);
}

TEST_CASE("the server's certificate is verified") {
  Cluster& cluster = Cluster::shared();
  ApiClient without_cluster_ca(Endpoint{cluster.port(), "/etc/ssl/certs/ca-certificates.crt"}, admin_user().token);
  CHECK_THROWS_AS(without_cluster_ca.request("GET", "/readyz"), HarnessError);
}

TEST_CASE("a cluster without programs: the error names the missing one") {
  CHECK_THROWS_WITH_AS(Cluster({"/nowhere", {}, {}}), "no program /nowhere/etcd; tests/cluster/build makes it",
                       HarnessError);
}

TEST_CASE("an apiserver that cannot start shows its log") {
  try {
    Cluster({"", {"--no-such-flag"}, {}});
    FAIL("it started");
  } catch (const HarnessError& failure) {
    CHECK(std::string(failure.what()).find("unknown flag: --no-such-flag") != std::string::npos);
  }
}
