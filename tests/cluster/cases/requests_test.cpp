// Requests on a real kube-apiserver: every verb on config maps, subresources, and how it refuses.
#include <boost/json.hpp>
#include <thread>

#include "cluster/cases/stream_on_cluster.hpp"
#include "support/requester.hpp"
#include "support/text.hpp"

using namespace ksr::clustertest;
using ksr::testing::Answer;
using ksr::testing::Params;
using ksr::testing::Requester;
using ksr::testing::Settings;

namespace {

Settings client_on_cluster(const User& user = admin_user()) {
  Cluster& cluster = Cluster::shared();
  return {{"server", cluster.url()}, {"ca_file", cluster.ca_file()}, {"token", user.token}};
}

Settings on_maps(const std::string& verb, const std::string& ns, const std::string& name = "", Settings more = {}) {
  Settings settings{{"verb", verb}, {"resource", "v1/configmaps"}, {"namespace", ns}};
  if (!name.empty()) settings.emplace_back("name", name);
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

using ksr::testing::has;

std::string map_json(const std::string& name, const std::string& data) {
  return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name + R"("},"data":)" + data + "}";
}

}  // namespace

TEST_CASE("every verb on config maps") {
  const std::string ns = Cluster::shared().fresh_namespace("verbs");
  const Requester requester(client_on_cluster());
  CHECK(requester.call(on_maps("create", ns), map_json("a", R"({"k":"1"})")).http_status == 201);
  CHECK(has(requester.call(on_maps("get", ns, "a")).body, R"("k":"1")"));
  CHECK(has(requester.call(on_maps("list", ns)).body, R"("kind":"ConfigMapList")"));
  CHECK(has(requester.call(on_maps("update", ns, "a"), map_json("a", R"({"k":"2"})")).body, R"("k":"2")"));
  CHECK(has(requester.call(on_maps("patch", ns, "a"), R"({"data":{"m":"1"}})").body, R"("m":"1")"));
  CHECK(has(requester
                .call(on_maps("patch", ns, "a", {{"patch_type", "json"}}),
                      R"([{"op":"replace","path":"/data/m","value":"2"}])")
                .body,
            R"("m":"2")"));
  CHECK(has(requester.call(on_maps("patch", ns, "a", {{"patch_type", "strategic"}}), R"({"data":{"m":"3"}})").body,
            R"("m":"3")"));
  CHECK(requester.call(on_maps("delete", ns, "a", {{"propagation", "background"}, {"grace_period", "0"}})).status ==
        KSR_OK);
  const Answer gone = requester.call(on_maps("get", ns, "a"));
  CHECK(gone.status == KSR_E_NOT_FOUND);
  CHECK(gone.reason == "NotFound");
  CHECK(has(gone.details, R"("name":"a")"));
  for (const char* name : {"x", "y"}) {
    CHECK(requester.call(on_maps("create", ns), map_json(name, "{}")).status == KSR_OK);
  }
  CHECK(requester.call(on_maps("deletecollection", ns, "", {{"field_selector", "metadata.name=x"}})).status == KSR_OK);
  CHECK(requester.call(on_maps("get", ns, "x")).status == KSR_E_NOT_FOUND);
  CHECK(requester.call(on_maps("get", ns, "y")).status == KSR_OK);
}

TEST_CASE("server-side apply creates, changes, and names the fields in conflict") {
  const std::string ns = Cluster::shared().fresh_namespace("apply");
  const Requester requester(client_on_cluster());
  CHECK(requester.call(on_maps("apply", ns, "a", {{"field_manager", "one"}}), map_json("a", R"({"k":"1"})"))
            .http_status == 201);
  CHECK(requester.call(on_maps("apply", ns, "a", {{"field_manager", "one"}}), map_json("a", R"({"k":"2"})"))
            .http_status == 200);
  const Answer conflict =
      requester.call(on_maps("apply", ns, "a", {{"field_manager", "two"}}), map_json("a", R"({"k":"3"})"));
  CHECK(conflict.status == KSR_E_CONFLICT);
  CHECK(conflict.maybe_done == 0);
  CHECK(has(conflict.details, "FieldManagerConflict"));
  CHECK(has(conflict.details, ".data.k"));
  CHECK(
      requester
          .call(on_maps("apply", ns, "a", {{"field_manager", "two"}, {"force", "true"}}), map_json("a", R"({"k":"3"})"))
          .status == KSR_OK);
}

