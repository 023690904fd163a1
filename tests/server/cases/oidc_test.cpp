// A kubeconfig with `auth-provider: oidc` whose id-token has expired, and an issuer over TLS on the loopback interface.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <mutex>

#include "base/base64.hpp"
#include "server/cases/on_server.hpp"
#include "support/certificates.hpp"
#include "support/temporary_directory.hpp"
#include "unit/transport/raw_server.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;
using ksr::testserver::ServerOptions;

namespace {

std::string jwt(std::chrono::seconds life) {
  static int tokens = 0;
  const auto expiry =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()) + life;
  return ksr::base64url_encode(R"({"alg":"none"})") + "." +
         ksr::base64url_encode("{\"exp\":" + std::to_string(expiry.count()) + ",\"jti\":" + std::to_string(++tokens) +
                               "}") +
         ".c2lnbmF0dXJl";
}

// Answers discovery, and each POST with the next of its answers; the last one again and again.
class Issuer {
 public:
  explicit Issuer(std::vector<std::string> answers) : answers_(std::move(answers)) {}

  std::string url() const { return "https://localhost:" + std::to_string(server_.port()) + "/realm"; }
  std::string ca_pem() const { return authority_.certificate_pem(); }
  std::vector<std::string> posts() {
    const std::lock_guard lock(mutex_);
    return posts_;
  }

 private:
  static std::string response(const std::string& status, const std::string& body) {
    return "HTTP/1.1 " + status +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\nConnection: close\r\n\r\n" + body;
  }
  // A body without an end.
  static void drip(test::Peer& peer) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
    while (peer.send(" ")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  void serve(test::Peer& peer) {
    if (!peer.start_tls(context_.get())) return;
    const std::string head = peer.receive_head();
    if (head.rfind("GET /realm/.well-known/openid-configuration ", 0) == 0) {
      peer.send(response("200 OK", "{\"token_endpoint\":\"" + url() + "/token\"}"));
    } else if (head.rfind("POST /realm/token ", 0) == 0) {
      const std::size_t at = head.find("Content-Length: ");
      const std::string body = peer.receive_exactly(at == std::string::npos ? 0 : std::stoul(head.substr(at + 16)));
      std::string answer;
      {
        const std::lock_guard lock(mutex_);
        answer = answers_[std::min(posts_.size(), answers_.size() - 1)];
        posts_.push_back(body);
      }
      if (answer.empty()) return peer.wait_for_close();
      if (answer == "drips") return drip(peer);
      peer.send(answer.front() == '{' ? response("200 OK", answer) : response(answer, "{\"error\":\"invalid_grant\"}"));
    } else {
      peer.send(response("404 Not Found", "{}"));
    }
    peer.shut_down();
  }

  std::mutex mutex_;
  std::vector<std::string> answers_;
  std::vector<std::string> posts_;
  const CertificateAuthority authority_{"the issuer's CA"};
  const ServerContext context_ = server_context(authority_.server({"localhost"}));
  test::RawServer server_{[this](test::Peer& peer) { serve(peer); }};
};

ServerOptions for_token(const std::string& token) {
  ServerOptions options;
  options.tls = true;
  options.tokens.push_back({token, "jane"});
  return options;
}

// A kubeconfig for the server, with that issuer.
struct Login {
  Login(const ApiServer& api, Issuer& with, const std::string& id_token) : server(api), issuer(with) {
    write(id_token, issuer.ca_pem());
  }
  void write(const std::string& id_token, const std::string& ca_pem) {
    files.write(
        "config",
        "current-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: "
        "{server: '" +
            server.url() + "', certificate-authority: '" + server.ca_file() +
            "'}}]\nusers: [{name: u, user: {auth-provider: {name: oidc, config: {client-id: app, refresh-token: "
            "refresh-token-of-jane, id-token: '" +
            id_token + "', idp-issuer-url: '" + issuer.url() +
            "', idp-certificate-authority-data: " + ksr::base64_encode(ca_pem) + "}}}}]\n");
  }
  Settings settings() const {
    return {{"kubeconfig", files.path("config")},
            {"resource", "v1/pods"},
            {"transport", "http"},
            {"backoff_initial", "20ms"},
            {"backoff_max", "200ms"}};
  }

