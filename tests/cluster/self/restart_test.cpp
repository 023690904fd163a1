#include <doctest/doctest.h>

#include "cluster/harness/cluster.hpp"
#include "cluster/harness/harness_error.hpp"
#include "cluster/harness/objects.hpp"

using namespace ksr::clustertest;

namespace {

std::string uid_of(ApiClient& api, const std::string& path) {
  return metadata_of(api.get(path), "uid");
}

}  // namespace

TEST_CASE("the apiserver restarts on the same port with the same data") {
  Cluster& cluster = Cluster::shared();
  ApiClient& api = cluster.admin();
  const std::string ns = cluster.fresh_namespace("restart");
  api.create(pods_path(ns), make_pod(ns, "survivor"));
  const std::string uid = uid_of(api, pods_path(ns, "survivor"));
  const std::string url = cluster.url();
  SUBCASE("after SIGTERM") {
    cluster.stop_apiserver();
  }
  SUBCASE("after kill -9") {
    cluster.kill_apiserver();
  }
  CHECK_FALSE(cluster.apiserver_running());
  CHECK_THROWS_AS(api.request("GET", "/readyz"), HarnessError);
  cluster.start_apiserver();
  CHECK(cluster.url() == url);
  CHECK(uid_of(api, pods_path(ns, "survivor")) == uid);
}

TEST_CASE("a continue token expires with etcd's compaction") {
  Cluster& cluster = Cluster::shared();
  ApiClient& api = cluster.admin();
  const std::string ns = cluster.fresh_namespace("compact");
  for (const char* name : {"a", "b", "c"}) api.create(configmaps_path(ns), make_configmap(ns, name));
  const auto page = api.get(configmaps_path(ns) + "?limit=1");
  const std::string next = metadata_of(page, "continue");
  REQUIRE_FALSE(next.empty());
  api.create(configmaps_path(ns), make_configmap(ns, "d"));
  // Read before the compaction: the apiserver itself writes at any time.
  const std::int64_t version = std::stoll(api.list_version(configmaps_path(ns)));
  CHECK(cluster.etcd().compact() >= version);
  // The watch cache still holds the revision; that of a restarted apiserver does not.
  cluster.kill_apiserver();
  cluster.start_apiserver();
  const Reply gone = api.request("GET", configmaps_path(ns) + "?limit=1&continue=" + next);
  CHECK(gone.status == 410);
  CHECK(api.list(configmaps_path(ns)).size() >= 4);
}
