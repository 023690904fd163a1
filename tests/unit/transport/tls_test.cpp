// TLS: whom the client trusts, by which name, and with which certificate of its own.
#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "support/certificates.hpp"
#include "support/urls.hpp"
#include "unit/transport/listener.hpp"
#include "unit/transport/raw_server.hpp"
#include "unit/transport/websocket_peer.hpp"

using namespace test;
using namespace ksr::testing;

namespace {

struct TlsServer {
  explicit TlsServer(const std::string& names, bool ipv6 = false)
      : context(server_context(shared_authority().issue("server", names))),
        server(
            [this](Peer& peer) {
              if (!peer.start_tls(context.get())) return;
              sni = peer.sni();
              while (!peer.receive_head().empty()) {
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
              }
            },
            ipv6) {}
  ServerContext context;
  // Written before the response is sent, read after it came.
  std::string sni;
  RawServer server;
};

ConnectionSettings trusting(const std::string& url) {
  ConnectionSettings settings;
  settings.server = ksr::testing::url_of(url);
  settings.tls.ca_pem = shared_authority().certificate_pem();
  return settings;
}

std::optional<Error> outcome_of(const ConnectionSettings& settings) {
  Listener listener;
  listener.get(connect(settings), request_for("/"));
  REQUIRE(listener.wait_for_end());
  if (!listener.error()) CHECK(listener.body() == "secret");
  return listener.error();
}

}  // namespace

TEST_CASE("a server whose certificate names its address is trusted") {
  TlsServer ipv4("IP:127.0.0.1");
  CHECK_FALSE(outcome_of(trusting(ipv4.server.tls_url())));
  CHECK(ipv4.sni.empty());
  TlsServer ipv6("IP:::1", true);
  CHECK_FALSE(outcome_of(trusting(ipv6.server.tls_url())));
  CHECK(ipv6.sni.empty());
}

TEST_CASE("a server whose certificate names it is trusted, and hears its name") {
  TlsServer server("DNS:localhost");
  CHECK_FALSE(outcome_of(trusting("https://localhost:" + std::to_string(server.server.port()))));
  CHECK(server.sni == "localhost");
}

TEST_CASE("tls_server_name takes the place of the URL's host, in SNI and in the check") {
  TlsServer server("DNS:kubernetes.default");
  ConnectionSettings settings = trusting(server.server.tls_url());
  settings.tls.server_name = "kubernetes.default";
  CHECK_FALSE(outcome_of(settings));
  CHECK(server.sni == "kubernetes.default");
  settings.tls.server_name = "other.default";
  const auto error = outcome_of(settings);
  REQUIRE(error);
  CHECK(error->message.find("other.default") != std::string::npos);
}

TEST_CASE("a certificate of another name is refused, and the message says which check failed for whom") {
  const auto refused = [](TlsServer& server, const std::string& url, const std::string& name) {
    const auto error = outcome_of(trusting(url));
    REQUIRE(error);
    CHECK(error->status == Status::tls);
    CHECK(error->http_status == 502);
    CHECK(error->message.find("failed the check for " + name + ": ") != std::string::npos);
    CHECK(error->message.find("mismatch") != std::string::npos);
    CHECK(error->message.find(std::to_string(server.server.port())) != std::string::npos);
  };
  TlsServer other("DNS:other.test,IP:127.0.0.2");
  refused(other, other.server.tls_url(), "127.0.0.1");
  refused(other, "https://localhost:" + std::to_string(other.server.port()), "localhost");
  // The common name is not looked at.
  TlsServer nameless("");
  ConnectionSettings settings = trusting(nameless.server.tls_url());
  settings.tls.server_name = "server";
  CHECK(outcome_of(settings));
  TlsServer ipv6("IP:::2", true);
  refused(ipv6, ipv6.server.tls_url(), "::1");
}

TEST_CASE("the names of the server are compared as kubectl compares them") {
  TlsServer server("DNS:*.lan,DNS:dot.test.,IP:127.0.0.1");
  ConnectionSettings settings = trusting(server.server.tls_url());
  const auto is_taken_for = [&](const std::string& name) {
    settings.tls.server_name = name;
    return !outcome_of(settings);
  };
  CHECK(is_taken_for("api.lan"));
  CHECK(is_taken_for("x_y.lan"));
  CHECK(is_taken_for("dot.test."));
  CHECK(server.sni == "dot.test");
  CHECK(is_taken_for("::ffff:127.0.0.1"));
  CHECK(server.sni.empty());
  CHECK_FALSE(is_taken_for("a.b.lan"));
  CHECK_FALSE(is_taken_for("lan"));
  CHECK_FALSE(is_taken_for("dot.test"));
  TlsServer mapped("IP:::ffff:127.0.0.1");
  CHECK_FALSE(outcome_of(trusting(mapped.server.tls_url())));
}

