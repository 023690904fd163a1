#include <doctest/doctest.h>

#include "server/self/client.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;
using ksr::testserver::ServerOptions;

TEST_CASE("tokens: without a valid one 401 for every request; scripts add and revoke them") {
  ServerOptions options;
  options.tokens = {{"good", "admin"}};
  ApiServer server(options);
  const Fields good{{"Authorization", "Bearer good"}};
  CHECK(ask(server, "/api/v1/pods", good).status == 200);
  for (const char* target : {"/api/v1/pods", "/version", "/no/such/path"}) {
    const Answer refused = ask(server, target, {{"Authorization", "Bearer bad"}});
    CHECK(refused.status == 401);
    CHECK(refused.body ==
          "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
          "\"message\":\"Unauthorized\",\"reason\":\"Unauthorized\",\"code\":401}\n");
  }
  server.script("revoke good\ntoken better jane");
  CHECK(ask(server, "/api/v1/pods", good).status == 401);
  CHECK(ask(server, "/api/v1/pods", {{"Authorization", "Bearer better"}}).status == 200);
}

TEST_CASE("denials: 403 with kube-apiserver's message") {
  ServerOptions options;
  options.tokens = {{"t", "jane"}};
  ApiServer server(options);
  const Fields jane{{"Authorization", "Bearer t"}};
  server.script("deny jane list po default\ndeny jane list deployments");
  CHECK(ask(server, "/api/v1/namespaces/default/pods", jane).message() ==
        R"(pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default")");
  const Answer cluster = ask(server, "/apis/apps/v1/deployments", jane);
  CHECK(cluster.status == 403);
  CHECK(cluster.message() ==
        R"(deployments.apps is forbidden: User "jane" cannot list resource "deployments" in API group "apps" at the )"
        "cluster scope");
  CHECK(ask(server, "/api/v1/namespaces/other/pods", jane).status == 200);
  server.script("allow");
  CHECK(ask(server, "/apis/apps/v1/deployments", jane).status == 200);
}

TEST_CASE("unknown paths: 404 in plain text") {
  ApiServer server;
  for (const char* target : {"/api/v1/nothing", "/apis/no.such.group/v1/pods", "/else", "/"}) {
    const Answer unknown = ask(server, target);
    CHECK(unknown.status == 404);
    CHECK(unknown.header("Content-Type").find("text/plain") == 0);
    CHECK(unknown.body == "404 page not found\n");
  }
}

TEST_CASE("TLS: a certificate of its own CA; client certificates where they are required") {
  ServerOptions options;
  options.tls = true;
  options.require_client_certificate = true;
  ApiServer server(options);
  server.script("deny jane list pods");
  Wire jane(server, server.client_certificate("jane"));
  CHECK(ask(jane, "/api/v1/pods").message().find("User \"jane\"") != std::string::npos);
  Wire joe(server, server.client_certificate("joe"));
  CHECK(ask(joe, "/api/v1/pods").status == 200);
  CHECK_THROWS([&] {
    Wire anonymous(server);
    ask(anonymous, "/api/v1/pods");
  }());
  ApiServer other(options);
  CHECK_THROWS([&] {
    Wire stranger(server, other.client_certificate("jane"));
    ask(stranger, "/api/v1/pods");
  }());
}

TEST_CASE("a path prefix is part of every path") {
  ServerOptions options;
  options.path_prefix = "/k8s/clusters/c1";
  ApiServer server(options);
  CHECK(server.url().find("/k8s/clusters/c1") != std::string::npos);
  CHECK(ask(server, "/k8s/clusters/c1/api/v1/pods").status == 200);
  CHECK(ask(server, "/api/v1/pods").status == 404);
}
