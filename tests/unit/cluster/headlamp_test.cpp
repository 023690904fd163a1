// The way through a Headlamp server, as its frontend goes.
#include "cluster/headlamp.hpp"

#include <doctest/doctest.h>

#include "base/base64.hpp"
#include "unit/cluster/fakes.hpp"

using namespace ksr;
using namespace ksr::cluster;
using namespace ksr::cluster::testing;

namespace {

ConnectionOptions through_headlamp() {
  ConnectionOptions options;
  options.headlamp_url = "http://localhost:4466/";
  options.headlamp_cluster = "minikube";
  return options;
}

std::optional<Expected<RequestAuth>> authenticate_websocket(World& world, Access& access) {
  std::optional<Expected<RequestAuth>> answer;
  const auto pending =
      access.authenticate(Purpose::websocket, [&](Expected<RequestAuth> auth) { answer.emplace(std::move(auth)); });
  world.run_all();
  return answer;
}

}  // namespace

TEST_CASE("a cluster is a path of the Headlamp server, by its friendly name") {
  World world;
  ConnectionOptions options = through_headlamp();
  options.headlamp_cluster = "arn:aws:eks:eu/my cluster";
  options.token = "t";
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  const auto auth = world.authenticate(**access);
  REQUIRE((auth && auth->has_value()));
  CHECK(world.transport.connects[0].server.text() ==
        "http://localhost:4466/clusters/arn%3Aaws%3Aeks%3Aeu--my__cluster");
  CHECK((*access)->server() == "http://localhost:4466");
  CHECK(header(**auth, "Authorization") == "Bearer t");
  CHECK(header(**auth, "KUBECONFIG").empty());
}

TEST_CASE("a credential for Headlamp that is sent without TLS is in a warning") {
  for (const bool token : {true, false}) {
    World world;
    ConnectionOptions options = through_headlamp();
    if (token) {
      options.headlamp_token = "hunter2";
    } else {
      options.headlamp_kubeconfig = base64_encode("hunter2");
      options.headlamp_user_id = "u";
    }
    REQUIRE(world.open(options).has_value());
    CHECK(clear_text_warnings(world.logger).empty());
    options.headlamp_url = "http://headlamp.example";
    REQUIRE(world.open(options).has_value());
    const auto warnings = clear_text_warnings(world.logger);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].find("headlamp_url: ") == 0);
    CHECK(warnings[0].find(token ? "headlamp_token" : "headlamp_kubeconfig") != std::string::npos);
    CHECK(warnings[0].find("hunter2") == std::string::npos);
    CHECK(warnings[0].find(base64_encode("hunter2")) == std::string::npos);
  }
}

TEST_CASE("without a kubeconfig of its own a WebSocket needs no request before it") {
  World world;
  ConnectionOptions options = through_headlamp();
  options.headlamp_token = "backend?";
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  const auto auth = authenticate_websocket(world, **access);
  REQUIRE((auth && auth->has_value()));
  CHECK(world.transport.requests.empty());
  CHECK((*auth)->subprotocols ==
        std::vector<std::string>{"base64.binary.k8s.io",
                                 "base64url.headlamp.backend.authorization.k8s.io." + base64url_encode("backend?")});
  const auto request = world.authenticate(**access);
  REQUIRE((request && request->has_value()));
  CHECK(header(**request, "X-HEADLAMP_BACKEND-TOKEN") == "backend?");
  CHECK((*request)->subprotocols.empty());
}

TEST_CASE("with a kubeconfig of its own each WebSocket has a request with the kubeconfig right before it") {
  World world;
  ConnectionOptions options = through_headlamp();
  options.headlamp_kubeconfig = base64_encode("apiVersion: v1\n");
  options.headlamp_user_id = "user_1-a";
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  world.transport.replies["/version"] = {403, "no", "text/plain"};
  for (std::size_t turn = 1; turn <= 2; ++turn) {
    const auto auth = authenticate_websocket(world, **access);
    REQUIRE((auth && auth->has_value()));
    REQUIRE(world.transport.requests.size() == turn);
    const auto& headers = world.transport.requests.back().headers;
    CHECK(world.transport.requests.back().target == "/version");
    CHECK(std::find(headers.begin(), headers.end(), transport::Header{"KUBECONFIG", options.headlamp_kubeconfig}) !=
          headers.end());
    CHECK(std::find(headers.begin(), headers.end(), transport::Header{"X-HEADLAMP-USER-ID", "user_1-a"}) !=
          headers.end());
    CHECK(header(**auth, "KUBECONFIG").empty());
    CHECK((*auth)->subprotocols ==
          std::vector<std::string>{"base64.binary.k8s.io", "base64url.headlamp.authorization.k8s.io.user_1-a"});
  }
  const auto request = world.authenticate(**access);
  REQUIRE((request && request->has_value()));
  CHECK(header(**request, "KUBECONFIG") == options.headlamp_kubeconfig);
  CHECK(world.transport.requests.size() == 2);

  world.transport.failure = Error{Status::transport, "refused", "", 502};
  const auto failed = authenticate_websocket(world, **access);
  REQUIRE((failed && !failed->has_value()));
  CHECK(failed->error().http_status == 502);
  CHECK(failed->error().message.find("request before the WebSocket") == 0);
}

