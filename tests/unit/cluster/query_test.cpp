#include "cluster/query.hpp"

#include <doctest/doctest.h>

using namespace ksr::cluster;

namespace {

const Resource pods{"/api/v1", "pods", std::nullopt, "v1/pods"};
const Resource deployments{"/apis/apps/v1", "deployments", true, "apps/v1/deployments"};

bool valid(const QueryOptions& query) {
  return validate_query(query).has_value();
}

}  // namespace

TEST_CASE("a list without anything is the bare collection") {
  CHECK(list_target(pods, {}, "", {}) == "/api/v1/pods");
  CHECK(list_target(deployments, {}, "shop", {}) == "/apis/apps/v1/namespaces/shop/deployments");
}

TEST_CASE("a list carries all its parameters, encoded, always in the same order") {
  QueryOptions query;
  query.label_selector = "app in (a, b),!x&y=z";
  query.field_selector = "metadata.name=pöd";
  CHECK(list_target(pods, query, "ns", {500, "12", "NotOlderThan", "a+b/c=="}) ==
        "/api/v1/namespaces/ns/pods?labelSelector=app%20in%20%28a%2C%20b%29%2C%21x%26y%3Dz"
        "&fieldSelector=metadata.name%3Dp%C3%B6d&limit=500&resourceVersion=12&resourceVersionMatch=NotOlderThan"
        "&continue=a%2Bb%2Fc%3D%3D");
}

TEST_CASE("a watch always asks for bookmarks") {
  CHECK(watch_target(pods, {}, "", {}) == "/api/v1/pods?watch=true&allowWatchBookmarks=true");
  ksr::WatchOptions options;
  options.resource_version = "7";
  options.resource_version_match = "NotOlderThan";
  options.send_initial_events = true;
  options.timeout = std::chrono::seconds(301);
  CHECK(watch_target(pods, {}, "a", options) ==
        "/api/v1/namespaces/a/pods?watch=true&allowWatchBookmarks=true&resourceVersion=7"
        "&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeoutSeconds=301");
}

TEST_CASE(
    "a watch of one object: beside the field selector that there is, with what is special in a selector escaped") {
  ksr::WatchOptions options;
  options.name = "cn=a,b\\c";
  CHECK(watch_target(pods, {}, "", options) ==
        "/api/v1/pods?watch=true&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dcn%5C%3Da%5C%2Cb%5C%5Cc");
  QueryOptions query;
  query.field_selector = "spec.nodeName=n";
  options.name = "web";
  CHECK(watch_target(pods, query, "", options) ==
        "/api/v1/pods?watch=true&allowWatchBookmarks=true&fieldSelector=spec.nodeName%3Dn%2Cmetadata.name%3Dweb");
}

TEST_CASE("a selector cannot add parameters or leave the query") {
  QueryOptions query;
  query.label_selector = "a=b&watch=false#x?y";
  const std::string target = watch_target(pods, query, "", {});
  CHECK(target.find("watch=false") == std::string::npos);
  CHECK(target.find('#') == std::string::npos);
  CHECK(target.find('?') == target.rfind('?'));
}

TEST_CASE("what is accepted: protobuf before JSON, and partial objects with metadata_only, of the list in a list") {
  QueryOptions query;
  CHECK(list_accept(query, Accepted::json) == "application/json");
  CHECK(watch_accept(query, Accepted::json) == "application/json");
  CHECK(list_accept(query, Accepted::both) == "application/vnd.kubernetes.protobuf,application/json");
  CHECK(watch_accept(query, Accepted::both) ==
        "application/vnd.kubernetes.protobuf;stream=watch,application/json;stream=watch");
  CHECK(list_accept(query, Accepted::protobuf) == "application/vnd.kubernetes.protobuf");
  query.metadata_only = true;
  CHECK(list_accept(query, Accepted::json) ==
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json");
  CHECK(watch_accept(query, Accepted::both) ==
        "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,"
        "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");
}

TEST_CASE("whether a response is protobuf is told by its Content-Type") {
  CHECK(is_protobuf("application/vnd.kubernetes.protobuf"));
  CHECK(is_protobuf("application/vnd.kubernetes.protobuf;stream=watch"));
  CHECK(is_protobuf(" Application/VND.kubernetes.protobuf ; stream=watch"));
  CHECK_FALSE(is_protobuf("application/json"));
  CHECK_FALSE(is_protobuf("application/vnd.kubernetes.protobuf2"));
  CHECK_FALSE(is_protobuf(""));
}

TEST_CASE("the version that the objects of a resource have") {
  CHECK(api_version_of({"/api/v1", "pods", true, "v1/pods"}) == "v1");
  CHECK(api_version_of({"/apis/apps/v1", "deployments", true, "apps/v1/deployments"}) == "apps/v1");
  CHECK(api_version_of({"", "x", true, "x"}).empty());
}

TEST_CASE("a query is refused for what can never be right in it") {
  QueryOptions good;
  good.resources = {"v1/pods", "deploy"};
  good.namespaces = {"default", "kube-system", "1a"};
  good.label_selector = "app=web";
  CHECK(valid(good));

  QueryOptions none = good;
  none.resources.clear();
  CHECK(!valid(none));

  QueryOptions bad_resource = good;
  bad_resource.resources.push_back("/api/v1/../secrets");
  CHECK(!valid(bad_resource));

  const std::vector<std::string> no_namespaces = {
      "", "a/b", "..", "A", "a_b", "-a", "a-", "a b", "a%2fb", "a.b", "a\n", std::string(64, 'a'), "\u00fc"};
  for (const std::string& bad : no_namespaces) {
    CAPTURE(bad);
    QueryOptions query = good;
    query.namespaces = {"default", bad};
    CHECK(!valid(query));
  }

  QueryOptions twice = good;
  twice.namespaces = {"a", "b", "a"};
  CHECK(!valid(twice));
  QueryOptions bad_label = good;
  bad_label.label_selector = "a\r\nb";
  CHECK(!valid(bad_label));
  QueryOptions bad_field = good;
  bad_field.field_selector = std::string("a\0b", 3);
  CHECK(!valid(bad_field));
}
