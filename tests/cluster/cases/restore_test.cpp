// etcd is restored from a backup while streams run: resourceVersions go back, and later come again for other states.
#include "cluster/cases/stream_on_cluster.hpp"

using namespace ksr::clustertest;
using ksr::testing::Recorder;

TEST_CASE("after etcd was restored from a backup a stream shows what is stored") {
  on_both_transports([](const std::string& transport) {
    Cluster cluster;
    ApiClient& admin = cluster.admin();
    const std::string ns = cluster.fresh_namespace("restored");
    const std::string path = configmaps_path(ns);
    for (const char* name : {"stays", "changes", "goes"}) admin.create(path, make_configmap(ns, name));
    cluster.kill_apiserver();
    cluster.etcd().back_up();
    cluster.start_apiserver();
    Recorder seen;
    REQUIRE(seen.open({{"server", cluster.url()},
                       {"ca_file", cluster.ca_file()},
                       {"token", admin_user().token},
                       {"resource", "v1/configmaps"},
                       {"namespace", ns},
                       {"transport", transport},
                       {"backoff_initial", "100ms"},
                       {"backoff_max", "1s"}}) == KSR_OK);
    REQUIRE(seen.wait_count(3));
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    // Of the history that the backup does not have.
    for (int i = 0; i < 200; ++i) {
      admin.patch(configmaps_path(ns, "changes"), {{"data", {{"step", std::to_string(i)}}}});
    }
    admin.erase(configmaps_path(ns, "goes"));
    admin.create(path, make_configmap(ns, "later"));
    REQUIRE(seen.wait_name("later"));
    REQUIRE(seen.wait_name("goes", false));

    cluster.kill_apiserver();
    cluster.etcd().restore();
    cluster.start_apiserver();
    CHECK(seen.wait_name("goes"));
    CHECK(seen.wait_name("later", false));
    // Versions come again.
    admin.create(path, make_configmap(ns, "new"));
    CHECK(seen.wait_name("new"));
  });
}
