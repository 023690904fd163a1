// Only the cluster's CA is trusted.
#include "cluster/cases/stream_on_cluster.hpp"

using namespace ksr::clustertest;
using ksr::testing::Recorder;

TEST_CASE("without the cluster's CA the connection fails, and the error names the certificate check") {
  on_both_transports([](const std::string& transport) {
    Recorder seen;
    auto settings = on_cluster("v1/pods", "", transport);
    settings.erase(settings.begin() + 1);
    REQUIRE(seen.open(settings) == KSR_OK);
    REQUIRE(seen.wait_error(KSR_E_TLS));
    CHECK(seen.errors().front().message.find("certificate") != std::string::npos);
    CHECK(seen.errors().front().retry_ms > 0);
    CHECK(seen.updates() == 0);
  });
}

TEST_CASE("insecure_skip_tls_verify accepts any certificate") {
  on_both_transports([](const std::string& transport) {
    Recorder seen;
    auto settings = on_cluster("v1/namespaces", "", transport);
    settings[1] = {"insecure_skip_tls_verify", "true"};
    REQUIRE(seen.open(settings) == KSR_OK);
    CHECK(seen.wait_name("default"));
    CHECK(seen.wait_state(KSR_STATE_LIVE));
    CHECK(seen.errors().empty());
    check_equals_list(seen, namespaces_path());
  });
}

TEST_CASE("tls_server_name is the name that is verified") {
  Recorder right;
  Recorder wrong;
  REQUIRE(right.open(with(on_cluster("v1/namespaces", "", "auto"), "tls_server_name", "kubernetes.default.svc")) ==
          KSR_OK);
  REQUIRE(wrong.open(with(on_cluster("v1/namespaces", "", "auto"), "tls_server_name", "example.com")) == KSR_OK);
  CHECK(right.wait_name("default"));
  CHECK(wrong.wait_error(KSR_E_TLS));
  CHECK(wrong.errors().front().message.find("example.com") != std::string::npos);
}