TEST_CASE("the message about a certificate of another name says which names it has") {
  const auto message = [](const std::string& names, const std::string& name) {
    TlsServer server(names);
    ConnectionSettings settings = trusting(server.server.tls_url());
    settings.tls.server_name = name;
    const auto error = outcome_of(settings);
    REQUIRE(error);
    return error->message;
  };
  CHECK(message("DNS:a.test,IP:127.0.0.1", "b.test").find("; it is valid for a.test, 127.0.0.1") != std::string::npos);
  CHECK(message("DNS:a.test", "127.0.0.1").find("; it is valid for a.test") != std::string::npos);
  CHECK(message("", "server").find("; it is valid for no name, its common name \"server\" ") != std::string::npos);
}

TEST_CASE("a certificate of another CA is refused, and system CAs are of no help") {
  TlsServer server("IP:127.0.0.1");
  const CertificateAuthority another("another CA");
  ConnectionSettings settings;
  settings.server = ksr::testing::url_of(server.server.tls_url());
  settings.tls.ca_pem = another.certificate_pem();
  for (int with_system_cas = 0; with_system_cas < 2; ++with_system_cas) {
    const auto error = outcome_of(settings);
    REQUIRE(error);
    CHECK(error->status == Status::tls);
    CHECK(error->message.find("issuer") != std::string::npos);
    settings.tls.ca_pem.clear();
  }
  settings.tls.skip_verify = true;
  CHECK_FALSE(outcome_of(settings));
}

TEST_CASE("several CAs in one text are all trusted") {
  TlsServer server("IP:127.0.0.1");
  ConnectionSettings settings = trusting(server.server.tls_url());
  settings.tls.ca_pem = "# a comment\n" + CertificateAuthority("another CA").certificate_pem() + "\n" +
                        shared_authority().certificate_pem();
  CHECK_FALSE(outcome_of(settings));
}

namespace {

// Of a server that shows these certificates, to a client that trusts `ca_pem`.
std::optional<Error> outcome_of_chain(const CertificateAndKey& shown, const std::vector<std::string>& shown_after,
                                      const std::string& ca_pem, const std::string& name = "") {
  TlsServer server("IP:127.0.0.1");
  server.context = server_context(shown);
  for (const std::string& certificate_pem : shown_after) add_to_chain(*server.context, certificate_pem);
  ConnectionSettings settings = trusting(server.server.tls_url());
  settings.tls.ca_pem = ca_pem;
  settings.tls.server_name = name;
  return outcome_of(settings);
}

}  // namespace

// As during the rotation of a cluster's CA. Go's crypto/x509 tries each (verify.go, buildChains).
TEST_CASE("of several CAs of one name that has issued a certificate whose key has signed it, in whichever order") {
  const CertificateAuthority before("kubernetes");
  const CertificateAuthority after("kubernetes");
  const std::vector<std::string> orders = {before.certificate_pem() + after.certificate_pem(),
                                           after.certificate_pem() + before.certificate_pem()};
  for (const std::string& bundle : orders) {
    for (const CertificateAuthority* authority : {&before, &after}) {
      CHECK_FALSE(outcome_of_chain(authority->issue("server", "IP:127.0.0.1"), {}, bundle));
      // The same with intermediates, in what the server shows and in the bundle.
      const CertificateAuthority first = authority->intermediate("intermediate");
      const CertificateAuthority second = authority->intermediate("intermediate");
      const CertificateAndKey identity = second.issue("server", "IP:127.0.0.1");
      CHECK_FALSE(outcome_of_chain(identity, {first.certificate_pem(), second.certificate_pem()}, bundle));
      CHECK_FALSE(outcome_of_chain(identity, {second.certificate_pem(), first.certificate_pem()}, bundle));
      CHECK_FALSE(
          outcome_of_chain(identity, {first.certificate_pem()}, first.certificate_pem() + second.certificate_pem()));
      CHECK(outcome_of_chain(identity, {first.certificate_pem()}, bundle));
    }
    const CertificateAuthority third("kubernetes");
    const auto refused = outcome_of_chain(third.issue("server", "IP:127.0.0.1"), {}, bundle);
    REQUIRE(refused);
    CHECK(refused->status == Status::tls);
    CHECK(refused->message.find("issuer") != std::string::npos);
  }
}

