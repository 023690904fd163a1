// Requests through a Headlamp server: what clusterRequest and the API factories of its frontend do.
#include "base/base64.hpp"
#include "server/cases/on_server.hpp"
#include "support/requester.hpp"
#include "support/text.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;
using ksr::testserver::RecordedRequest;
using ksr::testserver::ServerOptions;

namespace {

constexpr const char* kBackendToken = "backend-token-of-the-desktop";

ServerOptions behind_headlamp() {
  ServerOptions options = with_token();
  options.headlamp.emplace();
  options.headlamp->backend_token = kBackendToken;
  options.headlamp->clusters = {"prod"};
  return options;
}

Settings known(const ApiServer& server) {
  return {{"headlamp_url", server.url()},
          {"headlamp_cluster", "prod"},
          {"headlamp_token", kBackendToken},
          {"token", kTestToken}};
}

// A cluster that the server knows from the requests alone, with the user in the kubeconfig.
Settings stateless(const ApiServer& server) {
  const std::string kubeconfig = std::string("apiVersion: v1\nusers: [{user: {token: ") + kTestToken + "}}]\n";
  return {{"headlamp_url", server.url()},
          {"headlamp_cluster", "mine"},
          {"headlamp_token", kBackendToken},
          {"headlamp_kubeconfig", ksr::base64_encode(kubeconfig)},
          {"headlamp_user_id", "user_1-a"}};
}

Settings raw(const std::string& method, const std::string& path) {
  return {{"method", method}, {"path", path}};
}

using ksr::testing::has;

constexpr const char* kMaps = "/api/v1/namespaces/default/configmaps";

}  // namespace

TEST_CASE("clusterRequest: methods, bodies and headers below the cluster, and what comes back as it is") {
  ApiServer server(behind_headlamp());
  const Requester requester(known(server));
  const Answer created = requester.call(raw("POST", kMaps), R"({"metadata":{"name":"a"},"data":{"k":"1"}})");
  CHECK(created.http_status == 201);
  const std::string object = std::string(kMaps) + "/a";
  CHECK(has(requester.call(raw("GET", object)).body, R"("k":"1")"));
  CHECK(has(requester.call(raw("PUT", object), R"({"metadata":{"name":"a"},"data":{"k":"2"}})").body, R"("k":"2")"));
  Settings patch = raw("PATCH", object);
  patch.emplace_back("header.Content-Type", "application/merge-patch+json");
  patch.emplace_back("header.X-Mine", "yes");
  CHECK(has(requester.call(patch, R"({"data":{"j":"3"}})").body, R"("j":"3")"));
  CHECK(requester.call(raw("DELETE", object)).status == KSR_OK);
  // isJSON=false: bytes.
  CHECK(requester.call(raw("GET", "/healthz")).body == "ok");
  const std::vector<RecordedRequest> seen = server.requests();
  REQUIRE(seen.size() == 6);
  for (const RecordedRequest& request : seen) {
    CHECK(request.target.rfind("/clusters/prod/", 0) == 0);
    CHECK(request.header("X-HEADLAMP_BACKEND-TOKEN") == kBackendToken);
    CHECK(request.header("Authorization") == std::string("Bearer ") + kTestToken);
  }
  CHECK(seen[3].method == "PATCH");
  CHECK(seen[3].header("X-Mine") == "yes");
  CHECK(seen[3].header("Content-Type") == "application/merge-patch+json");
}

