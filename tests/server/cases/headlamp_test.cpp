// Through a Headlamp server: one that has the cluster configured, and one that gets it with each request.
#include "base/base64.hpp"
#include "server/cases/on_server.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;
using ksr::testserver::HeadlampOptions;
using ksr::testserver::RecordedRequest;
using ksr::testserver::ServerOptions;

namespace {

constexpr const char* kBackendToken = "backend-token-of-the-desktop";
constexpr const char* kProtocols = "Sec-WebSocket-Protocol";

ServerOptions behind_headlamp() {
  ServerOptions options = with_token();
  options.headlamp.emplace();
  options.headlamp->backend_token = kBackendToken;
  options.headlamp->clusters = {"eu--prod__1"};
  return options;
}

// A cluster that the server has configured.
Settings known(const ApiServer& server, const std::string& transport) {
  return {{"headlamp_url", server.url()}, {"headlamp_cluster", "eu/prod 1"}, {"headlamp_token", kBackendToken},
          {"token", kTestToken},          {"resource", "v1/pods"},           {"transport", transport},
          {"backoff_initial", "20ms"},    {"backoff_max", "200ms"}};
}

// A cluster that it gets only from the stream; the user is in the kubeconfig.
Settings stateless(const ApiServer& server, const std::string& transport) {
  const std::string kubeconfig = std::string("apiVersion: v1\nusers: [{user: {token: ") + kTestToken + "}}]\n";
  return {{"headlamp_url", server.url()},    {"headlamp_cluster", "mine"},
          {"headlamp_token", kBackendToken}, {"headlamp_kubeconfig", ksr::base64_encode(kubeconfig)},
          {"headlamp_user_id", "user_1-a"},  {"resource", "v1/pods"},
          {"transport", transport},          {"backoff_initial", "20ms"},
          {"backoff_max", "200ms"}};
}

std::vector<RecordedRequest> websockets(ApiServer& server) {
  std::vector<RecordedRequest> found;
  for (RecordedRequest& request : server.requests()) {
    if (request.websocket) found.push_back(std::move(request));
  }
  return found;
}

bool has_no_secret(const Recorder& seen, const std::string& secret) {
  for (const std::string& line : seen.log()) {
    if (line.find(secret) != std::string::npos) return false;
  }
  for (const SeenError& error : seen.errors()) {
    if (error.message.find(secret) != std::string::npos) return false;
  }
  return true;
}

// Opens a stream in each way, runs the script `first` and drops the connection three times, and lets `check` inspect
// all requests.
template <class Check>
void check_reconnects(Settings (*settings)(const ApiServer&, const std::string&), const std::string& first,
                      const Check& check) {
  for (const char* initial : {"list", "watchlist"}) {
    CAPTURE(initial);
    on_both_transports([&](const std::string& transport) {
      ApiServer server(behind_headlamp());
      server.script("populate pods 5");
      Recorder seen;
      REQUIRE(seen.open(with(settings(server, transport), "initial", initial)) == KSR_OK);
      REQUIRE(seen.wait_count(5));
      REQUIRE(seen.wait_state(KSR_STATE_LIVE));
      for (int round = 0; round < 3; ++round) {
        server.script(first + "drop connections reset\ncreate pods default/again-" + std::to_string(round));
        REQUIRE(seen.wait_name("again-" + std::to_string(round)));
      }
      check_equals_server(seen, server);
      check(server, seen);
      CHECK(websockets(server).empty() == (transport == "http"));
      CHECK(has_no_secret(seen, kTestToken));
    });
  }
}

}  // namespace

TEST_CASE("a cluster that Headlamp has configured, over reconnects") {
  check_reconnects(known, "", [](ApiServer& server, const Recorder& seen) {
    for (const RecordedRequest& request : server.requests()) {
      const std::string path = request.target.substr(0, request.target.find('?'));
      CHECK((path == "/clusters/eu--prod__1/version" || path.rfind("/clusters/eu--prod__1/api", 0) == 0));
      if (!request.websocket) CHECK(request.header("X-HEADLAMP_BACKEND-TOKEN") == kBackendToken);
      CHECK(request.header("KUBECONFIG").empty());
    }
    CHECK(has_no_secret(seen, kBackendToken));
  });
}