TEST_CASE(
    "of two certificates of one CA, cross-signed, that which leads to a trusted one is taken, in whichever order") {
  const CertificateAuthority unknown("unknown");
  const CertificateAuthority intermediate = shared_authority().intermediate("intermediate");
  const CertificateAndKey identity = intermediate.issue("server", "IP:127.0.0.1");
  const std::string crossed = intermediate.cross_signed_pem(unknown);
  const std::string& bundle = shared_authority().certificate_pem();
  CHECK_FALSE(outcome_of_chain(identity, {crossed, intermediate.certificate_pem()}, bundle));
  CHECK_FALSE(outcome_of_chain(identity, {intermediate.certificate_pem(), crossed}, bundle));
  CHECK_FALSE(outcome_of_chain(identity, {crossed, intermediate.certificate_pem()}, unknown.certificate_pem()));
  CHECK(outcome_of_chain(identity, {crossed}, bundle));
  CHECK(outcome_of_chain(identity, {crossed, intermediate.certificate_pem()},
                         CertificateAuthority("another").certificate_pem()));
}

namespace {

// Each makes a self-signed CA invalid for a server of 127.0.0.1.
const std::vector<std::vector<std::pair<int, std::string>>> kUnfit = {
    {{NID_basic_constraints, "critical,CA:TRUE"}, {NID_ext_key_usage, "clientAuth"}},
    {},
    {{NID_key_usage, "keyCertSign"}},
    {{NID_basic_constraints, "critical,CA:FALSE"}},
    {{NID_basic_constraints, "critical,CA:TRUE"}, {NID_key_usage, "cRLSign"}},
    {{NID_basic_constraints, "critical,CA:TRUE"}, {NID_name_constraints, "critical,excluded;IP:127.0.0.0/255.0.0.0"}},
};

}  // namespace

// As Go, which tries each (crypto/x509, buildChains).
TEST_CASE("of several certificates of one CA and one key that one is taken which is fit, in whichever order") {
  const CertificateAuthority authority("renewed");
  const CertificateAuthority intermediate = authority.intermediate("intermediate");
  const CertificateAndKey direct = authority.issue("server", "IP:127.0.0.1");
  const CertificateAndKey indirect = intermediate.issue("server", "IP:127.0.0.1");
  const std::string& fit = authority.certificate_pem();
  std::string all_unfit;
  for (std::size_t i = 0; i < kUnfit.size(); ++i) {
    CAPTURE(i);
    const std::string unfit = authority.reissued_pem(kUnfit[i]);
    all_unfit += unfit;
    CHECK(outcome_of_chain(direct, {}, unfit));
    CHECK(outcome_of_chain(indirect, {intermediate.certificate_pem()}, unfit));
    for (const std::string& bundle : {unfit + fit, fit + unfit}) {
      CHECK_FALSE(outcome_of_chain(direct, {}, bundle));
      CHECK_FALSE(outcome_of_chain(indirect, {intermediate.certificate_pem()}, bundle));
      // Another name, and another key.
      CHECK(outcome_of_chain(direct, {}, bundle, "other.test"));
      CHECK(outcome_of_chain(CertificateAuthority("renewed").issue("server", "IP:127.0.0.1"), {}, bundle));
    }
    // What the server shows is not trusted.
    CHECK(outcome_of_chain(direct, {fit}, unfit));
    // Trusted itself.
    CHECK_FALSE(outcome_of_chain(direct, {}, unfit + direct.certificate_pem));
  }
  // None makes up for another.
  CHECK(outcome_of_chain(direct, {}, all_unfit));
  CHECK(outcome_of_chain(indirect, {intermediate.certificate_pem()}, all_unfit));
  CHECK_FALSE(outcome_of_chain(direct, {}, all_unfit + fit));
  const std::string without_intermediates = authority.reissued_pem({{NID_basic_constraints, "CA:TRUE,pathlen:0"}});
  CHECK_FALSE(outcome_of_chain(direct, {}, without_intermediates));
  CHECK(outcome_of_chain(indirect, {intermediate.certificate_pem()}, without_intermediates));
  CHECK_FALSE(outcome_of_chain(indirect, {intermediate.certificate_pem()}, without_intermediates + fit));
  CHECK_FALSE(outcome_of_chain(indirect, {intermediate.certificate_pem()}, fit + without_intermediates));
}

