// How names are looked up, and how discovery documents are read.
#include "cluster/rest_mapper.hpp"

#include <doctest/doctest.h>

#include "cluster/discovery_documents.hpp"
#include "unit/cluster/discovery_samples.hpp"

using namespace ksr;
using namespace ksr::cluster;
using namespace ksr::cluster::testing;

namespace {

RestMapper sample() {
  RestMapper mapper;
  for (const std::string& body : {aggregated_core, aggregated_groups}) {
    auto root = parse_discovery_root(body);
    REQUIRE(root.has_value());
    for (DiscoveredVersion& version : root->versions) {
      REQUIRE(version.resources);
      for (ApiResource& resource : *version.resources) mapper.add(std::move(resource));
    }
  }
  return mapper;
}

}  // namespace

TEST_CASE("names are found as kubectl finds them") {
  const RestMapper mapper = sample();
  const std::pair<const char*, const char*> cases[] = {
      {"pods", "v1/pods"},
      {"pod", "v1/pods"},
      {"Pod", "v1/pods"},
      {"PODS", "v1/pods"},
      {"no", "v1/nodes"},
      {"deploy", "apps/v1/deployments"},
      {"deployments.apps", "apps/v1/deployments"},
      {"deployment.apps", "apps/v1/deployments"},
      {"deploy.apps", "apps/v1/deployments"},
      {"deployments.v1beta1.apps", "apps/v1beta1/deployments"},
      {"pods.v1", "v1/pods"},
      {"ing", "networking.k8s.io/v1/ingresses"},
      {"ingresses.networking.k8s.io", "networking.k8s.io/v1/ingresses"},
      {"ingresses.networking", "networking.k8s.io/v1/ingresses"},
      {"ingress.v1.networking.k8s.io", "networking.k8s.io/v1/ingresses"},
      // The core group stands first; a group named tells them apart.
      {"events", "v1/events"},
      {"ev.events.k8s.io", "events.k8s.io/v1/events"},
      // A full name stands above a short one, whatever its group.
      {"po", "example.com/v1/po"},
  };
  for (const auto& [name, display] : cases) {
    CAPTURE(name);
    const auto found = mapper.find(name);
    REQUIRE(found.has_value());
    CHECK(found->display == display);
  }
  CHECK(mapper.find("nodes")->namespaced == false);
  CHECK(mapper.find("pods")->namespaced == true);
  CHECK(mapper.find("deploy")->root == "/apis/apps/v1");
}

TEST_CASE("what a short name stands for besides") {
  const auto others = [](const char* name) { return sample().others_of_short_name(name); };
  CHECK(others("EV") == std::vector<std::string>{"events.events.k8s.io"});
  // In two versions.
  CHECK(others("deploy").empty());
  CHECK(others("po").empty());
  CHECK(others("events").empty());
  CHECK(others("ev.events.k8s.io").empty());
}

TEST_CASE("a category has its resources once, in the preferred version") {
  const std::vector<Resource> all = sample().in_category("all");
  REQUIRE(all.size() == 2);
  CHECK(all[0].display == "v1/pods");
  CHECK(all[1].display == "apps/v1/deployments");
  CHECK(sample().in_category("none").empty());
}

TEST_CASE("what is not there is not found, and what cannot be listed is invalid") {
  const RestMapper mapper = sample();
  for (const char* name :
       {"widgets", "pods.apps", "deployments.v2.apps", "deployments.v1", "events.nothing", "evil", "all"}) {
    CAPTURE(name);
    const auto found = mapper.find(name);
    REQUIRE(!found.has_value());
    CHECK(found.error().status == Status::not_found);
    CHECK(found.error().http_status == 404);
    CHECK(found.error().message.find(name) != std::string::npos);
  }
  const auto bindings = mapper.find("bindings");
  REQUIRE(!bindings.has_value());
  CHECK(bindings.error().status == Status::invalid);
}

TEST_CASE("a document that could not be read is the error where it may have the name with more preference") {
  const Error failure{Status::server, "GET /api/v1: the server answered 503", "ServiceUnavailable", 503};
  const auto resource = [](const char* group, const char* version, const char* plural) {
    ApiResource made;
    made.group = group;
    made.version = version;
    made.plural = plural;
    made.namespaced = made.listable = true;
    return made;
  };
  RestMapper mapper;
  mapper.add(resource("early.example.com", "v1", "widgets"));
  mapper.add_unread({"", "v1", failure});
  mapper.add(resource("metrics.k8s.io", "v1beta1", "pods"));
  for (const char* name : {"pods", "pod.v1", "nodes", "Nodes", "pods.v1"}) {
    CAPTURE(name);
    const auto found = mapper.find(name);
    REQUIRE(!found.has_value());
    CHECK(found.error().status == Status::server);
    CHECK(found.error().http_status == 503);
  }
  // It cannot have these, or not with more preference.
  CHECK(mapper.find("widgets")->display == "early.example.com/v1/widgets");
  CHECK(mapper.find("pods.metrics.k8s.io")->display == "metrics.k8s.io/v1beta1/pods");
  CHECK(mapper.find("pods.metrics")->display == "metrics.k8s.io/v1beta1/pods");
  CHECK(mapper.find("pods.v1beta1.metrics.k8s.io")->display == "metrics.k8s.io/v1beta1/pods");
  CHECK(mapper.find("widgets.v2.early.example.com").error().status == Status::not_found);
  REQUIRE(mapper.unread().size() == 1);
  CHECK(mapper.unread()[0].message == failure.message);
}