TEST_CASE("post, put, patch, jsonPatch and remove are verbs") {
  ApiServer server(behind_headlamp());
  const Requester requester(known(server));
  const auto on = [](const std::string& verb, const std::string& name, Settings more = {}) {
    Settings settings{{"verb", verb}, {"resource", "v1/configmaps"}, {"namespace", "default"}};
    if (!name.empty()) settings.emplace_back("name", name);
    settings.insert(settings.end(), more.begin(), more.end());
    return settings;
  };
  CHECK(requester.call(on("create", ""), R"({"metadata":{"name":"a"}})").http_status == 201);
  CHECK(requester.call(on("update", "a"), R"({"metadata":{"name":"a"},"data":{"k":"2"}})").status == KSR_OK);
  CHECK(requester.call(on("patch", "a"), R"({"data":{"j":"3"}})").status == KSR_OK);
  requester.call(on("patch", "a", {{"patch_type", "json"}}), R"([{"op":"remove","path":"/data/j"}])");
  CHECK(requester.call(on("delete", "a")).status == KSR_OK);
  const std::vector<RecordedRequest> seen = server.requests();
  REQUIRE(seen.size() == 5);
  const char* const methods[] = {"POST", "PUT", "PATCH", "PATCH", "DELETE"};
  for (std::size_t i = 0; i < seen.size(); ++i) {
    CHECK(seen[i].method == methods[i]);
    CHECK(seen[i].target.rfind("/clusters/prod/api/v1/namespaces/default/configmaps", 0) == 0);
    CHECK_FALSE(has(seen[i].target, "pretty"));
  }
  CHECK(seen[2].header("Content-Type") == "application/merge-patch+json");
  CHECK(seen[3].header("Content-Type") == "application/json-patch+json");
}

TEST_CASE("scope=headlamp: below the Headlamp server itself, with its credentials") {
  for (const char* prefix : {"", "/base"}) {
    CAPTURE(prefix);
    ServerOptions options = behind_headlamp();
    options.path_prefix = prefix;
    ApiServer server(options);
    const Requester requester(known(server));
    Settings drain = raw("POST", "/drain-node");
    drain.emplace_back("scope", "headlamp");
    const Answer answer = requester.call(drain, R"({"cluster":"prod","nodeName":"n"})");
    CHECK(answer.http_status == 200);
    CHECK(has(answer.body, "submitted"));
    const std::vector<RecordedRequest> seen = server.requests();
    REQUIRE(seen.size() == 1);
    CHECK(has(seen[0].target, "/drain-node"));
    CHECK_FALSE(has(seen[0].target, "/clusters/"));
    CHECK(seen[0].header("X-HEADLAMP_BACKEND-TOKEN") == kBackendToken);
    // The same path below the cluster is one of the cluster.
    CHECK(requester.call(raw("POST", "/drain-node"), "{}").status != KSR_OK);
  }
}

TEST_CASE("the text of an error is REASON - MESSAGE, and its status is that of the response") {
  ApiServer server(behind_headlamp());
  server.script(
      "fault any /api/v1/namespaces/default/configmaps/a answer 403 "
      "body={\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Forbidden\",\"message\":"
      "\"configmaps\\u0020is\\u0020"
      "forbidden\",\"code\":403}");
  const Requester requester(known(server));
  const Answer refused = requester.call(raw("GET", std::string(kMaps) + "/a"));
  CHECK(refused.http_status == 403);
  CHECK(refused.status == KSR_E_FORBIDDEN);
  CHECK(has(refused.message, "Forbidden - configmaps is forbidden"));
  CHECK(has(refused.details, "\"code\":403"));
  const Answer missing = requester.call(raw("GET", std::string(kMaps) + "/none"));
  CHECK(missing.http_status == 404);
  CHECK(has(missing.message, "Not Found - configmaps \"none\" not found"));
  const Answer conflict = [&] {
    requester.call(raw("POST", kMaps), R"({"metadata":{"name":"b"}})");
    return requester.call(raw("POST", kMaps), R"({"metadata":{"name":"b"}})");
  }();
  CHECK(conflict.http_status == 409);
  CHECK(has(conflict.message, "Conflict - "));
}