// As openssl x509 -addreject makes it.
TEST_CASE("a server's own certificate in the bundle that is not to be trusted for servers is not") {
  const CertificateAuthority authority("renewed");
  const CertificateAndKey identity = authority.issue("server", "IP:127.0.0.1");
  BIO* const bio = BIO_new_mem_buf(identity.certificate_pem.data(), static_cast<int>(identity.certificate_pem.size()));
  X509* const certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  REQUIRE(X509_add1_reject_object(certificate, OBJ_nid2obj(NID_server_auth)) == 1);
  BIO* const written = BIO_new(BIO_s_mem());
  REQUIRE(PEM_write_bio_X509_AUX(written, certificate) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(written, &data);
  const std::string rejected(data, static_cast<std::size_t>(size));
  X509_free(certificate);
  BIO_free(bio);
  BIO_free(written);
  const std::string unfit = authority.reissued_pem(kUnfit.front());
  CHECK_FALSE(outcome_of_chain(identity, {}, unfit + identity.certificate_pem));
  CHECK(outcome_of_chain(identity, {}, unfit + rejected));
}

TEST_CASE("the reason is that of the chain that leads to a trusted CA") {
  const CertificateAuthority unknown("unknown");
  const CertificateAuthority intermediate = shared_authority().intermediate("intermediate", "clientAuth");
  const CertificateAndKey identity = intermediate.issue("server", "IP:127.0.0.1");
  const auto refused =
      outcome_of_chain(identity, {intermediate.cross_signed_pem(unknown), intermediate.certificate_pem()},
                       shared_authority().certificate_pem());
  REQUIRE(refused);
  CHECK(refused->message.find("purpose") != std::string::npos);
}

// Go does not look at a common name that could be a host's (crypto/x509, checkChainConstraints).
TEST_CASE("name constraints are not for the common name") {
  const CertificateAuthority authority("constrained");
  const std::string bundle = authority.reissued_pem(
      {{NID_basic_constraints, "critical,CA:TRUE"}, {NID_name_constraints, "critical,permitted;DNS:lan"}});
  CHECK_FALSE(outcome_of_chain(authority.issue("other.test", "IP:127.0.0.1"), {}, bundle));
  CHECK(outcome_of_chain(authority.issue("server", "IP:127.0.0.1,DNS:other.test"), {}, bundle));
  // Of two chains, the second one.
  CHECK_FALSE(outcome_of_chain(authority.issue("other.test", "IP:127.0.0.1"), {},
                               authority.reissued_pem(kUnfit.front()) + bundle));
}

TEST_CASE("CAs that have signed each other, and very many certificates of one CA, are given up") {
  std::vector<CertificateAuthority> authorities;
  for (int i = 0; i < 7; ++i) authorities.emplace_back("CA " + std::to_string(i));
  const CertificateAndKey identity = authorities[0].issue("server", "IP:127.0.0.1");
  std::vector<std::string> shown;
  for (const CertificateAuthority& issuer : authorities) {
    for (const CertificateAuthority& subject : authorities) shown.push_back(subject.cross_signed_pem(issuer));
  }
  CHECK(outcome_of_chain(identity, shown, shared_authority().certificate_pem()));
  CHECK_FALSE(outcome_of_chain(identity, shown, authorities[0].certificate_pem()));
  CHECK_FALSE(outcome_of_chain(identity, shown, authorities[6].certificate_pem()));
  std::string unfit;
  const auto grow = [&](int count) {
    for (int i = 0; i < count; ++i) unfit += authorities[0].reissued_pem(kUnfit.front());
  };
  grow(60);
  CHECK_FALSE(outcome_of_chain(identity, {}, unfit + authorities[0].certificate_pem()));
  grow(140);
  CHECK(outcome_of_chain(identity, {}, unfit));
}

// A server must not make the client check signatures for seconds (crypto/x509, maxChainSignatureChecks).
TEST_CASE("a chain of very many candidates of one name is given up") {
  CertificateAuthority last("one name");
  const std::string root = last.certificate_pem();
  std::vector<std::string> shown;
  for (int i = 0; i < 40; ++i) {
    last = last.intermediate("one name");
    shown.push_back(last.certificate_pem());
  }
  // Each step finds its issuer behind all that have been found already.
  CHECK(outcome_of_chain(last.issue("server", "IP:127.0.0.1"), shown, root));
}

// RFC 5280, section 4.2.1.12; crypto/x509, checkChainForKeyUsage.
TEST_CASE("anyExtendedKeyUsage is enough, in each certificate of the chain") {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  const auto outcome = [&](const std::string& usage_of_ca, const std::string& usage_of_server) {
    const CertificateAuthority intermediate = shared_authority().intermediate("intermediate", usage_of_ca);
    const CertificateAndKey identity = intermediate.issue_for(*key, "server", "IP:127.0.0.1", usage_of_server);
    const auto by_root =
        outcome_of_chain(identity, {intermediate.certificate_pem()}, shared_authority().certificate_pem());
    const auto by_intermediate = outcome_of_chain(identity, {}, intermediate.certificate_pem());
    CHECK(by_root.has_value() == by_intermediate.has_value());
    if (by_root) CHECK(by_root->message.find("purpose") != std::string::npos);
    return !by_root.has_value();
  };
  CHECK(outcome("", "anyExtendedKeyUsage"));
  CHECK(outcome("anyExtendedKeyUsage", ""));
  CHECK(outcome("anyExtendedKeyUsage", "clientAuth,anyExtendedKeyUsage"));
  CHECK(outcome("serverAuth", "anyExtendedKeyUsage"));
  CHECK_FALSE(outcome("", "clientAuth"));
  CHECK_FALSE(outcome("anyExtendedKeyUsage", "clientAuth"));
  CHECK_FALSE(outcome("clientAuth", "anyExtendedKeyUsage"));
  EVP_PKEY_free(key);
}

// As Go's crypto/x509, which takes what is in the pool for trusted (certificate.go, Verify).
TEST_CASE("what is in the bundle is trusted, be it a root, an intermediate or the server's own certificate") {
  const CertificateAuthority intermediate = shared_authority().intermediate("intermediate");
  const CertificateAndKey identity = intermediate.issue("server", "IP:127.0.0.1,DNS:localhost");
  const CertificateAndKey own = self_signed("own", "IP:127.0.0.1,DNS:localhost");
  const auto outcome = [](const CertificateAndKey& shown, const std::string& shown_after, const std::string& ca_pem,
                          const std::string& name = "") {
    const std::vector<std::string> after = shown_after.empty() ? std::vector<std::string>() : std::vector{shown_after};
    return outcome_of_chain(shown, after, ca_pem, name);
  };
  for (const std::string& shown_after : {std::string(), intermediate.certificate_pem()}) {
    CAPTURE(shown_after);
    CHECK_FALSE(outcome(identity, shown_after, intermediate.certificate_pem()));
    CHECK_FALSE(outcome(identity, shown_after, identity.certificate_pem));
    CHECK_FALSE(outcome(identity, shown_after, shared_authority().certificate_pem() + intermediate.certificate_pem()));
    // The name is checked all the same.
    for (const std::string& ca_pem : {intermediate.certificate_pem(), identity.certificate_pem}) {
      const auto refused = outcome(identity, shown_after, ca_pem, "other.test");
      REQUIRE(refused);
      CHECK(refused->message.find("ostname mismatch") != std::string::npos);
    }
    // The own certificate of another server is no issuer.
    CHECK(outcome(identity, shown_after, intermediate.issue("server", "IP:127.0.0.1").certificate_pem));
    CHECK(outcome(identity, shown_after, shared_authority().intermediate("intermediate").certificate_pem()));
  }
  CHECK_FALSE(outcome(identity, intermediate.certificate_pem(), shared_authority().certificate_pem()));
  CHECK_FALSE(outcome(own, "", own.certificate_pem));
  CHECK(outcome(own, "", own.certificate_pem, "other.test"));
  CHECK(outcome(own, "", self_signed("own", "IP:127.0.0.1").certificate_pem));
}

// RFC 6066, section 3: the name in SNI is without its final dot.
TEST_CASE("a final dot of the host or of tls_server_name is in neither SNI nor the check") {
  TlsServer server("DNS:absolute.test,DNS:kubernetes.default");
  const auto transport = ksr::transport::make_transport([](const std::string&) -> Expected<ksr::transport::Addresses> {
    return ksr::transport::Addresses{boost::asio::ip::make_address("127.0.0.1")};
  });
  ConnectionSettings settings = trusting("https://absolute.test.:" + std::to_string(server.server.port()));
  std::shared_ptr<Connection> connection;
  on_network([&] { connection = *transport->connect(settings); });
  Listener listener;
  listener.get(released_on_network(std::move(connection)), request_for("/"));
  REQUIRE(listener.wait_for_end());
  CHECK((listener.error() ? listener.error()->message : "") == "");
  CHECK(server.sni == "absolute.test");
  settings = trusting(server.server.tls_url());
  settings.tls.server_name = "kubernetes.default.";
  CHECK_FALSE(outcome_of(settings));
  CHECK(server.sni == "kubernetes.default");
  settings.tls.server_name = "other.default.";
  CHECK(outcome_of(settings));
}

TEST_CASE("a server cannot begin a handshake anew") {
  static int hellos_of_the_client;
  static SSL* connection_at_the_server;
  hellos_of_the_client = 0;
  const ServerContext context = server_context(shared_authority().issue("server", "IP:127.0.0.1"));
  SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_msg_callback(context.get(), [](int, int, int type, const void* bytes, std::size_t size, SSL* ssl, void*) {
    connection_at_the_server = ssl;
    const bool hello =
        type == SSL3_RT_HANDSHAKE && size > 0 && *static_cast<const unsigned char*>(bytes) == SSL3_MT_CLIENT_HELLO;
    if (hello) ++hellos_of_the_client;
  });
  {
    RawServer server([&](Peer& peer) {
      if (!peer.start_tls(context.get()) || peer.receive_head().empty()) return;
      SSL_renegotiate(connection_at_the_server);
      SSL_do_handshake(connection_at_the_server);
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
      peer.receive();
    });
    Listener listener;
    listener.get(connect(trusting(server.tls_url())), request_for("/"));
    CHECK(listener.wait_for_end());
  }
  CHECK(hellos_of_the_client == 1);
}

// Run once more with a system configuration that allows it (unit.transport_weak_openssl).
TEST_CASE("keys of less than 112 bits are refused, whatever the system's openssl.cnf says") {
  EVP_PKEY* const small = EVP_RSA_gen(1024);
  TlsServer server("IP:127.0.0.1");
  server.context = server_context(shared_authority().issue_for(*small, "server", "IP:127.0.0.1"));
  EVP_PKEY_free(small);
  const auto error = outcome_of(trusting(server.server.tls_url()));
  REQUIRE(error);
  CHECK(error->status == Status::tls);
}

TEST_CASE("a client key of less than 112 bits is refused, whatever the system's openssl.cnf says") {
  EVP_PKEY* const small = EVP_RSA_gen(1024);
  const CertificateAndKey weak = shared_authority().issue_for(*small, "client", "");
  EVP_PKEY_free(small);
  ConnectionSettings settings = trusting("https://localhost");
  settings.tls.client_certificate_pem = weak.certificate_pem;
  settings.tls.client_key_pem = weak.key_pem;
  on_network([&] {
    const auto outcome = ksr::transport::real_transport().connect(settings);
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().status == Status::tls);
    CHECK(outcome.error().message.find("client certificate: ") == 0);
  });
}

