// `ksr watch` shows what `kubectl get` shows: the same columns and rows of every kind of resource, custom ones too, in
// each form, and the same rows as they change.
#include <doctest/doctest.h>

#include <algorithm>
#include <tuple>

#include "cluster/commands/two_programs.hpp"
#include "cluster/harness/cluster.hpp"

using namespace ksr::clustertest;

namespace {

// One of each kind that a namespace has.
constexpr const char* kObjectsOfAllKinds = R"(
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web, app.kubernetes.io/name: "x"}}
spec: {containers: [{name: main, image: "registry.test/app:1"}, {name: side, image: "registry.test/side:2"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, labels: {app: db}}
spec: {containers: [{name: main, image: "registry.test/db:1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, name: http}, {port: 443, name: https, protocol: TCP}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: web}}
data: {a: "1", b: "2"}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {password: x}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec: {hard: {configmaps: "100"}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec: {limits: [{type: Container, default: {memory: 1Gi}}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: elsewhere}
subsets: [{addresses: [{ip: 10.0.0.1}, {ip: 10.0.0.2}], ports: [{port: 80}]}]
---
apiVersion: v1
kind: Event
metadata: {name: something}
involvedObject: {kind: Pod, name: web, namespace: NS}
reason: Pulled
type: Normal
message: "an image\nof two lines"
lastTimestamp: "2026-01-02T03:04:05Z"
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
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: none}}
  template:
    metadata: {labels: {app: none}}
    spec: {containers: [{name: main, image: "registry.test/app:1"}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: none}}
  template:
    metadata: {labels: {app: none}}
    spec: {containers: [{name: main, image: "registry.test/app:1"}], nodeSelector: {disk: ssd}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  completions: 3
  template:
    spec: {restartPolicy: Never, containers: [{name: main, image: "registry.test/app:1"}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec: {restartPolicy: Never, containers: [{name: main, image: "registry.test/app:1"}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front}
spec:
  rules:
  - host: front.test
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: none}
spec: {podSelector: {matchLabels: {app: web}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: most}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: scale}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 3}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: User, name: jane, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: leader}
spec: {holderIdentity: a}
)";

constexpr const char* kGaugeCrd = R"(
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gauges.ksr.test}
spec:
  group: ksr.test
  scope: Namespaced
  names: {plural: gauges, singular: gauge, kind: Gauge, shortNames: [gg]}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
    additionalPrinterColumns:
    - {name: Level, type: integer, jsonPath: .spec.level}
    - {name: Full, type: boolean, jsonPath: .spec.full}
    - {name: Since, type: date, jsonPath: .spec.since}
    - {name: Note, type: string, jsonPath: .spec.note, priority: 1}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
)";

constexpr const char* kGauges = R"(
apiVersion: ksr.test/v1
kind: Gauge
metadata: {name: low, labels: {app: web}}
spec: {level: 3, full: false, since: "2020-01-01T00:00:00Z", note: "a note"}
---
apiVersion: ksr.test/v1
kind: Gauge
metadata: {name: high}
spec: {level: 12, full: true}
)";

void install_gauges(TwoPrograms& both) {
  both.run_kubectl({"apply", "-f", "-"}, kGaugeCrd);
  const ProgramEnd ready = both.run_kubectl({"wait", "--for=condition=Established", "crd/gauges.ksr.test"});
  REQUIRE(ready.status == 0);
  for (int i = 0; i < 50 && both.run_kubectl({"get", "gauges"}).status != 0; ++i) continue;
}

// `ksr watch ... --once` against `kubectl get ...`.
void read(TwoPrograms& both, const std::vector<std::string>& arguments) {
  std::vector<std::string> of_kubectl{"get"}, of_ksr{"watch"};
  of_kubectl.insert(of_kubectl.end(), arguments.begin(), arguments.end());
  of_ksr.insert(of_ksr.end(), arguments.begin(), arguments.end());
  of_ksr.emplace_back("--once");
  both.compare_reads(of_kubectl, of_ksr);
}

}  // namespace

TEST_CASE("watch: the tables of kubectl, of each kind of resource") {
  TwoPrograms both;
  install_gauges(both);
  both.make(kObjectsOfAllKinds);
  both.make(kGauges);
  for (const char* resource : {"pods",
                               "services",
                               "configmaps",
                               "secrets",
                               "serviceaccounts",
                               "persistentvolumeclaims",
                               "resourcequotas",
                               "limitranges",
                               "endpoints",
                               "events",
                               "deployments",
                               "statefulsets",
                               "daemonsets",
                               "jobs",
                               "cronjobs",
                               "ingresses",
                               "networkpolicies",
                               "poddisruptionbudgets",
                               "horizontalpodautoscalers",
                               "roles",
                               "rolebindings",
                               "leases",
                               "gauges",
                               "namespaces",
                               "clusterroles",
                               "clusterrolebindings",
                               "priorityclasses",
                               "flowschemas",
                               "customresourcedefinitions",
                               "apiservices"}) {
    read(both, {resource});
    read(both, {resource, "-o", "wide"});
  }
}

TEST_CASE("watch: the options of kubectl's tables") {
  TwoPrograms both;
  install_gauges(both);
  both.make(kObjectsOfAllKinds);
  both.make(kGauges);
  read(both, {"pods", "--no-headers"});
  read(both, {"pods", "--show-labels"});
  read(both, {"pods", "-L", "app", "-L", "app.kubernetes.io/name,none"});
  read(both, {"pods", "-l", "app=web"});
  read(both, {"pods", "web"});
  read(both, {"pod/web"});
  read(both, {"deployments.apps", "web", "-o", "wide"});
  read(both, {"gg/low", "--show-labels"});
  read(both, {"pods", "--field-selector", "metadata.name=db"});
  read(both, {"pods", "--sort-by", "{.metadata.name}"});
  read(both, {"pods", "--sort-by", ".spec.containers[0].image"});
  read(both, {"gauges", "--sort-by", ".spec.level"});
  read(both, {"pods", "-o", "name"});
  read(both, {"gauges", "-o", "name"});
  read(both, {"gauge/low", "-o", "yaml"});
  read(both, {"configmaps", "-A"});
  read(both, {"deployments", "-A", "--show-labels", "-o", "wide"});
  // The server's order: '-' is before '/'.
  for (const char* name : {"order", "order-a"}) {
    both.run_kubectl({"create", "namespace", name});
    for (const char* map : {"b", "a"}) both.run_kubectl({"create", "configmap", map, "-n", name});
  }
  read(both, {"configmaps", "-A"});
  read(both, {"configmaps", "-A", "-o", "name"});
  both.compare_reads(
      {"get", "pods", "-o", "custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[0].image,X:.x"},
      {"watch", "pods", "--once", "--columns", "NAME=/metadata/name,IMAGE=/spec/containers/0/image,X=/x"});
  // kubectl's words go to standard error.
  CHECK(both.run_ksr({"watch", "pod/none", "--once"}).status == 1);
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"watch", "pods", "--columns", "x"},
                                                {"watch", "pods", "--sort-by", "{"},
                                                {"watch", "pods", "a", "b"},
                                                {"watch", "pod/a", "-l", "x=y"},
                                                {"watch", "pods", "-o", "xml"}}) {
    const ProgramEnd end = both.run_ksr(wrong);
    CHECK(end.status == 2);
    CHECK(std::count(end.errors.begin(), end.errors.end(), '\n') == 1);
  }
}

