// exec plugins that work, on a cluster that accepts their tokens only until they expire.
#include <boost/json.hpp>
#include <thread>

#include "cluster/cases/exec_script.hpp"
#include "cluster/cases/service_account.hpp"

using namespace ksr::clustertest;
using ksr::testing::Recorder;

namespace {

// Prints the token in $dir/token, which expires after two seconds.
constexpr const char* kShortLivedTokens = R"sh(
kind='"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"'
expiry=$(date -u -d '+2 seconds' +%Y-%m-%dT%H:%M:%S.%NZ)
printf '{%s,"status":{"token":"%s","expirationTimestamp":"%s"}}' "$kind" "$(cat "$dir/token")" "$expiry"
)sh";

// Prints the token in $dir/token, without an expiry.
constexpr const char* kTokensWithoutExpiry = R"sh(
kind='"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"'
printf '{%s,"status":{"token":"%s"}}' "$kind" "$(cat "$dir/token")"
)sh";

constexpr long long kLifetime = 2'000'000'000;

}  // namespace

TEST_CASE("streams survive tokens that expire; each time the plugin runs once for all of them") {
  on_every_way([](const Way& way) {
    Cluster& cluster = Cluster::shared();
    const std::string ns = cluster.fresh_namespace("expiring");
    const ServiceAccount account(ns);
    std::string token = account.new_token("token-0");
    ExecScript plugin(kShortLivedTokens);
    plugin.write("token", token);
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, "before"));
    Recorder streams[3];
    for (Recorder& seen : streams) REQUIRE(seen.open(plugin.on(way, "v1/configmaps", ns)) == KSR_OK);
    for (Recorder& seen : streams) REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    CHECK(plugin.runs().size() == 1);

    constexpr int kRounds = 3;
    for (int round = 1; round <= kRounds; ++round) {
      CAPTURE(round);
      const std::string name = "token-" + std::to_string(round);
      const std::string old_token = std::exchange(token, account.new_token(name));
      plugin.write("token", token);
      // The apiserver takes a while to refuse an old token; checked once.
      if (round == kRounds) account.revoke("token-" + std::to_string(round - 1), old_token);
      std::this_thread::sleep_for(std::chrono::nanoseconds(kLifetime));
      way.proxy.cut();
      cluster.admin().create(configmaps_path(ns), make_configmap(ns, name));
      for (Recorder& seen : streams) {
        CHECK(seen.wait_name(name));
        CHECK(seen.wait_state(KSR_STATE_LIVE));
        check_no_secret(seen, token);
      }
    }
    for (Recorder& seen : streams) {
      check_equals_list(seen, configmaps_path(ns));
      for (const auto& error : seen.errors()) CHECK(error.code != KSR_E_AUTH);
    }
    // Never again soon after its last run, for any stream: one for each of the three would come within milliseconds.
    const std::vector<long long> runs = plugin.runs();
    CHECK(runs.size() > kRounds);
    for (std::size_t i = 1; i < runs.size(); ++i) CHECK(runs[i] - runs[i - 1] >= kLifetime / 4);
  });
}

TEST_CASE("when the server refuses a token, the plugin runs again, once for all streams") {
  on_every_way([](const Way& way) {
    Cluster& cluster = Cluster::shared();
    const std::string ns = cluster.fresh_namespace("revoked");
    const ServiceAccount account(ns);
    const std::string old_token = account.new_token("old");
    ExecScript plugin(kTokensWithoutExpiry);
    plugin.write("token", old_token);
    Recorder streams[3];
    for (Recorder& seen : streams) REQUIRE(seen.open(plugin.on(way, "v1/configmaps", ns)) == KSR_OK);
    for (Recorder& seen : streams) REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    plugin.write("token", account.new_token("new"));
    account.revoke("old", old_token);
    CHECK(plugin.runs().size() == 1);
    way.proxy.cut();
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, "after"));
    for (Recorder& seen : streams) {
      CHECK(seen.wait_name("after"));
      check_equals_list(seen, configmaps_path(ns));
    }
    CHECK(plugin.runs().size() == 2);
  });
}

TEST_CASE("a plugin that returns a client certificate") {
  on_every_way([](const Way& way) {
    Cluster& cluster = Cluster::shared();
    const std::string ns = cluster.fresh_namespace("exec-certificate");
    cluster.allow_reading(reader_user(), ns, "", "configmaps");
    const auto reader = cluster.client_certificate(reader_user().name);
    ExecScript plugin("cat \"$dir/answer\"\n");
    plugin.write(
        "answer",
        boost::json::serialize(boost::json::object{
            {"kind", "ExecCredential"},
            {"apiVersion", "client.authentication.k8s.io/v1"},
            {"status", {{"clientCertificateData", reader.certificate_pem}, {"clientKeyData", reader.key_pem}}}}));
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, "mine"));
    Recorder seen;
    REQUIRE(seen.open(plugin.on(way, "configmaps", ns)) == KSR_OK);
    REQUIRE(seen.wait_name("mine"));
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    way.proxy.cut();
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, "after"));
    CHECK(seen.wait_name("after"));
    check_equals_list(seen, configmaps_path(ns));
    CHECK(plugin.runs().size() == 1);
  });
}
