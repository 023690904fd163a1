// `kubectl wait` and `ksr wait` with the same arguments: the same output, errors and exit status, for what is there
// already, what comes while they wait, and what never comes.
#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <functional>
#include <thread>

#include "cluster/commands/two_programs.hpp"
#include "cluster/harness/cluster.hpp"
#include "cluster/harness/objects.hpp"

using namespace ksr::clustertest;

namespace {

namespace json = boost::json;

constexpr const char* kObjects = R"(
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: main, image: "registry.test/app:1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, labels: {app: db}}
spec: {containers: [{name: main, image: "registry.test/app:1"}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: one, labels: {app: web}}
data: {a: "1", b.c: "2", empty: ""}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: none}}
  template:
    metadata: {labels: {app: none}}
    spec: {containers: [{name: main, image: "registry.test/app:1"}]}
)";

constexpr const char* kReady =
    R"({"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"},{"type":"Initialized","status":"False"}]}})";

void make_ready(TwoPrograms& both, const std::string& pod) {
  both.run({{"patch", "pod", pod, "--subresource=status", "--type=merge", "-p", kReady}, Compare::status});
}

// Both, while `change` is made to the namespace of each.
void run_while(TwoPrograms& both, const std::vector<std::string>& arguments,
               const std::function<void(ApiClient&, const std::string&)>& change) {
  ProgramEnd by_kubectl, by_ksr;
  std::thread kubectl([&] { by_kubectl = both.run_kubectl(arguments); });
  std::thread ksr([&] { by_ksr = both.run_ksr(arguments); });
  // Most likely inside the wait by then; the test holds either way.
  std::this_thread::sleep_for(std::chrono::seconds(2));
  for (const std::string& name_space : {both.namespace_of_kubectl(), both.namespace_of_ksr()}) {
    change(Cluster::shared().admin(), name_space);
  }
  kubectl.join();
  ksr.join();
  CAPTURE(arguments.back());
  CAPTURE(by_kubectl.errors);
  CAPTURE(by_ksr.errors);
  CHECK(by_ksr.status == 0);
  CHECK(by_ksr.status == by_kubectl.status);
  CHECK(by_ksr.output == by_kubectl.output);
}

}  // namespace

TEST_CASE("wait: what is met already, and what is not met in time") {
  TwoPrograms both;
  both.make(kObjects);
  make_ready(both, "web");
  for (const char* condition : {"condition=Ready",
                                "condition=ready=TRUE",
                                "condition=Ready=false",
                                "condition=Initialized=False",
                                "condition=Ready=",
                                "condition=None",
                                "jsonpath={.status.phase}=Running",
                                "jsonpath=.status.phase=Running",
                                "jsonpath=status.phase",
                                "jsonpath='{.status.phase}'=Pending",
                                "jsonpath={.status.phase}",
                                "jsonpath={.status.none}",
                                "jsonpath={.status.conditions[0].type}=Ready",
                                "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}=True",
                                "jsonpath={.status.conditions[*].type}=Ready",
                                "jsonpath={.status.conditions}=x",
                                "jsonpath={.status.conditions[5].type}=x",
                                "jsonpath={.spec.terminationGracePeriodSeconds}=30",
                                "jsonpath={.spec.enableServiceLinks}=true",
                                "jsonpath={.metadata.labels['app']}=web",
                                "create",
                                "delete"}) {
    for (const char* timeout : {"1s", "0"}) {
      both.run({{"wait", "pod/web", "--for", condition, "--timeout", timeout}, Compare::all, true});
    }
  }
  both.run({{"wait", "cm/one", "--for=jsonpath={.data.b\\.c}=2"}, Compare::all, true});
  both.run({{"wait", "cm/one", "--for=jsonpath={.data.empty}"}, Compare::all, true});
  both.run({{"wait", "pods", "web", "db", "--for=condition=Ready", "--timeout=1s"}, Compare::all});
  both.run({{"wait", "pods", "--all", "--for=jsonpath={.metadata.name}"}, Compare::all, true});
  both.run({{"wait", "pods", "-l", "app=web", "--for=condition=Ready"}, Compare::all, true});
  both.run({{"wait", "pods,cm", "-l", "app=web", "--for=jsonpath={.metadata.name}"}, Compare::all, true});
  both.run({{"wait", "pods", "--field-selector=metadata.name=db", "--for=jsonpath={.metadata.name}=db"}});
  both.run({{"wait", "deploy/web", "--for=jsonpath={.spec.replicas}=2", "-o", "name"}, Compare::all, true});
  both.run({{"wait", "cm/one", "--for=jsonpath={.data.a}=1", "-o", "json"}, Compare::json});
  both.run({{"wait", "-f", "-", "--for=jsonpath={.metadata.name}"}, Compare::all, true, kObjects});
  both.run({{"wait", "pod/web", "--for=create", "--for=condition=Ready"}, Compare::all, true});
}

