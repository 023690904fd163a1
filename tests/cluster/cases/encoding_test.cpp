// encoding: what comes in protobuf is in the view the very text that comes in JSON.
#include <chrono>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "cluster/cases/stream_on_cluster.hpp"
#include "support/requester.hpp"

using namespace ksr::clustertest;
using ksr::testing::Recorder;
using ksr::testing::Settings;

namespace {

// By namespace and name.
std::map<std::string, std::string> texts_of(const Recorder& seen) {
  std::map<std::string, std::string> texts;
  const ksr_snapshot* const snapshot = ksr_latest(seen.stream());
  if (snapshot == nullptr) return texts;
  for (std::size_t i = 0; i < ksr_snapshot_count(snapshot); ++i) {
    const ksr_object* const object = ksr_snapshot_at(snapshot, i);
    const std::string key = std::string(ksr_object_field(object, KSR_FIELD_NAMESPACE, nullptr)) + "/" +
                            ksr_object_field(object, KSR_FIELD_NAME, nullptr);
    texts[key] = ksr_object_field(object, KSR_FIELD_JSON, nullptr);
  }
  ksr_snapshot_release(snapshot);
  return texts;
}

// The same objects over both encodings, as soon as both streams have them: what changes later may reach one of them
// first, and a change in dropped fields alone makes no callback. How many there are.
std::size_t check_equal(const Recorder& protobuf, const Recorder& json) {
  std::map<std::string, std::string> expected;
  std::map<std::string, std::string> seen;
  const auto until = std::chrono::steady_clock::now() + ksr::testing::kWaitLimit;
  for (;;) {
    seen = texts_of(protobuf);
    expected = texts_of(json);
    if (seen == expected || std::chrono::steady_clock::now() > until) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(seen.size() == expected.size());
  for (const auto& [key, text] : expected) {
    CAPTURE(key);
    const auto found = seen.find(key);
    REQUIRE(found != seen.end());
    CHECK(found->second == text);
  }
  CHECK(protobuf.violations() == std::vector<std::string>{});
  return expected.size();
}

Settings in(const std::string& encoding, const Settings& settings) {
  return with(settings, "encoding", encoding);
}

// A pod with something of everything that a user may write.
boost::json::object make_rich_pod(const std::string& ns, const std::string& name) {
  boost::json::object pod = make_pod(ns, name, {{"app", "web"}});
  boost::json::object& metadata = pod["metadata"].as_object();
  metadata["annotations"] = {{"note", "<&>\u2028\" caf\u00e9 \U0001F600\n\t\u0001"}, {"empty", ""}};
  boost::json::object& spec = pod["spec"].as_object();
  spec["tolerations"] = {{{"key", "k"}, {"operator", "Exists"}, {"effect", "NoExecute"}, {"tolerationSeconds", 0}}};
  spec["securityContext"] = {{"runAsUser", 0}, {"fsGroup", 2147483647}, {"runAsNonRoot", false}};
  spec["volumes"] = {{{"name", "v"}, {"emptyDir", {{"sizeLimit", "1500Mi"}}}}};
  boost::json::object& container = spec["containers"].as_array().at(0).as_object();
  container["resources"] = {{"limits", {{"cpu", "1500m"}, {"memory", "1Gi"}}}};
  container["livenessProbe"] = {{"httpGet", {{"path", "/"}, {"port", "http"}}}, {"periodSeconds", 7}};
  container["ports"] = {{{"name", "http"}, {"containerPort", 8080}}};
  container["env"] = {{{"name", "EMPTY"}, {"value", ""}},
                      {{"name", "NODE"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "spec.nodeName"}}}}}}};
  return pod;
}

ksr::testing::Requester admin_requester() {
  Cluster& cluster = Cluster::shared();
  return ksr::testing::Requester(
      {{"server", cluster.url()}, {"ca_file", cluster.ca_file()}, {"token", admin_user().token}});
}