TEST_CASE("a client certificate is shown when the server wants one") {
  TlsServer server("IP:127.0.0.1");
  require_client_certificate(*server.context, shared_authority().certificate_pem());
  ConnectionSettings settings = trusting(server.server.tls_url());
  const auto without = outcome_of(settings);
  REQUIRE(without);
  CHECK(without->status == Status::tls);
  const CertificateAndKey client = shared_authority().issue("client", "");
  settings.tls.client_certificate_pem = client.certificate_pem;
  settings.tls.client_key_pem = client.key_pem;
  CHECK_FALSE(outcome_of(settings));
}

// As crypto/tls, whatever else is in the bundle: a CA there may be too weak for a chain that is sent.
TEST_CASE("the client shows the certificates that it was given, and no other") {
  static int shown;
  const CertificateAuthority intermediate = shared_authority().intermediate("intermediate");
  const CertificateAndKey client = intermediate.issue("client", "");
  TlsServer server("IP:127.0.0.1");
  require_client_certificate(*server.context, shared_authority().certificate_pem());
  SSL_CTX_set_cert_verify_callback(
      server.context.get(),
      [](X509_STORE_CTX* context, void*) {
        shown = sk_X509_num(X509_STORE_CTX_get0_untrusted(context));
        return 1;
      },
      nullptr);
  ConnectionSettings settings = trusting(server.server.tls_url());
  settings.tls.ca_pem += intermediate.certificate_pem();
  settings.tls.client_key_pem = client.key_pem;
  settings.tls.client_certificate_pem = client.certificate_pem;
  CHECK_FALSE(outcome_of(settings));
  CHECK(shown == 1);
  settings.tls.client_certificate_pem += intermediate.certificate_pem();
  CHECK_FALSE(outcome_of(settings));
  CHECK(shown == 2);
}

