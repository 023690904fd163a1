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

constexpr const char* kOpenCrd = R"(
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: opens.ksr.test}
spec:
  group: ksr.test
  scope: Namespaced
  names: {plural: opens, singular: open, kind: Open}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
)";

constexpr const char* kOpens = R"(
apiVersion: ksr.test/v1
kind: Open
metadata: {name: one, labels: {a.b/c: x}}
x:
  a: [{k: a, n: 1, f: 1.5}, {k: z, n: 2, f: 2.5, only: null}]
  i: 7
  f: text
  big: {big: 1}
  none: []
  "null": null
  nest: [[1, 2], [3]]
  large: 12345678901234567890
v: 9007199254740995
q: "9007199254740993000"
l: [1, 5]
---
apiVersion: ksr.test/v1
kind: Open
metadata: {name: two, labels: {a.b/c: b}}
v: 9007199254740993
q: 9007199254740992k
l: [1, 4]
status: {conditions: none}
---
apiVersion: ksr.test/v1
kind: Open
metadata: {name: three}
v: 9007199254740994
q: "9007199254740994000"
l: [9, 3, 7]
status: {conditions: {Ready: "True", list: [1, null]}}
---
apiVersion: ksr.test/v1
kind: Open
metadata: {name: four, labels: {a.b/c: a}}
v: 9007199254740992
q: 1.5Ei
l: [0, 1]
status: none
)";

void make_opens(TwoPrograms& both) {
  both.run_kubectl({"apply", "-f", "-"}, kOpenCrd);
  REQUIRE(both.run_kubectl({"wait", "crd/opens.ksr.test", "--for=condition=Established"}).status == 0);
  both.make(kOpens);
}

TEST_CASE("wait: JSONPath") {
  TwoPrograms both;
  make_opens(both);
  for (const char* path : {"{.metadata.labels['a\\.b/c']}=x",
                           "{.metadata.labels['a.b/c']}=x",
                           "{['x'].i}=7",
                           "{.x['i','f']}",
                           "{.x.a[0]['k']}=a",
                           "{.x.a[0:1].k}=a",
                           "{.x.a[-1:].k}=z",
                           "{.x.a[-1].k}=z",
                           "{.x.a[::2].k}=a",
                           "{.x.a[].k}=a",
                           "{.x.a[0,1].k}=a",
                           "{.x.a[1:1].k}=a",
                           "{.x.a[0:3].k}=a",
                           "{.x.a[1:0].k}=a",
                           "{.x.a[0:2:0].k}=a",
                           "{.x.a[-3].k}=a",
                           "{.x.none[-1].k}=a",
                           "{.x.none[*].k}=a",
                           "{.x.big..big}=1",
                           "{..big}=1",
                           "{..none}",
                           "{.x.a[?( @.k == \"a\" )].n}=1",
                           "{.x.a[?(\"a\"==@.k)].n}=1",
                           "{.x.a[?(@.n>1)].k}=z",
                           "{.x.a[?(@.n<2)].k}=a",
                           "{.x.a[?(@.n>=2)].k}=z",
                           "{.x.a[?(@.n!=2)].k}",
                           "{.x.a[?(@.only)].k}=z",
                           "{.x.a[?(@.nothing)].k}=z",
                           "{.x.a[?(@.n==\"1\")].k}=a",
                           "{.x.a[?(@.n==1.0)].k}=a",
                           "{.x.a[?(@.f>2.0)].k}=z",
                           "{.x.a[?(@.only==1)].k}=a",
                           "{.x.a[?(@.k==a)].k}=a",
                           "{.x.a[?(@.*==1)].k}=a",
                           "{.x.a[?(word)].k}",
                           "{.x.f[?(@.k)]}=1",
                           "{.x.i[0]}=1",
                           "{.x[0]}=1",
                           "{.x.null}",
                           "{.x.null[0]}",
                           "{.x.null[?(@.a)]}",
                           "{.x.nest[*][0]}=1",
                           "{.x.nest[?(@[0]==3)][0]}=3",
                           "{.x.f.*}=t",
                           "{.x.large}=1.2345678901234567e+19",
                           "{.x.i b}=7",
                           "{.x.i }=7",
                           "{.x.i 'te\\'xt'}=te'xt",
                           "{$.x.i}=7",
                           "{.x -5.5}=-5.5",
                           "{.x.a[*] true}=true",
                           "{.}"}) {
    both.run({{"wait", "opens/one", "--timeout=0", "--for", std::string("jsonpath=") + path}, Compare::all, true});
  }
  // Their errors name the path too.
  for (const char* path : {"{.x.a[?(@.k==\"a\" || @.k==\"z\")].n}=1", "{.x.a[\"k\"]}=1", "{.x.a[ 0 ].k}=a",
                           "{.x.a[0:1:2:3]}=1", "{.x.a[-]}=1", "{.x.a[0}=1", "{.x.a[?(@.k==\"a\")}=1",
                           "{.x.a[?(@.k==\"a\"]}=1", "{.x.a\\}=1", "{....a}=1", "{.x['a,b']}", "{.x 1.2.3}"}) {
    both.run({{"wait", "opens/one", "--timeout=0", "--for", std::string("jsonpath=") + path}});
  }
}

TEST_CASE("get --sort-by: JSONPath, and integers that no double holds") {
  TwoPrograms both;
  make_opens(both);
  for (const char* path : {"{.v}", "{.q}", "{.l[1]}", "{.l[-1:]}", "{.l[-2:-1]}", "{.l[?(@>=3)]}", "{.l[?(@!=1)]}",
                           "{.metadata.labels['a\\.b/c']}", "{..v}"}) {
    both.read({"get", "opens", "-o", "name", "--sort-by", path});
  }
  both.read({"get", "opens", "--sort-by", "{.metadata.labels['a\\.b/c']}"});
}

TEST_CASE("wait, and a watch, of a name that has what is special in a field selector") {
  TwoPrograms both;
  const std::string name = "cn=admins,ou=" + both.namespace_of_ksr() + "\\x";
  REQUIRE(both.run_kubectl({"create", "clusterrole", name, "--verb=get", "--resource=pods"}).status == 0);
  both.read({"wait", "clusterrole", name, "--for=jsonpath={.kind}", "--timeout=20s"}, true);
  both.read({"wait", "clusterrole", name, "--for=delete", "--timeout=1s"}, true);
  const ProgramEnd watched = both.run_ksr({"get", "clusterrole", name, "-w", "--once", "--no-headers"});
  CHECK(watched.status == 0);
  CHECK(watched.output.find(name) != std::string::npos);
  CHECK(watched.output.find("<unknown>") == std::string::npos);
  both.run_kubectl({"delete", "clusterrole", name});
}

TEST_CASE("a type that is given twice, by a short name or a category, is there once") {
  TwoPrograms both;
  both.make(kObjects);
  both.read({"get", "cm,configmaps", "-o", "name"});
  both.read({"get", "pods,po,deployments,pod", "-o", "name"});
  both.read({"get", "pods/web", "po/web", "-o", "name"});
}

TEST_CASE("wait: conditions that are no list") {
  TwoPrograms both;
  make_opens(both);
  for (const char* name : {"opens/one", "opens/two", "opens/three", "opens/four"}) {
    both.run({{"wait", name, "--for=condition=Ready", "--timeout=2s"}, Compare::all, true});
  }
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