TEST_CASE("a cluster that Headlamp gets from the stream and forgets: it is sent again before each WebSocket") {
  check_reconnects(stateless, "headlamp forget\n", [](ApiServer& server, const Recorder& seen) {
    for (const SeenError& error : seen.errors()) CHECK(error.code == KSR_E_TRANSPORT);
    bool sent_kubeconfig = false;
    for (const RecordedRequest& request : server.requests()) {
      CHECK(request.target.rfind("/clusters/mine/", 0) == 0);
      if (!request.websocket) {
        CHECK_FALSE(request.header("KUBECONFIG").empty());
        CHECK(request.header("X-HEADLAMP-USER-ID") == "user_1-a");
        sent_kubeconfig = true;
        continue;
      }
      CHECK(sent_kubeconfig);
      sent_kubeconfig = false;
      CHECK(request.header("KUBECONFIG").empty());
      CHECK(request.header(kProtocols) == "base64.binary.k8s.io, base64url.headlamp.backend.authorization.k8s.io." +
                                              ksr::base64url_encode(kBackendToken) +
                                              ", base64url.headlamp.authorization.k8s.io.user_1-a");
    }
  });
}

TEST_CASE("a wrong backend token is refused, and never logged or reported") {
  on_both_transports([](const std::string& transport) {
    for (const char* initial : {"list", "watchlist"}) {
      ApiServer server(behind_headlamp());
      Settings settings = with(known(server, transport), "initial", initial);
      Recorder seen;
      REQUIRE(seen.open(with(settings, "headlamp_token", "hunter2-wrong")) == KSR_OK);
      REQUIRE(seen.wait_error(KSR_E_FORBIDDEN));
      const std::string message = seen.errors().front().message;
      CAPTURE(message);
      CHECK(message.find("403") != std::string::npos);
      CHECK(seen.updates() == 0);
      CHECK(has_no_secret(seen, "hunter2"));
    }
  });
}

TEST_CASE("a wrong token of the cluster, and an unknown cluster") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(behind_headlamp());
    Recorder wrong_token;
    REQUIRE(wrong_token.open(with(known(server, transport), "token", "hunter2-of-the-cluster")) == KSR_OK);
    REQUIRE(wrong_token.wait_error(KSR_E_AUTH));
    CHECK(has_no_secret(wrong_token, "hunter2"));
    Recorder unknown;
    REQUIRE(unknown.open(with(known(server, transport), "headlamp_cluster", "asia")) == KSR_OK);
    REQUIRE(unknown.wait_error(KSR_E_NOT_FOUND));
    CHECK(unknown.errors().front().message.find("key not found") != std::string::npos);
  });
}

TEST_CASE("X-Reload reaches the host as a log line and as a statistic") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(behind_headlamp());
    server.script("populate pods 3");
    Recorder seen;
    REQUIRE(seen.open(with(known(server, transport), "initial", "list")) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    CHECK(seen.stat("headlamp_reloads") == 0);
    // The watch breaks and its version is compacted: the next response is that of a list.
    server.script("headlamp reload\nfault watch pods answer 410\ndrop connections");
    CHECK(seen.wait([](const Recorder& now) { return now.stat("headlamp_reloads") == 1; }));
    CHECK(seen.wait([](const Recorder& now) {
      for (const std::string& line : now.log()) {
        if (line.find("asks its clients to reload: its plugins have changed") != std::string::npos) return true;
      }
      return false;
    }));
    CHECK(seen.wait_state(KSR_STATE_LIVE));
    check_equals_server(seen, server);
    CHECK(seen.stat("headlamp_reloads") == 1);
  });
}