TEST_CASE("what the server refuses, and what it does not store") {
  const std::string ns = Cluster::shared().fresh_namespace("refuse");
  const Requester requester(client_on_cluster());
  const std::string body = map_json("a", R"({"k":"1"})");
  CHECK(requester.call(on_maps("create", ns, "", {{"dry_run", "true"}}), body).http_status == 201);
  CHECK(requester.call(on_maps("get", ns, "a")).status == KSR_E_NOT_FOUND);
  CHECK(requester.call(on_maps("create", ns), body).status == KSR_OK);
  const Answer again = requester.call(on_maps("create", ns), body);
  CHECK(again.status == KSR_E_CONFLICT);
  CHECK(again.reason == "AlreadyExists");
  CHECK(requester.call(on_maps("delete", ns, "a", {{"precondition_uid", "other"}})).status == KSR_E_CONFLICT);
  CHECK(requester.call(on_maps("delete", ns, "a", {{"dry_run", "true"}})).status == KSR_OK);
  CHECK(requester.call(on_maps("get", ns, "a")).status == KSR_OK);
  const std::string stale = R"({"metadata":{"name":"a","resourceVersion":"1"},"data":{"k":"9"}})";
  const Answer conflict = requester.call(on_maps("update", ns, "a"), stale);
  CHECK(conflict.status == KSR_E_CONFLICT);
  CHECK(conflict.reason == "Conflict");
  const std::string unknown = R"({"metadata":{"name":"b"},"nonsense":1})";
  CHECK(requester.call(on_maps("create", ns, "", {{"field_validation", "strict"}}), unknown).status == KSR_E_REJECTED);
  const Answer warned = requester.call(on_maps("create", ns), unknown);
  CHECK(warned.status == KSR_OK);
  REQUIRE(warned.warnings.size() == 1);
  CHECK(has(warned.warnings[0], "nonsense"));
  CHECK(requester.call(on_maps("patch", ns, "a"), R"({"data":7})").status == KSR_E_REJECTED);
  const std::string large = map_json("c", R"({"k":")" + std::string(3'200'000, 'x') + R"("})");
  const Answer too_large = requester.call(on_maps("create", ns), large);
  CHECK(too_large.status == KSR_E_REJECTED);
  CHECK(too_large.http_status == 413);
}

TEST_CASE("forms of answers: tables, metadata, YAML, protobuf") {
  const std::string ns = Cluster::shared().fresh_namespace("forms");
  const Requester requester(client_on_cluster());
  REQUIRE(requester.call(on_maps("create", ns), map_json("a", R"({"k":"1"})")).status == KSR_OK);
  CHECK(has(requester.call(on_maps("list", ns, "", {{"accept", "table"}})).body, R"("kind":"Table")"));
  const Answer metadata = requester.call(on_maps("get", ns, "a", {{"accept", "metadata"}}));
  CHECK(has(metadata.body, "PartialObjectMetadata"));
  CHECK_FALSE(has(metadata.body, R"("k":"1")"));
  CHECK(has(requester.call(on_maps("get", ns, "a", {{"accept", "yaml"}})).body, "k: \"1\""));
  CHECK(requester.call(on_maps("get", ns, "a", {{"accept", "protobuf"}})).body.rfind(std::string("k8s\0", 4), 0) == 0);
  CHECK(requester.call(on_maps("get", ns, "a", {{"accept", "image/png"}})).http_status == 406);
}

TEST_CASE("a refusal says the same in every form that was asked for") {
  const std::string ns = Cluster::shared().fresh_namespace("refusals");
  const Requester requester(client_on_cluster());
  const Answer json = requester.call(on_maps("get", ns, "none"));
  CHECK(json.status == KSR_E_NOT_FOUND);
  for (const char* accept : {"protobuf", "yaml", "table", "metadata"}) {
    CAPTURE(accept);
    const Answer other = requester.call(on_maps("get", ns, "none", {{"accept", accept}}));
    CHECK(other.status == json.status);
    CHECK(other.reason == json.reason);
    CHECK(other.message == json.message);
    CHECK(other.maybe_done == 0);
    const auto parsed = boost::json::parse(other.details);
    CHECK(parsed == boost::json::parse(json.details));
  }
}