// The library would refuse some of these bodies if it had to give them a type.
int create(const ksr::testing::Requester& requester, const std::string& resource, const std::string& ns,
           const std::string& body) {
  const Settings request{
      {"verb", "create"}, {"resource", resource}, {"namespace", ns}, {"header.Content-Type", "application/json"}};
  return requester.call(request, body).http_status;
}

// Both live.
void open_both(const Settings& settings, Recorder& protobuf, Recorder& json) {
  REQUIRE(protobuf.open(in("auto", settings)) == KSR_OK);
  REQUIRE(json.open(in("json", settings)) == KSR_OK);
  REQUIRE(protobuf.wait_state(KSR_STATE_LIVE));
  REQUIRE(json.wait_state(KSR_STATE_LIVE));
}

// Other tests list all namespaces, with another parser.
void erase(Cluster& cluster, const std::string& ns) {
  for (const std::string& path :
       {"/api/v1/namespaces/" + ns + "/configmaps", "/apis/apps/v1/namespaces/" + ns + "/controllerrevisions"}) {
    REQUIRE(cluster.admin().request("DELETE", path).status == 200);
  }
}

// With a byte that is no UTF-8, and half a surrogate pair, where the server keeps JSON as it came.
std::string ill_formed(const std::string& resource, const std::string& name) {
  const std::string metadata = R"("metadata":{"name":")" + name + '"';
  if (resource == "v1/configmaps") {
    return R"({"apiVersion":"v1","kind":"ConfigMap","data":{"a":"b"},)" + metadata +
           R"(,"managedFields":[{"manager":"m","operation":"Update","apiVersion":"v1","time":"2026-01-01T00:00:00Z",)" +
           R"("fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:)" + "\xff" + R"(":{}}}}]}})";
  }
  return R"({"apiVersion":"apps/v1","kind":"ControllerRevision","revision":1,)" + metadata + R"(},"data":{"k)" +
         "\xff" + R"(":"\ud800"}})";
}

}  // namespace

TEST_CASE("what every cluster has is the same text in both encodings, however it is read") {
  const std::vector<std::string> resources{"v1/namespaces",
                                           "v1/configmaps",
                                           "v1/services",
                                           "discovery.k8s.io/v1/endpointslices",
                                           "rbac.authorization.k8s.io/v1/clusterroles",
                                           "rbac.authorization.k8s.io/v1/clusterrolebindings",
                                           "flowcontrol.apiserver.k8s.io/v1/flowschemas",
                                           "flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations",
                                           "apiregistration.k8s.io/v1/apiservices",
                                           "apiextensions.k8s.io/v1/customresourcedefinitions",
                                           "scheduling.k8s.io/v1/priorityclasses",
                                           "clusterroles"};
  Cluster::shared().install_widget_crd();
  std::size_t objects = 0;
  for (const std::string& resource : resources) {
    for (const std::pair<const char*, const char*>& more :
         {std::pair("initial", "list"), std::pair("initial", "watchlist"), std::pair("metadata_only", "true"),
          std::pair("managed_fields", "keep"), std::pair("page_size", "3"),
          std::pair("keep_fields", "/metadata/labels /spec/* /rules/*/verbs"),
          std::pair("drop_fields", "/metadata/*/* /data /spec/*/name /subjects/0")}) {
      CAPTURE(resource);
      CAPTURE(more.first);
      CAPTURE(more.second);
      const Settings settings = with(on_cluster(resource, "", "auto"), more.first, more.second);
      Recorder protobuf;
      Recorder json;
      open_both(settings, protobuf, json);
      objects += check_equal(protobuf, json);
      CHECK(protobuf.errors().empty());
      CHECK(json.stat("encoding") == 0);
      const bool initial_events = std::string(more.second) == "watchlist";
      if (!initial_events || protobuf.stat("objects") > 0) CHECK(protobuf.stat("encoding") == 1);
    }
  }
  CHECK(objects > 500);
}