TEST_CASE("where certificates are not checked, none is said to be the reason") {
  TlsServer server("IP:127.0.0.2");
  server.context = server_context(self_signed("server", "IP:127.0.0.2"));
  SSL_CTX_set_max_proto_version(server.context.get(), TLS1_2_VERSION);
  require_client_certificate(*server.context, shared_authority().certificate_pem());
  ConnectionSettings settings = trusting(server.server.tls_url());
  settings.tls.ca_pem.clear();
  settings.tls.skip_verify = true;
  const auto error = outcome_of(settings);
  REQUIRE(error);
  CHECK(error->status == Status::tls);
  CHECK(error->message.find("certificate failed") == std::string::npos);
  CHECK(error->message.find("alert") != std::string::npos);
}

TEST_CASE("client certificates that can never work are refused at once, and the key is not shown") {
  const CertificateAndKey client = shared_authority().issue("client", "");
  const CertificateAndKey other = shared_authority().issue("other", "");
  ConnectionSettings settings = trusting("https://localhost");
  const auto refusal = [&](const std::string& certificate, const std::string& key) {
    settings.tls.client_certificate_pem = certificate;
    settings.tls.client_key_pem = key;
    std::optional<Error> error;
    on_network([&] {
      const auto outcome = ksr::transport::real_transport().connect(settings);
      if (!outcome) error = outcome.error();
    });
    REQUIRE(error);
    CHECK(error->status == Status::invalid);
    CHECK(error->message.find("BEGIN") == std::string::npos);
    return error->message;
  };
  CHECK(refusal(client.certificate_pem, "").find("without its key") != std::string::npos);
  CHECK(refusal("", client.key_pem).find("without its certificate") != std::string::npos);
  CHECK(refusal(client.certificate_pem, other.key_pem).find("client key") != std::string::npos);
  CHECK(refusal("x", client.key_pem).find("client certificate") != std::string::npos);
  CHECK(refusal(client.certificate_pem, "x").find("client key") != std::string::npos);
}

