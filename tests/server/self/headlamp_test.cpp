// Tests of the Headlamp mode, with clients that share no code with it.
#include <doctest/doctest.h>

#include <thread>

#include "server/query.hpp"
#include "server/self/client.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;
using ksr::testserver::HeadlampOptions;
using ksr::testserver::ServerOptions;

namespace {

const Fields kUnknownContext{{"KUBECONFIG", "YXBpVmVyc2lvbjogdjEK"}, {"X-HEADLAMP-USER-ID", "unknown"}};

ServerOptions headlamp_server_options(HeadlampOptions headlamp = {}) {
  ServerOptions options;
  headlamp.clusters.push_back("prod--eu");
  options.headlamp = std::move(headlamp);
  return options;
}

unsigned watch_status(ApiServer& server, const std::string& cluster, const std::string& offered) {
  return shake_hands(server, "/clusters/" + cluster + "/api/v1/pods?watch=1", {kOrigin, {kProtocols, offered}})
      ->answer.status;
}

}  // namespace

TEST_CASE("the API is served below the name of its cluster, and nowhere else") {
  ApiServer server(headlamp_server_options());
  CHECK(ask(server, "/clusters/prod--eu/api/v1/pods").status == 200);
  CHECK(ask(server, "/api/v1/pods").status == 404);
  const Answer unknown = ask(server, "/clusters/other/api/v1/pods");
  CHECK(unknown.status == 404);
  CHECK(unknown.body == "key not found\n");
  CHECK(unknown.header("Content-Type").find("text/plain") == 0);
}

TEST_CASE("a backend token is required as a header, or as a subprotocol that the cluster does not receive") {
  HeadlampOptions headlamp;
  headlamp.backend_token = "desk";
  ApiServer server(headlamp_server_options(headlamp));
  CHECK(ask(server, "/clusters/prod--eu/api/v1/pods").status == 403);
  CHECK(ask(server, "/clusters/prod--eu/api/v1/pods", {{"X-HEADLAMP_BACKEND-TOKEN", "desk"}}).status == 200);
  const std::string token = "base64url.headlamp.backend.authorization.k8s.io.";
  CHECK(watch_status(server, "prod--eu", "base64.binary.k8s.io") == 403);
  CHECK(watch_status(server, "prod--eu", "base64.binary.k8s.io, " + token + "ZGVzaw") == 101);
  CHECK(watch_status(server, "prod--eu", "base64.binary.k8s.io, " + token + "ZGVzaw==") == 403);
  CHECK(watch_status(server, "prod--eu", "base64.binary.k8s.io, chat, " + token + "ZGVzaw") == 400);
}

TEST_CASE("a context that a request sent is found by its user until it expires") {
  HeadlampOptions headlamp;
  headlamp.later_context_time = std::chrono::milliseconds(1);
  ApiServer server(headlamp_server_options(headlamp));
  const std::string offered = "base64.binary.k8s.io, base64url.headlamp.authorization.k8s.io.";
  CHECK(watch_status(server, "mine", offered + "unknown") == 404);
  CHECK(ask(server, "/clusters/mine/api/v1/pods").status == 404);
  CHECK(ask(server, "/clusters/mine/api/v1/pods", kUnknownContext).status == 200);
  CHECK(watch_status(server, "mine", offered + "unknown") == 101);
  CHECK(watch_status(server, "mine", offered + "another") == 404);
  CHECK(watch_status(server, "mine", "base64.binary.k8s.io") == 404);
  // The second request shortens its lifetime.
  CHECK(ask(server, "/clusters/mine/api/v1/pods", kUnknownContext).status == 200);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(watch_status(server, "mine", offered + "unknown") == 404);
  CHECK(ask(server, "/clusters/mine/api/v1/pods", {{"KUBECONFIG", "bm9uZQ=="}}).status == 400);
}

TEST_CASE("a script makes the server forget contexts and announce a reload") {
  ApiServer server(headlamp_server_options());
  CHECK(ask(server, "/clusters/mine/api/v1/pods", kUnknownContext).status == 200);
  server.script("headlamp forget\nheadlamp reload");
  CHECK(watch_status(server, "mine", "base64.binary.k8s.io, base64url.headlamp.authorization.k8s.io.unknown") == 404);
  server.script("headlamp reload");
  CHECK(ask(server, "/clusters/prod--eu/version").header("X-Reload") == "reload");
  CHECK(ask(server, "/clusters/prod--eu/version").header("X-Reload").empty());
}

TEST_CASE("the cluster receives the kubeconfig's token") {
  ServerOptions options = headlamp_server_options();
  options.tokens = {{"t0ken", "jane"}};
  ApiServer server(options);
  const std::string config = ksr::testserver::base64url("apiVersion: v1\nusers: [{user: {token: t0ken}}]\n");
  CHECK(ask(server, "/clusters/prod--eu/api/v1/pods").status == 401);
  CHECK(ask(server, "/clusters/mine/api/v1/pods", {{"KUBECONFIG", config}, {"X-HEADLAMP-USER-ID", "u"}}).status == 200);
}