TEST_CASE("changes of pods are the same text in both encodings, over both transports") {
  Cluster& cluster = Cluster::shared();
  on_both_transports([&](const std::string& transport) {
    const std::string ns = cluster.fresh_namespace("encodings");
    cluster.admin().create(pods_path(ns), make_rich_pod(ns, "first"));
    Recorder protobuf;
    Recorder json;
    REQUIRE(protobuf.open(in("auto", on_cluster("v1/pods", ns, transport))) == KSR_OK);
    REQUIRE(json.open(in("json", on_cluster("v1/pods", ns, transport))) == KSR_OK);
    const Settings cut = with(on_cluster("v1/pods", ns, transport), "keep_fields",
                              "/metadata/labels /metadata/annotations/note /spec/containers/*/env /status/*/*/type");
    Recorder cut_protobuf;
    Recorder cut_json;
    REQUIRE(cut_protobuf.open(in("auto", cut)) == KSR_OK);
    REQUIRE(cut_json.open(in("json", cut)) == KSR_OK);
    for (Recorder* const each : {&protobuf, &json, &cut_protobuf, &cut_json}) {
      REQUIRE(each->wait_state(KSR_STATE_LIVE));
    }
    for (int i = 0; i < 40; ++i) {
      const std::string name = "pod-" + std::to_string(i % 7);
      if (i < 7) cluster.admin().create(pods_path(ns), make_rich_pod(ns, name));
      cluster.admin().patch(pods_path(ns, name), {{"metadata", {{"labels", {{"turn", std::to_string(i)}}}}}});
      cluster.admin().patch_status(pods_path(ns, name), {{"phase", i % 2 == 0 ? "Running" : "Pending"},
                                                         {"startTime", "2026-01-02T03:04:05Z"},
                                                         {"conditions", {{{"type", "Ready"}, {"status", "True"}}}}});
    }
    check_equals_list(protobuf, pods_path(ns));
    check_equals_list(json, pods_path(ns));
    CHECK(check_equal(protobuf, json) == 8);
    CHECK(check_equal(cut_protobuf, cut_json) == 8);
    CHECK(cut_protobuf.stat("encoding") == 1);
    CHECK(cut_protobuf.stat("store_bytes") < protobuf.stat("store_bytes") / 2);
    CHECK(protobuf.stat("encoding") == 1);
    CHECK(json.stat("encoding") == 0);
    CHECK(protobuf.stat("events") >= 80);
    CHECK(protobuf.errors().empty());
  });
}

TEST_CASE("text that is no Unicode costs no view: it is U+FFFD in both encodings, listed and watched") {
  Cluster& cluster = Cluster::shared();
  const ksr::testing::Requester requester = admin_requester();
  on_both_transports([&](const std::string& transport) {
    const std::string ns = cluster.fresh_namespace("encodings");
    for (const std::string resource : {"v1/configmaps", "apps/v1/controllerrevisions"}) {
      CAPTURE(resource);
      const auto put = [&](const std::string& name) {
        return create(requester, resource, ns, ill_formed(resource, name));
      };
      REQUIRE(put("listed") == 201);
      for (const std::pair<const char*, const char*>& more :
           {std::pair("managed_fields", "keep"), std::pair("managed_fields", "drop"), std::pair("initial", "watchlist"),
            std::pair("metadata_only", "true")}) {
        CAPTURE(more.first);
        CAPTURE(more.second);
        const Settings settings = with(on_cluster(resource, ns, transport), more.first, more.second);
        Recorder protobuf;
        Recorder json;
        open_both(settings, protobuf, json);
        const std::string name = std::string("watched-") + more.second;
        REQUIRE(put(name) == 201);
        REQUIRE(protobuf.wait_name(name));
        REQUIRE(json.wait_name(name));
        check_equal(protobuf, json);
        CHECK(protobuf.errors().empty());
        CHECK(json.errors().empty());
        CHECK(protobuf.stat("encoding") == 1);
        const std::string text = texts_of(protobuf)[ns + "/listed"];
        if (resource == "v1/configmaps") {
          const bool kept = std::string(more.second) == "keep";
          CHECK((text.find("\"f:\xef\xbf\xbd\":{}") != std::string::npos) == kept);
        } else if (std::string(more.first) != "metadata_only") {
          CHECK(text.find("\"data\":{\"k\xef\xbf\xbd\":\"\\ufffd\"}") != std::string::npos);
        }
      }
    }
    erase(cluster, ns);
  });
}

