// Verification of the server, and client certificates.
#include "server/cases/on_server.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;
using ksr::testserver::ServerOptions;

namespace {

ServerOptions with_tls() {
  ServerOptions options = with_token();
  options.tls = true;
  return options;
}

Settings at(const ApiServer& server, const std::string& transport, const std::string& host) {
  Settings settings = on_server(server, transport);
  settings[0].second = "https://" + host + ":" + std::to_string(server.port());
  return settings;
}

void check_live(const Settings& settings, ApiServer& server) {
  Recorder seen;
  REQUIRE(seen.open(settings) == KSR_OK);
  CHECK(seen.wait_state(KSR_STATE_LIVE));
  CHECK(seen.errors().empty());
  check_equals_server(seen, server);
}

void check_refused(const Settings& settings, ksr_status code, const std::string& telling) {
  Recorder seen;
  REQUIRE(seen.open(settings) == KSR_OK);
  REQUIRE(seen.wait_error(code));
  CAPTURE(seen.errors().front().message);
  CHECK(seen.errors().front().message.find(telling) != std::string::npos);
  CHECK(seen.updates() == 0);
}

}  // namespace

TEST_CASE("names, IPv4 and IPv6 literals are verified") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_tls());
    server.script("populate pods 3");
    for (const char* host : {"127.0.0.1", "localhost", "[::1]"}) {
      CAPTURE(host);
      check_live(at(server, transport, host), server);
    }
  });
}

TEST_CASE("a certificate for another name is refused unless tls_server_name is that name") {
  on_both_transports([](const std::string& transport) {
    ServerOptions options = with_tls();
    options.default_names = false;
    options.server_names = {"api.example.com"};
    ApiServer server(options);
    server.script("populate pods 3");
    check_refused(at(server, transport, "127.0.0.1"), KSR_E_TLS, "127.0.0.1");
    check_refused(at(server, transport, "[::1]"), KSR_E_TLS, "::1");
    check_live(with(at(server, transport, "127.0.0.1"), "tls_server_name", "api.example.com"), server);
    check_refused(with(at(server, transport, "127.0.0.1"), "tls_server_name", "other.example.com"), KSR_E_TLS,
                  "other.example.com");
  });
}

TEST_CASE("another CA is refused, and without a CA only the system's are trusted") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_tls());
    ApiServer other(with_tls());
    Settings settings = on_server(server, transport);
    settings.back().second = other.ca_file();
    check_refused(settings, KSR_E_TLS, "certificate");
    settings.pop_back();
    check_refused(settings, KSR_E_TLS, "certificate");
  });
}

TEST_CASE("a client certificate from memory is sent; without one a server that requires it refuses") {
  on_both_transports([](const std::string& transport) {
    ServerOptions options = with_tls();
    options.require_client_certificate = true;
    options.tokens.clear();
    ApiServer server(options);
    server.script("populate pods 3");
    const auto credential = server.client_certificate("admin");
    Settings settings = on_server(server, transport);
    settings.erase(settings.begin() + 1);
    check_live(
        with(with(settings, "client_cert_data", credential.certificate_pem), "client_key_data", credential.key_pem),
        server);
    Recorder bare;
    REQUIRE(bare.open(settings) == KSR_OK);
    CHECK(bare.wait([](const Recorder& now) { return !now.errors().empty(); }));
    CHECK(bare.updates() == 0);
  });
}

TEST_CASE("a tls_server_name that cannot be verified is refused at once, and other streams continue") {
  ApiServer server(with_tls());
  server.script("populate pods 3");
  Recorder good;
  REQUIRE(good.open(on_server(server, "http")) == KSR_OK);
  REQUIRE(good.wait_state(KSR_STATE_LIVE));
  for (const char* name : {"fe80::1%lo", "*", ".example.test", "a..b"}) {
    CAPTURE(name);
    Recorder bad;
    CHECK(bad.open(with(on_server(server, "http"), "tls_server_name", name)) == KSR_E_INVALID);
    CHECK(bad.open_error().find("tls_server_name") != std::string::npos);
  }
  CHECK(good.stat("watches") == 1);
  CHECK(good.stat("reconnects") == 0);
  CHECK(good.errors().empty());
  check_equals_server(good, server);
}