TEST_CASE("a group is not taken for a version of the core group that could not be read") {
  RestMapper mapper;
  mapper.add_unread({"", "", {Status::forbidden, "GET /api: the server answered 403", "Forbidden", 403}});
  ApiResource deployments;
  deployments.group = "apps";
  deployments.version = "v1";
  deployments.plural = "deployments";
  deployments.listable = true;
  mapper.add(deployments);
  CHECK(mapper.find("deployments.apps")->display == "apps/v1/deployments");
  CHECK(mapper.find("deployments.v1.apps")->display == "apps/v1/deployments");
  CHECK(mapper.find("pods.v1").error().status == Status::forbidden);
  CHECK(mapper.find("deployments").error().status == Status::forbidden);
}

TEST_CASE("all groups but the core group may be what could not be read") {
  const Error failure{Status::forbidden, "GET /apis: the server answered 403", "Forbidden", 403};
  RestMapper mapper;
  ApiResource pods;
  pods.version = "v1";
  pods.plural = "pods";
  pods.listable = true;
  mapper.add(pods);
  mapper.add_unread({std::nullopt, "", failure});
  CHECK(mapper.find("pods")->display == "v1/pods");
  CHECK(mapper.find("nodes.v1").error().status == Status::not_found);
  for (const char* name : {"deploy", "deployments.apps", "deployments.v1.apps"}) {
    CAPTURE(name);
    CHECK(mapper.find(name).error().status == Status::forbidden);
  }
}

TEST_CASE("what can be listed and not watched is found by name, as by path: it is listed again and again") {
  const auto found = sample().find("cs");
  REQUIRE(found.has_value());
  CHECK(found->display == "v1/componentstatuses");
}

TEST_CASE("the older documents put the preferred version first") {
  const auto root = parse_discovery_root(old_groups);
  REQUIRE(root.has_value());
  REQUIRE(root->versions.size() == 3);
  CHECK(!root->versions[0].resources);
  CHECK(root->versions[0].of.path() == "/apis/apps/v1");
  CHECK(root->versions[1].of.path() == "/apis/apps/v1beta1");
  const auto core = parse_discovery_root(old_core);
  REQUIRE(core.has_value());
  REQUIRE(core->versions.size() == 1);
  CHECK(!core->versions[0].resources);
  CHECK(core->versions[0].of.path() == "/api/v1");
}

TEST_CASE("a stale group version has the resources that it has; without any its own document is to be read") {
  const auto root = parse_discovery_root(R"({"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"g.test"},
"versions":[{"version":"v3","freshness":"Stale"},
{"version":"v2","freshness":"Stale","resources":[{"resource":"pods","responseKind":{"kind":"Pod"},"verbs":["list"]}]},
{"version":"v1","freshness":"Current"},{"version":"..","freshness":"Stale"}]},
{"metadata":{"name":"/"},"versions":[{"version":"v1","freshness":"Stale","resources":[]}]}]})");
  REQUIRE(root.has_value());
  REQUIRE(root->versions.size() == 2);
  CHECK(!root->versions[0].resources);
  CHECK(root->versions[0].of.path() == "/apis/g.test/v3");
  REQUIRE((root->versions[1].resources && root->versions[1].resources->size() == 1));
  CHECK(root->versions[1].resources->front().as_resource().display == "g.test/v2/pods");
}

TEST_CASE("subresources and names that cannot be in a path are skipped") {
  const auto resources = parse_resource_list(old_core_v1, {"", "v1"});
  REQUIRE(resources.has_value());
  REQUIRE(resources->size() == 2);
  CHECK((*resources)[1].plural == "pods");
  CHECK((*resources)[1].singular == "pod");
}

TEST_CASE("text that is no Unicode costs only the entry that has it in a name") {
  const auto root = parse_discovery_root(
      "{\"kind\":\"APIGroupDiscoveryList\",\"note\":\"\\ud800\xff\",\"items\":[{\"metadata\":{\"name\":\"g.test\"},"
      "\"versions\":[{"
      "\"version\":\"v1\",\"resources\":[{\"resource\":\"a\xff\",\"responseKind\":{\"kind\":\"A\"},\"verbs\":[\"list\"]"
      "},"
      "{\"resource\":\"bs\",\"responseKind\":{\"kind\":\"B\"},\"verbs\":[\"list\"]}]}]}]}");
  REQUIRE(root.has_value());
  REQUIRE(root->versions.size() == 1);
  REQUIRE((root->versions[0].resources && root->versions[0].resources->size() == 1));
  CHECK(root->versions[0].resources->front().plural == "bs");
}

TEST_CASE("invalid documents are errors, odd ones are read as far as possible") {
  for (const char* body : {"", "[]", "null", "{", "{}", R"({"kind":"Status"})", R"({"kind":7})", "<html>"}) {
    CAPTURE(body);
    CHECK(!parse_discovery_root(body).has_value());
    CHECK(!parse_resource_list(body, {"", "v1"}).has_value());
  }
  for (const char* body :
       {R"({"kind":"APIGroupDiscoveryList"})", R"({"kind":"APIGroupDiscoveryList","items":7})",
        R"({"kind":"APIGroupDiscoveryList","items":[7,{"versions":[null,{"resources":[{},{"resource":7}]}]}]})",
        R"({"kind":"APIVersions","versions":[7,"..","v1/../x"]})",
        R"({"kind":"APIGroupList","groups":[{"name":"/"}]})"}) {
    CAPTURE(body);
    const auto root = parse_discovery_root(body);
    REQUIRE(root.has_value());
    CHECK(root->versions.empty());
  }
}