TEST_CASE("subresources, reviews and raw paths") {
  Cluster& cluster = Cluster::shared();
  cluster.install_widget_crd();
  const std::string ns = cluster.fresh_namespace("subs");
  const Requester requester(client_on_cluster());
  const Answer review =
      requester.call({{"verb", "create"}, {"resource", "selfsubjectaccessreviews"}},
                     R"({"spec":{"resourceAttributes":{"verb":"get","resource":"pods","namespace":"default"}}})");
  CHECK(review.http_status == 201);
  CHECK(has(review.body, R"("allowed":true)"));
  const Answer token = requester.call({{"verb", "create"},
                                       {"resource", "v1/serviceaccounts"},
                                       {"namespace", ns},
                                       {"name", "none"},
                                       {"subresource", "token"}},
                                      R"({"spec":{}})");
  CHECK(token.status == KSR_E_NOT_FOUND);
  CHECK(requester
            .call({{"verb", "create"}, {"resource", "v1/serviceaccounts"}, {"namespace", ns}},
                  R"({"metadata":{"name":"robot"}})")
            .status == KSR_OK);
  const Answer issued = requester.call(
      {{"verb", "create"}, {"resource", "sa"}, {"namespace", ns}, {"name", "robot"}, {"subresource", "token"}},
      R"({"spec":{"expirationSeconds":600}})");
  CHECK(issued.http_status == 201);
  CHECK(has(issued.body, R"("token":"ey)"));
  cluster.admin().create(pods_path(ns), make_pod(ns, "unbound"));
  const Answer bound = requester.call(
      {{"verb", "create"}, {"resource", "v1/pods"}, {"namespace", ns}, {"name", "unbound"}, {"subresource", "binding"}},
      R"({"metadata":{"name":"unbound"},"target":{"kind":"Node","name":"a-node"}})");
  CHECK(bound.http_status == 201);
  CHECK(has(requester.call({{"resource", "v1/pods"}, {"namespace", ns}, {"name", "unbound"}}).body,
            R"("nodeName":"a-node")"));
  CHECK(requester.call({{"path", "/healthz"}}).body == "ok");
  CHECK(has(requester.call({{"path", "/version"}}).body, "gitVersion"));
  const Answer missing = requester.call({{"resource", "none.io/v1/things"}, {"name", "x"}});
  CHECK(missing.status == KSR_E_NOT_FOUND);
  CHECK(missing.details == "");
  CHECK(requester.call({{"resource", "none.io/v1/things,v1/namespaces"}, {"name", ns}}).status == KSR_OK);
  CHECK(requester.call({{"resource", "ns"}, {"name", ns}}).status == KSR_OK);
}

TEST_CASE("who may not") {
  const std::string ns = Cluster::shared().fresh_namespace("whomaynot");
  const Requester requester(client_on_cluster(unprivileged_user()));
  const Answer refused = requester.call(on_maps("create", ns), map_json("a", "{}"));
  CHECK(refused.status == KSR_E_FORBIDDEN);
  CHECK(refused.reason == "Forbidden");
  CHECK(refused.maybe_done == 0);
  Settings wrong = client_on_cluster();
  wrong[2].second = "no-such-token";
  CHECK(Requester(wrong).call(on_maps("get", ns, "a")).status == KSR_E_AUTH);
}

TEST_CASE("200 requests at once over one client") {
  const std::string ns = Cluster::shared().fresh_namespace("parallel");
  const Requester requester(client_on_cluster());
  std::vector<ksr_request*> requests;
  for (int i = 0; i < 200; ++i) {
    const Params params(on_maps("create", ns), map_json("m-" + std::to_string(i), "{}"));
    ksr_request* request = nullptr;
    REQUIRE(ksr_request_open(requester.client(), params.get(), nullptr, nullptr, &request, nullptr) == KSR_OK);
    requests.push_back(request);
  }
  for (ksr_request* request : requests) {
    ksr_error* error = nullptr;
    const ksr_status status = ksr_request_wait(request, 60'000, nullptr, &error);
    CHECK_MESSAGE(status == KSR_OK, ksr_error_message(error, nullptr));
    ksr_error_free(error);
    CHECK(ksr_request_close(request) == KSR_OK);
  }
  CHECK(listed(configmaps_path(ns)).size() >= 200);
}
