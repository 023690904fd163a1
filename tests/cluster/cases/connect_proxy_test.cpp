// The proxy itself: which error is reported when it refuses a tunnel.
#include "cluster/cases/ways.hpp"

using namespace ksr::clustertest;
using ksr::testing::Recorder;

TEST_CASE("a proxy that refuses the credentials is named, its password is not") {
  ConnectProxy guarded("edge-user", "hunter2-of-the-edge");
  const std::string where = "127.0.0.1:" + std::to_string(guarded.port());
  on_both_transports([&](const std::string& transport) {
    for (const std::string& url : {"http://" + where, "http://edge-user:wrong-password@" + where}) {
      Recorder seen;
      REQUIRE(seen.open(with(on_cluster("v1/pods", "", transport), "proxy_url", url)) == KSR_OK);
      REQUIRE(seen.wait([](const Recorder& now) { return !now.errors().empty(); }));
      const std::string message = seen.errors().front().message;
      CAPTURE(message);
      CHECK(message.find("proxy") != std::string::npos);
      CHECK(message.find("407") != std::string::npos);
      check_no_secret(seen, "wrong-password");
      CHECK(seen.updates() == 0);
    }
  });
  CHECK(guarded.tunnels().empty());
  CHECK(guarded.refused() >= 4);
}

TEST_CASE("every connection of a stream goes through its proxy, and only to the cluster") {
  on_every_way([](const Way& way) {
    Recorder seen;
    REQUIRE(seen.open(with(way.to("namespaces", ""), "token", admin_user().token)) == KSR_OK);
    REQUIRE(seen.wait_name("default"));
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    way.proxy.cut();
    const std::string name = Cluster::shared().fresh_namespace("tunnel");
    CHECK(seen.wait_name(name));
    for (const std::string& target : way.proxy.tunnels()) {
      CHECK("https://" + target == Cluster::shared().url());
    }
  });
}
