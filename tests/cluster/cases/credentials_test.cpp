// Credentials that change while a stream runs, and client certificates.
#include "cluster/cases/service_account.hpp"
#include "cluster/cases/ways.hpp"
#include "support/temporary_directory.hpp"

using namespace ksr::clustertest;
using ksr::testing::Recorder;

TEST_CASE("a token file is rotated while a stream runs") {
  on_every_way([](const Way& way) {
    Cluster& cluster = Cluster::shared();
    const std::string ns = cluster.fresh_namespace("rotated");
    const ServiceAccount account(ns);
    const std::string old_token = account.new_token("old");
    const std::string new_token = account.new_token("new");
    const ksr::testing::TemporaryDirectory files;
    const std::string token_file = files.write("token", old_token + "\n");
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, "before"));
    Recorder seen;
    REQUIRE(seen.open(with(way.to("v1/configmaps", ns), "token_file", token_file)) == KSR_OK);
    REQUIRE(seen.wait_name("before"));
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));

    files.write("token", new_token + "\n");
    account.revoke("old", old_token);
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, "between"));
    CHECK(seen.wait_name("between"));
    way.proxy.cut();
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, "after"));
    CHECK(seen.wait_name("after"));
    check_equals_list(seen, configmaps_path(ns));
    check_no_secret(seen, old_token);
    check_no_secret(seen, new_token);
  });
}

TEST_CASE("a client certificate authenticates, from files and as data") {
  on_every_way([](const Way& way) {
    Cluster& cluster = Cluster::shared();
    const std::string ns = cluster.fresh_namespace("certified");
    cluster.allow_reading(reader_user(), ns, "", "configmaps");
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, "mine"));
    const auto reader = cluster.client_certificate(reader_user().name);
    const ksr::testing::TemporaryDirectory files;
    Recorder from_files;
    Recorder from_data;
    REQUIRE(from_files.open(with(
                with(way.to("configmaps", ns), "client_cert_file", files.write("client.crt", reader.certificate_pem)),
                "client_key_file", files.write("client.key", reader.key_pem))) == KSR_OK);
    REQUIRE(from_data.open(with(with(way.to("configmaps", ns), "client_cert_data", reader.certificate_pem),
                                "client_key_data", reader.key_pem)) == KSR_OK);
    for (Recorder* seen : {&from_files, &from_data}) {
      REQUIRE(seen->wait_state(KSR_STATE_LIVE));
      check_equals_list(*seen, configmaps_path(ns));
      CHECK(seen->errors().empty());
    }
  });
}

TEST_CASE("a certificate of an unprivileged user is forbidden, and one of an unknown CA is unauthenticated") {
  on_every_way([](const Way& way) {
    Cluster& cluster = Cluster::shared();
    const std::string ns = cluster.fresh_namespace("others");
    const auto open = [&](Recorder& seen, const ksr::testing::CertificateAndKey& client) {
      REQUIRE(seen.open(with(with(way.to("v1/configmaps", ns), "client_cert_data", client.certificate_pem),
                             "client_key_data", client.key_pem)) == KSR_OK);
    };
    Recorder forbidden;
    Recorder unknown;
    open(forbidden, cluster.client_certificate(unprivileged_user().name));
    open(unknown, ksr::testing::CertificateAuthority().client(reader_user().name));
    REQUIRE(forbidden.wait_error(KSR_E_FORBIDDEN));
    CHECK(forbidden.errors().front().message.find("User \"unprivileged\" cannot ") != std::string::npos);
    REQUIRE(unknown.wait_error(KSR_E_AUTH));
  });
}