  const ApiServer& server;
  Issuer& issuer;
  TemporaryDirectory files;
};

std::string tokens_of(const std::string& id_token) {
  return "{\"id_token\":\"" + id_token +
         "\",\"refresh_token\":\"refresh-token-that-is-new\",\"token_type\":\"Bearer\"}";
}

}  // namespace

TEST_CASE("an id-token that has expired is refreshed at the issuer before the first request, once for all streams") {
  const std::string token = jwt(std::chrono::hours(1));
  ApiServer server(for_token(token));
  server.script("populate pods 3");
  Issuer issuer({tokens_of(token)});
  const Login login(server, issuer, jwt(std::chrono::seconds(-60)));
  const std::string file = login.files.content("config");
  {
    Recorder seen;
    Recorder other;
    REQUIRE(seen.open(login.settings()) == KSR_OK);
    REQUIRE(other.open(with(login.settings(), "resource", "v1/nodes")) == KSR_OK);
    CHECK(seen.wait_state(KSR_STATE_LIVE));
    CHECK(other.wait_state(KSR_STATE_LIVE));
    CHECK(seen.errors().empty());
    CHECK(seen.count() == 3);
    for (const std::string& line : seen.log()) {
      CHECK(line.find("refresh-token-") == std::string::npos);
      CHECK(line.find(token) == std::string::npos);
    }
  }
  // It is remembered when the connection is gone, since the refresh-token of the file may be used up.
  Recorder later;
  REQUIRE(later.open(login.settings()) == KSR_OK);
  CHECK(later.wait_state(KSR_STATE_LIVE));
  CHECK(issuer.posts() ==
        std::vector<std::string>{"grant_type=refresh_token&refresh_token=refresh-token-of-jane&client_id=app"});
  CHECK(login.files.content("config") == file);
}

TEST_CASE("an id-token that is valid needs no issuer") {
  const std::string token = jwt(std::chrono::hours(1));
  ApiServer server(for_token(token));
  Issuer issuer({"400 Bad Request"});
  const Login login(server, issuer, token);
  Recorder seen;
  REQUIRE(seen.open(login.settings()) == KSR_OK);
  CHECK(seen.wait_state(KSR_STATE_LIVE));
  CHECK(issuer.posts().empty());
}

TEST_CASE("an issuer that refuses, or that cannot be trusted, is told of, and asked again") {
  const std::string token = jwt(std::chrono::hours(1));
  ApiServer server(for_token(token));
  for (const bool trusted : {true, false}) {
    CAPTURE(trusted);
    Issuer issuer({"400 Bad Request", tokens_of(token)});
    Login login(server, issuer, "");
    if (!trusted) login.write("", CertificateAuthority("another CA").certificate_pem());
    Recorder seen;
    REQUIRE(seen.open(login.settings()) == KSR_OK);
    REQUIRE(seen.wait_error(KSR_E_AUTH));
    const std::string message = seen.errors().front().message;
    CAPTURE(message);
    CHECK(message.find(trusted ? "invalid_grant" : "certificate") != std::string::npos);
    CHECK(message.find("auth-provider of user \"u\"") != std::string::npos);
    CHECK(message.find("refresh-token-of-jane") == std::string::npos);
    if (!trusted) login.write("", issuer.ca_pem());
    CHECK(seen.wait_state(KSR_STATE_LIVE));
  }
}

TEST_CASE("an issuer has its time as a whole: an answer that drips does not extend it") {
  const std::string token = jwt(std::chrono::hours(1));
  ApiServer server(for_token(token));
  Issuer issuer({"drips", tokens_of(token)});
  const Login login(server, issuer, "");
  Recorder seen;
  REQUIRE(seen.open(with(login.settings(), "request_timeout", "500ms")) == KSR_OK);
  REQUIRE(seen.wait_error(KSR_E_AUTH));
  CAPTURE(seen.errors().front().message);
  CHECK(seen.errors().front().message.find("did not end within 2 s") != std::string::npos);
  CHECK(seen.wait_state(KSR_STATE_LIVE));
}

TEST_CASE("closing a stream does not wait for an issuer that does not answer") {
  ApiServer server(for_token("x"));
  Issuer issuer({""});
  const Login login(server, issuer, "");
  Recorder seen;
  REQUIRE(seen.open(login.settings()) == KSR_OK);
  REQUIRE(seen.wait([&](const Recorder&) { return !issuer.posts().empty(); }));
  CHECK(seen.close() == KSR_OK);
  CHECK(seen.destroyed() == 1);
}