TEST_CASE("watch: get -w refuses what kubectl get -w refuses") {
  TwoPrograms both;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"cm,deploy"}, {"cm,deploy", "x"}, {"cm/x", "deploy/x"}, {"all"}, {"nope"}}) {
    std::vector<std::string> arguments{"get", "-w"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    both.read(arguments, true);
  }
}

TEST_CASE("watch: on a terminal, the columns of the server too") {
  TwoPrograms both;
  install_gauges(both);
  both.make(kGauges);
  const ProgramEnd end =
      both.run_shell("TERM=xterm script -qec \"$ksr watch gauges --seconds 5 -o wide\" /dev/null </dev/null");
  CHECK(end.status == 0);
  for (const char* text : {"NAME", "LEVEL", "FULL", "SINCE", "NOTE", "a note", "LIVE  2 objects"}) {
    CAPTURE(text);
    CHECK(end.output.find(text) != std::string::npos);
  }
}

TEST_CASE("watch: a line for each change, as kubectl get -w and --output-watch-events") {
  TwoPrograms both;
  install_gauges(both);
  const std::string kubectl = std::string(KSR_CLUSTER_BIN_DIR) + "/kubectl";
  for (const auto& [of_kubectl, of_ksr, masked] :
       {std::tuple("-w", "get gauges -w", "s/ +([0-9]+s)? *$/ AGE/; s/ +/ /g"),
        std::tuple("-w --no-headers -o wide", "watch gauges -w --no-headers -o wide",
                   "s/ +([0-9]+s)? *$/ AGE/; s/ +/ /g"),
        std::tuple("-w -o name", "watch gauges -o name", ""),
        std::tuple(
            "-w --output-watch-events -o jsonpath='{.type} {.object.metadata.name} {.object.spec.level}{\"\\n\"}'",
            "watch gauges -o json-events",
            "s/.*\"type\":\"([A-Z]*)\".*\"name\":\"([a-z]*)\".*\"level\":([0-9]*).*/\\1 \\2 \\3/")}) {
    CAPTURE(of_ksr);
    const std::string line = "set -e; K=" + kubectl + R"(; D=$(mktemp -d); cd $D
printf '%s' '{"apiVersion":"ksr.test/v1","kind":"Gauge","metadata":{"name":"one"},"spec":{"level":1}}' | $K apply -f - >/dev/null
$K get gauges )" + of_kubectl +
                             R"( >k 2>ke & k=$!
$ksr )" + of_ksr +
                             R"( >w 2>we & w=$!