TEST_CASE(
    "an object that is nested too deep costs no view: it is skipped in both encodings, and its deletion is none") {
  Cluster& cluster = Cluster::shared();
  const ksr::testing::Requester requester = admin_requester();
  const auto revision = [](const std::string& name, std::size_t depth) {
    return R"({"apiVersion":"apps/v1","kind":"ControllerRevision","revision":1,"metadata":{"name":")" + name +
           R"("},"data":{"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}}";
  };
  on_both_transports([&](const std::string& transport) {
    const std::string ns = cluster.fresh_namespace("encodings");
    const std::string resource = "apps/v1/controllerrevisions";
    REQUIRE(create(requester, resource, ns, revision("deep", 600)) == 201);
    REQUIRE(create(requester, resource, ns, revision("listed", 1)) == 201);
    for (const std::string encoding : {"auto", "json"}) {
      CAPTURE(encoding);
      Recorder seen;
      REQUIRE(seen.open(in(encoding, on_cluster(resource, ns, transport))) == KSR_OK);
      REQUIRE(seen.wait_name("listed"));
      REQUIRE(seen.wait_state(KSR_STATE_LIVE));
      CHECK(seen.errors().size() == 1);
      const std::string name = "watched-" + encoding;
      REQUIRE(create(requester, resource, ns, revision("deep-" + encoding, 600)) == 201);
      REQUIRE(create(requester, resource, ns, revision(name, 510)) == 201);
      REQUIRE(seen.wait_name(name));
      REQUIRE(
          requester.call({{"verb", "delete"}, {"resource", resource}, {"namespace", ns}, {"name", "deep-" + encoding}})
              .status == KSR_OK);
      REQUIRE(create(requester, resource, ns, revision("last-" + encoding, 1)) == 201);
      REQUIRE(seen.wait_name("last-" + encoding));
      CHECK(seen.errors().size() == 2);
      for (const auto& error : seen.errors()) CHECK(error.code == KSR_E_TOO_LARGE);
      CHECK(seen.stat("relists") == 0);
      CHECK(seen.count() == (encoding == "auto" ? 3 : 5));
      CHECK(seen.violations() == std::vector<std::string>{});
    }
    erase(cluster, ns);
  });
}

TEST_CASE("custom resources come in JSON, and with encoding=protobuf not at all") {
  Cluster& cluster = Cluster::shared();
  cluster.install_widget_crd();
  const std::string ns = cluster.fresh_namespace("encodings");
  cluster.admin().create(widgets_path(ns), make_widget(ns, "first", 1));
  for (const char* resource : {"ksr.test/v1/widgets", "widgets"}) {
    CAPTURE(resource);
    Recorder seen;
    REQUIRE(seen.open(in("auto", on_cluster(resource, ns, "auto"))) == KSR_OK);
    REQUIRE(seen.wait_name("first"));
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    CHECK(seen.stat("encoding") == 0);
    CHECK(seen.errors().empty());
  }
  Recorder refused;
  REQUIRE(refused.open(in("protobuf", on_cluster("ksr.test/v1/widgets", ns, "auto"))) == KSR_OK);
  REQUIRE(refused.wait([](const Recorder& now) { return !now.errors().empty(); }));
  CHECK(refused.errors().front().http_status == 406);
  CHECK(refused.count() == 0);
}

TEST_CASE("a refusal of a request for protobuf says why") {
  Cluster& cluster = Cluster::shared();
  const std::string ns = cluster.fresh_namespace("encodings");
  Recorder refused;
  REQUIRE(refused.open(on_cluster("v1/secrets", ns, "auto", unprivileged_user())) == KSR_OK);
  REQUIRE(refused.wait_error(KSR_E_FORBIDDEN));
  CHECK(refused.errors().front().reason == "Forbidden");
  CHECK(refused.errors().front().message.find("secrets is forbidden: User") != std::string::npos);
}