TEST_CASE("TLS 1.1 is refused") {
  TlsServer server("IP:127.0.0.1");
  SSL_CTX_set_security_level(server.context.get(), 0);
  SSL_CTX_set_min_proto_version(server.context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(server.context.get(), TLS1_1_VERSION);
  const auto error = outcome_of(trusting(server.server.tls_url()));
  REQUIRE(error);
  CHECK(error->status == Status::tls);
}

TEST_CASE("a server that talks no TLS is a TLS error, which says so where it talks HTTP") {
  for (const std::string answer : {"HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-x\r\nHTTP/1.1\r\n"}) {
    RawServer server([&](Peer& peer) {
      peer.receive();
      // In pieces.
      for (const char c : answer) peer.send(std::string(1, c));
      peer.wait_for_close();
    });
    const auto error = outcome_of(trusting(server.tls_url()));
    REQUIRE(error);
    CHECK(error->status == Status::tls);
    CHECK(error->message.find("TLS handshake with ") == 0);
    CHECK((error->message.find("in HTTP without TLS") != std::string::npos) == (answer[0] == 'H'));
  }
}

TEST_CASE("a WebSocket runs over TLS") {
  const ServerContext context = server_context(shared_authority().issue("server", "IP:127.0.0.1"));
  RawServer server([&](Peer& peer) {
    if (!peer.start_tls(context.get())) return;
    accept_websocket(peer);
    peer.send(frame(text_frame, "{\"type\":\"ADDED\"}") + frame(close_frame, close_payload(1000)));
    peer.wait_for_close();
  });
  Listener listener;
  listener.open_websocket(connect(trusting(server.tls_url())), request_for("/watch"));
  REQUIRE(listener.wait_for_end());
  CHECK((listener.error() ? listener.error()->message : "") == "");
  CHECK(listener.head().status == 101);
  CHECK(listener.messages() == std::vector<std::string>{"{\"type\":\"ADDED\"}"});
}