for i in $(seq 100); do [[ -s k && -s w ]] && break; sleep 0.1; done
sleep 1; $K patch gauge one --type=merge -p '{"spec":{"level":2}}' >/dev/null
sleep 1; printf '%s' '{"apiVersion":"ksr.test/v1","kind":"Gauge","metadata":{"name":"two"},"spec":{"level":7}}' | $K apply -f - >/dev/null
sleep 1; $K delete gauge one two >/dev/null
sleep 1; kill $k $w; wait || true; cat ke we >&2
sed -E ')" + masked + R"(' w; echo ----; sed -E ')" +
                             std::string(std::string(of_kubectl).find("events") != std::string::npos ? "" : masked) +
                             R"(' k; rm -rf $D)";
    const ProgramEnd end = both.run_shell(line);
    CAPTURE(end.errors);
    CHECK(end.status == 0);
    const std::size_t middle = end.output.find("----\n");
    REQUIRE(middle != std::string::npos);
    CHECK(end.output.substr(0, middle) == end.output.substr(middle + 5));
    CHECK(std::count(end.output.begin(), end.output.end(), '\n') > 9);
  }
}

TEST_CASE("watch: the row of an object that has changed and is gone by then is that of its last state") {
  TwoPrograms both;
  const std::string kubectl = std::string(KSR_CLUSTER_BIN_DIR) + "/kubectl";
  // Stopped, ksr can ask for a row only after the deletion.
  const ProgramEnd end = both.run_shell("set -e; K=" + kubectl + R"(; D=$(mktemp -d); cd $D
$K create configmap brief >/dev/null
$K get cm brief -w --show-labels --no-headers >k 2>ke & k=$!
$ksr get cm brief -w --show-labels --no-headers >w 2>we & w=$!
for i in $(seq 100); do [[ -s k && -s w ]] && break; sleep 0.1; done
kill -STOP $w
$K patch cm brief --type=merge -p '{"metadata":{"labels":{"z":"1"}},"data":{"a":"b"}}' >/dev/null
$K delete cm brief >/dev/null
kill -CONT $w
for i in $(seq 100); do [[ $(wc -l <w) -ge 2 ]] && break; sleep 0.1; done
kill $k $w; wait || true; cat ke we >&2
for f in w k; do tail -n 1 $f | sed -E 's/ +[0-9]+s +/ AGE /; s/ +/ /g'; done; rm -rf $D)");
  CAPTURE(end.errors);
  CHECK(end.status == 0);
  CHECK(end.output == "brief 1 AGE z=1\nbrief 1 AGE z=1\n");
}
