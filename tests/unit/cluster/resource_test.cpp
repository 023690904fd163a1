#include "cluster/resource.hpp"

#include <doctest/doctest.h>

using ksr::Status;
using ksr::cluster::parse_resource;

TEST_CASE("a resource in full needs no discovery") {
  struct Case {
    const char *text, *root, *plural, *display;
  };
  const Case cases[] = {
      {"v1/pods", "/api/v1", "pods", "v1/pods"},
      {"apps/v1/deployments", "/apis/apps/v1", "deployments", "apps/v1/deployments"},
      {"/api/v1/pods", "/api/v1", "pods", "v1/pods"},
      {"/apis/networking.k8s.io/v1/ingresses", "/apis/networking.k8s.io/v1", "ingresses",
       "networking.k8s.io/v1/ingresses"},
      {"example.com/v1beta1/widgets", "/apis/example.com/v1beta1", "widgets", "example.com/v1beta1/widgets"},
      {"v2alpha3/things", "/api/v2alpha3", "things", "v2alpha3/things"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const auto parsed = parse_resource(c.text);
    REQUIRE(parsed.has_value());
    REQUIRE(parsed->has_value());
    CHECK((*parsed)->root == c.root);
    CHECK((*parsed)->plural == c.plural);
    CHECK((*parsed)->display == c.display);
    CHECK(!(*parsed)->namespaced.has_value());
  }
}

TEST_CASE("a name is left to discovery") {
  for (const char* text : {"pods", "deploy", "Pod", "ingresses.networking.k8s.io", "deployments.v1.apps"}) {
    CAPTURE(text);
    const auto parsed = parse_resource(text);
    REQUIRE(parsed.has_value());
    CHECK(!parsed->has_value());
  }
}

TEST_CASE("an invalid resource is refused, and the error says what is expected") {
  for (const char* text : {"",
                           "/",
                           "//",
                           "/pods",
                           "/api/v1",
                           "/api/v1/",
                           "/api/v1/pods/",
                           "/api//pods",
                           "/api/v1/../pods",
                           "/api/v1/pods?x=1",
                           "/api/v1/pods#x",
                           "/api/v1/po ds",
                           "/api/v1/po\nds",
                           "/api/v1/pods/p1",
                           "/apis/apps/v1/",
                           "/apis/../v1/pods",
                           "apps/deployments",
                           "v1/",
                           "/v1/pods",
                           "a/b/c/d",
                           "apps/v1/Deployments",
                           "v1/%2e%2e",
                           "po ds",
                           "pods\x01",
                           "pöds",
                           "https://host/api/v1/pods",
                           "..",
                           ".",
                           "pods/status"}) {
    CAPTURE(text);
    const auto parsed = parse_resource(text);
    REQUIRE(!parsed.has_value());
    CHECK(parsed.error().status == Status::invalid);
    CHECK(parsed.error().message.find("resource") == 0);
    CHECK(parsed.error().message.find('\n') == std::string::npos);
    CHECK(parsed.error().message.find("expected") != std::string::npos);
  }
}

TEST_CASE("a path into a namespace names the key that takes namespaces") {
  const auto parsed = parse_resource("/api/v1/namespaces/default/pods");
  REQUIRE(!parsed.has_value());
  CHECK(parsed.error().message.find("key namespace") != std::string::npos);
}