TEST_CASE("408 for a server that is silent, 502 for one that cannot be reached or breaks off") {
  std::string url;
  {
    ApiServer server(behind_headlamp());
    server.script("fault get configmaps stall bytes=0 times=forever\nfault write configmaps cut bytes=0");
    const Requester requester(known(server));
    Settings slow = raw("GET", std::string(kMaps) + "/a");
    slow.emplace_back("timeout", "200ms");
    const Answer late = requester.call(slow);
    CHECK(late.status == KSR_E_TIMEOUT);
    CHECK(late.http_status == 408);
    CHECK(late.maybe_done == 0);
    const Answer broken = requester.call(raw("POST", kMaps), R"({"metadata":{"name":"a"}})");
    CHECK(broken.status == KSR_E_TRANSPORT);
    CHECK(broken.http_status == 502);
    CHECK(broken.maybe_done == 1);
    url = server.url();
  }
  const Requester nowhere({{"headlamp_url", url}, {"headlamp_cluster", "prod"}});
  Settings once = raw("GET", "/healthz");
  once.emplace_back("retries", "never");
  const Answer unreachable = nowhere.call(once);
  CHECK(unreachable.status == KSR_E_TRANSPORT);
  CHECK(unreachable.http_status == 502);
}

TEST_CASE("X-Reload of any answer, refusals too, is counted; 401 is for the host to log out") {
  ApiServer server(behind_headlamp());
  const Requester requester(known(server));
  CHECK(requester.stat("headlamp_reloads") == 0);
  server.script("headlamp reload");
  CHECK(requester.call(raw("GET", "/healthz")).status == KSR_OK);
  CHECK(requester.stat("headlamp_reloads") == 1);
  server.script("headlamp reload");
  CHECK(requester.call(raw("GET", std::string(kMaps) + "/none")).status == KSR_E_NOT_FOUND);
  CHECK(requester.stat("headlamp_reloads") == 2);
  server.script(std::string("revoke ") + kTestToken);
  CHECK(requester.call(raw("GET", std::string(kMaps) + "/none")).status == KSR_E_AUTH);
}

TEST_CASE("a stateless cluster: each request brings its context, also when the server has forgotten it") {
  ApiServer server(behind_headlamp());
  const Requester requester(stateless(server));
  for (int i = 0; i < 3; ++i) {
    server.script("headlamp forget");
    CHECK(requester.call(raw("POST", kMaps), R"({"metadata":{"generateName":"a-"}})").http_status == 201);
    CHECK(requester.call({{"verb", "list"}, {"resource", "v1/configmaps"}, {"namespace", "default"}}).status == KSR_OK);
  }
  for (const RecordedRequest& request : server.requests()) {
    CHECK(request.target.rfind("/clusters/mine/", 0) == 0);
    CHECK_FALSE(request.header("KUBECONFIG").empty());
    CHECK(request.header("X-HEADLAMP-USER-ID") == "user_1-a");
  }
}

TEST_CASE("multipleApiFactory: the next resource while the API is missing, never while the object is") {
  ApiServer server(behind_headlamp());
  server.script("create configmaps a");
  const Requester requester(known(server));
  const Settings several{{"resource", "gone.io/v1/configmaps,v1/configmaps"}, {"namespace", "default"}};
  Settings there = several;
  there.emplace_back("name", "a");
  CHECK(requester.call(there).status == KSR_OK);
  Settings missing = several;
  missing[0].second = "v1/configmaps,gone.io/v1/configmaps";
  missing.emplace_back("name", "none");
  const std::size_t before = server.requests().size();
  CHECK(requester.call(missing).status == KSR_E_NOT_FOUND);
  CHECK(server.requests().size() == before + 1);
}

TEST_CASE("secrets of both servers stay out of errors, also where a server repeats them") {
  ApiServer server(behind_headlamp());
  server.script(std::string("fault any /api/v1/namespaces/default/configmaps/a answer 400 times=forever "
                            "body={\"kind\":\"Status\",\"message\":\"bad:") +
                kTestToken + "," + kBackendToken + "\"}");
  const Requester requester(known(server));
  const Answer refused = requester.call(raw("GET", std::string(kMaps) + "/a"));
  CHECK(refused.status == KSR_E_REJECTED);
  CHECK(has(refused.message, "bad:***"));
  for (const std::string& text : {refused.message, refused.details, refused.reason}) {
    CHECK_FALSE(has(text, kTestToken));
    CHECK_FALSE(has(text, kBackendToken));
  }
}