TEST_CASE("a handshake that is cancelled cancels the request before it") {
  World world;
  ConnectionOptions options = through_headlamp();
  options.headlamp_kubeconfig = base64_encode("k");
  options.headlamp_user_id = "u";
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  world.transport.silent = true;
  auto pending = (*access)->authenticate(Purpose::websocket, [](Expected<RequestAuth>) { FAIL("answered"); });
  world.run_all();
  CHECK(world.transport.requests.size() == 1);
  pending.cancel();
  world.run_all();
}

TEST_CASE("X-Reload is counted and logged") {
  World world;
  const auto access = world.open(through_headlamp());
  REQUIRE(access.has_value());
  const auto logger = std::make_shared<RecordingLogger>();
  (*access)->add_logger(logger);
  (*access)->on_response_head({200, "", "", {{"x-reload", "reload"}}});
  (*access)->on_response_head({200, "", "", {{"x-reload", "other"}, {"x-other", "reload"}}});
  CHECK((*access)->reloads() == 1);
  REQUIRE(logger->lines.size() == 1);
  CHECK(logger->lines[0].find("Headlamp http://localhost:4466") == 0);
}

TEST_CASE("X-Reload counts wherever it comes, in answers of discovery too") {
  for (const char* resource : {"pods", "v1/pods"}) {
    CAPTURE(resource);
    World world;
    const auto access = world.open(through_headlamp());
    REQUIRE(access.has_value());
    for (const char* target : {"/api", "/api/v1"}) {
      world.transport.replies[target] = {403, "no", "text/plain", {{"x-reload", "reload"}}};
    }
    QueryOptions query;
    query.resources = {resource};
    query.namespaces = {"shop"};
    const auto pending = (*access)->resolve(query, [](auto) {});
    world.run_all();
    CHECK((*access)->reloads() == 1);
  }
}

TEST_CASE("without Headlamp nothing of it is sent") {
  World world;
  ConnectionOptions options;
  options.server = "https://h";
  const auto access = world.open(options);
  REQUIRE(access.has_value());
  const auto auth = authenticate_websocket(world, **access);
  REQUIRE((auth && auth->has_value()));
  CHECK((*auth)->subprotocols.empty());
  CHECK((*auth)->headers.size() == 1);
  CHECK(world.transport.requests.empty());
  (*access)->on_response_head({200, "", "", {{"x-reload", "reload"}}});
  CHECK((*access)->reloads() == 0);
}

TEST_CASE("what cannot work with Headlamp is refused by key, without its value") {
  const auto message = [](const ConnectionOptions& options) {
    World world;
    const auto access = world.open(options);
    REQUIRE(!access.has_value());
    CHECK(access.error().status == Status::invalid);
    CHECK(access.error().message.find("hunter2") == std::string::npos);
    return access.error().message;
  };
  ConnectionOptions options = through_headlamp();
  options.headlamp_cluster = "";
  CHECK(message(options).find("headlamp_cluster: ") == 0);
  options = through_headlamp();
  options.headlamp_cluster = "..";
  CHECK(message(options).find("headlamp_cluster: ") == 0);
  options = through_headlamp();
  options.headlamp_url = "";
  CHECK(message(options).find("headlamp_url: ") == 0);
  options.headlamp_url = "ftp://hunter2";
  CHECK(message(options).find("headlamp_url: ") == 0);
  options = through_headlamp();
  options.server = "https://h";
  CHECK(message(options).find("headlamp_url: contradicts") == 0);
  options = through_headlamp();
  options.headlamp_user_id = "hunter2, x";
  CHECK(message(options).find("headlamp_user_id: ") == 0);
  options = through_headlamp();
  options.headlamp_kubeconfig = "hunter2!";
  options.headlamp_user_id = "u";
  CHECK(message(options).find("headlamp_kubeconfig: ") == 0);
  options.headlamp_kubeconfig = base64_encode("hunter2");
  options.headlamp_user_id = "";
  CHECK(message(options).find("headlamp_user_id: is not set") == 0);
  options = through_headlamp();
  options.headlamp_token = "hunter2\n";
  CHECK(message(options).find("headlamp_token: ") == 0);
}