TEST_CASE("wait: wrong conditions, and what is not there") {
  TwoPrograms both;
  both.make(kObjects);
  for (const char* condition : {"none", "", "condition", "jsonpath=", "jsonpath={.a}=1=2", "jsonpath={.a}="}) {
    both.run({{"wait", "pod/web", "--for", condition}, Compare::all});
  }
  both.run({{"wait", "pod/web"}});
  both.run({{"wait", "pods", "--for=condition=Ready"}, Compare::all, true});
  both.run({{"wait", "pods", "-l", "no=such", "--for=condition=Ready"}, Compare::all, true});
  both.run({{"wait", "pods", "-l", "no=such", "--for=delete"}, Compare::all, true});
  both.run({{"wait", "pod/none", "--for=condition=Ready"}, Compare::all, true});
  both.run({{"wait", "pod/none", "--for=delete"}, Compare::all, true});
  both.run({{"wait", "pod/none", "--for=create", "--timeout=1s"}, Compare::all, true});
  both.run({{"wait", "pod/none", "pod/web", "--for=jsonpath={.metadata.name}"}, Compare::all, true});
  both.run({{"wait", "gadgets/x", "--for=delete"}, Compare::all, true});
  both.run({{"wait", "pod/web", "--for=delete", "--timeout=x"}});
  TwoPrograms unprivileged(unprivileged_user());
  unprivileged.run({{"wait", "pod/web", "--for=delete"}});
}

TEST_CASE("wait: what comes while they wait") {
  TwoPrograms both;
  both.make(kObjects);
  run_while(both, {"wait", "pod/web", "--for=condition=Ready"}, [](ApiClient& admin, const std::string& ns) {
    const json::value ready = json::parse(kReady);
    admin.patch_status(pods_path(ns, "web"), ready.at("status").as_object());
  });
  run_while(both, {"wait", "cm/one", "--for=jsonpath={.data.a}=5"}, [](ApiClient& admin, const std::string& ns) {
    admin.patch(configmaps_path(ns, "one"), json::object{{"data", {{"a", "5"}}}});
  });
  // What was found by its labels is watched by its name.
  run_while(both, {"wait", "cm", "-l", "app=web", "--for=jsonpath={.data.a}=6"},
            [](ApiClient& admin, const std::string& ns) {
              admin.patch(configmaps_path(ns, "one"),
                          json::object{{"metadata", {{"labels", {{"app", nullptr}}}}}, {"data", {{"a", "6"}}}});
            });
  run_while(both, {"wait", "cm/one", "--for=delete"},
            [](ApiClient& admin, const std::string& ns) { admin.erase(configmaps_path(ns, "one")); });
  run_while(both, {"wait", "cm/late", "--for=create"}, [](ApiClient& admin, const std::string& ns) {
    admin.create(configmaps_path(ns), make_configmap(ns, "late"));
  });
}

TEST_CASE("wait: JSON pointers, which kubectl does not know") {
  TwoPrograms both;
  both.make(kObjects);
  for (const auto& [condition, status] :
       {std::pair("/status/phase=Pending", 0), std::pair("/spec/containers/0/name=main", 0),
        std::pair("/metadata/labels/app", 0), std::pair("/status/phase=Running", 1), std::pair("/status/none", 1),
        std::pair("/spec/containers/5/name=main", 1), std::pair("/spec/containers", 0)}) {
    CAPTURE(condition);
    const ProgramEnd end = both.run_ksr({"wait", "pod/web", "--for", condition, "--timeout", "1s"});
    CHECK(end.status == status);
    CHECK(end.output == (status == 0 ? "pod/web condition met\n" : ""));
  }
}
