// kubectl and ksr, run as a user runs them, with the same arguments: the same standard output and exit status. What is
// meant to differ: the default field manager, and what Compare and the comments at the calls name.
#include <doctest/doctest.h>

#include "cluster/commands/two_programs.hpp"
#include "cluster/harness/cluster.hpp"
#include "cluster/harness/objects.hpp"

using namespace ksr::clustertest;

namespace {

constexpr const char* kMaps = R"(
apiVersion: v1
kind: ConfigMap
metadata:
  name: one
  labels: {app: web, tier: front}
data: {a: "1"}
---
# Only a comment.
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: two
  labels:
    app: web
data:
  text: |
    first line
      second line
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: three}
)";

// Texts that YAML holds in each of its styles.
constexpr const char* kTexts = R"(
apiVersion: v1
kind: ConfigMap
metadata: {name: texts}
data:
  yes: "yes"
  "10": "ten"
  "9": "nine"
  a10: x
  a9: x
  UPPER: x
  number: "0o17"
  decimal: "1.50"
  date: "2020-01-01"
  time: "2020-01-01T00:00:00Z"
  base60: "1:30:59"
  octal: "0755"
  dot: "."
  fraction: ".5"
  exponent: "1e3"
  version: "1.2.3"
  huge: "18446744073709551616"
  nothing: ""
  tilde: "~"
  merge: "<<"
  dashes: "---"
  lines: |
    one
     two

    three
  kept: |+
    x

  clipped: |-
    y
  leading: "  blank"
  leading_line: "\n blank"
  trailing: "blank "
  line_end: "\n"
  crlf: "a\r\nb"
  tab: "a\tb"
  escape: "\x1b[31m\x01"
  quotes: "it's # not: a \"comment\""
  colon: "a: b"
  hash: "a #b"
  dash: "- a"
  html: "<a>&</a>"
  emoji: "smile 😀 here"
  letters: "ü ß € x"
  separator: "a\u2028b"
  long: "aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccc dddddddddddddddddddddddddd eeeeeeee ffffffffffff"
  long_single: "'aaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccc dddddddddddddddddddddddddd eeeeeeee  ffffffffffff"
  long_double: "\taaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccc dddddddddddddddddddddddddd eeeeeeee  ffffffffffff"
)";

constexpr const char* kPods = R"(
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: main, image: "registry.test/app:1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, labels: {app: db}}
spec: {containers: [{name: main, image: "registry.test/app:1"}, {name: other, image: x}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "registry.test/app:1"}]}
)";

constexpr const char* kWidget = R"(
apiVersion: ksr.test/v1
kind: Widget
metadata: {name: small}
spec: {size: 3}
)";

std::string map_yaml(const std::string& name, const std::string& value) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata: {k: \"" + value + "\"}\n";
}

}  // namespace

// A server keeps the data of a ControllerRevision as it came.
TEST_CASE("text that is no Unicode, and numbers with long exponents") {
  TwoPrograms both;
  both.make(kMaps);
  const std::pair<const char*, const char*> kinds[] = {{"lone", "\"a\\ud800b\""},
                                                       {"byte", "\"a\xff\xe2\x82z\""},
                                                       {"zero", "0e999999999999"},
                                                       {"small", "1e-999999999999"}};
  for (const std::string& name_space : {both.namespace_of_kubectl(), both.namespace_of_ksr()}) {
    for (const auto& [name, value] : kinds) {
      const std::string revision = R"({"apiVersion":"apps/v1","kind":"ControllerRevision","metadata":{"name":")" +
                                   std::string(name) + R"("},"revision":1,"data":{"value":)" + value + "}}";
      const std::string path = "/apis/apps/v1/namespaces/" + name_space + "/controllerrevisions";
      REQUIRE(both.run_kubectl({"create", "--raw", path, "-f", "-"}, revision).status == 0);
    }
  }
  both.read({"get", "controllerrevisions", "-o", "json"});
  both.read({"get", "controllerrevisions", "-o", "yaml"});
  both.read({"get", "controllerrevisions", "--sort-by", "{.data.value}", "lone", "byte", "-o", "name"});
  for (const auto& [name, value] : kinds) {
    CAPTURE(name);
    both.read({"get", "controllerrevision", name, "-o", "json"});
    both.read({"get", "controllerrevision", name, "-o", "yaml"});
    both.run({{"wait", std::string("controllerrevision/") + name, "--for=jsonpath={.revision}=1"}, Compare::all, true});
    both.run({{"patch", "controllerrevision", name, "--type=merge", "-p", R"({"revision":2})"}, Compare::all, true});
  }
  both.run({{"wait", "controllerrevisions", "--all", "--for=jsonpath={.revision}=2"}, Compare::all, true});
}

TEST_CASE("get: tables, names, selectors, several types") {
  Cluster::shared().install_widget_crd();
  TwoPrograms both;
  both.make(kMaps);
  both.make(kPods);
  both.make(kWidget);
  both.read({"get", "configmaps"});
  both.read({"get", "cm", "one"});
  both.read({"get", "cm", "one", "three"});
  both.read({"get", "cm/one", "cm/two"});
  both.read({"get", "pods", "-A"});
  both.read({"get", "po", "-o", "wide"});
  both.read({"get", "po", "-l", "app=web", "--no-headers"});
  both.read({"get", "pods", "--field-selector", "metadata.name=db"});
  both.read({"get", "cm", "-l", "tier", "-L", "app,tier", "--show-labels"});
  both.read({"get", "cm", "--show-kind"});
  both.read({"get", "cm", "one", "--show-kind", "--no-headers"});
  both.read({"get", "cm,deploy,po,wd"});
  both.read({"get", "pods", "--sort-by", "{.spec.containers[0].name}"});
  both.read({"get", "pods", "--sort-by=.spec.containers[*].image", "-o", "wide"});
  both.read({"get", "cm", "--sort-by", ".metadata.name", "-o", "name"});
  // What no object has: one row is shown as it is, several are not shown, and else it is an error.
  both.read({"get", "po", "--sort-by", ".no.such"}, true);
  both.read({"get", "po", "web", "--sort-by", ".no.such"}, true);
  both.read({"get", "po,cm", "--sort-by", ".no.such"}, true);
  both.read({"get", "po", "--sort-by", ".no.such", "-o", "name"}, true);
  both.read({"get", "po", "-l", "no=such", "--sort-by", ".no.such"}, true);
  both.read({"get", "clusterroles", "--sort-by", ".metadata.resourceVersion", "-o", "name"});
  both.read({"get", "all"});
  both.read({"get", "all", "-A", "-o", "name"});
  both.read({"get", "pod/web", "deployment.apps/web"});
  both.read({"get", "pods", "-o", "name"});
  both.read({"get", "deployments.v1.apps", "-o", "name"});
  both.read({"get", "po,cm", "-A", "-o", "name"});
  both.read({"get", "widgets"});
  both.read({"get", "widget.ksr.test/small"});
  both.read({"get", "namespaces"});
  both.read({"get", "ns", "NS", "-n", "default"});
  both.read({"get", "clusterroles", "--chunk-size", "7"});
  both.read({"get", "secrets"}, true);
  both.read({"get", "secrets", "-A", "-l", "no=such"}, true);
  both.read({"get", "nodes"}, true);
  both.read({"get", "ev"}, true);
  both.read({"get", "ev/none"}, true);
  both.read({"get", "events.events.k8s.io"}, true);
  both.read({"get", "deployment", "web", "--subresource", "scale"});
}

TEST_CASE("get: YAML and JSON, byte by byte") {
  Cluster::shared().install_widget_crd();
  TwoPrograms both;
  both.make(kMaps);
  both.make(kTexts);
  both.make(kPods);
  both.make(kWidget);
  for (const char* format : {"yaml", "json"}) {
    both.read({"get", "cm", "texts", "-o", format});
    both.read({"get", "cm", "-o", format});
    both.read({"get", "cm/one", "pod/web", "-o", format});
    both.read({"get", "pods", "-A", "-o", format});
    both.read({"get", "wd", "-o", format});
    both.read({"get", "secrets", "-o", format});
    both.read({"get", "deploy", "web", "-o", format, "--show-managed-fields"});
    both.read({"get", "clusterroles", "-o", format, "--chunk-size=9"});
    both.read({"get", "flowschemas,crds", "-o", format});
    both.read({"get", "cm", "none", "--ignore-not-found", "-o", format});
    both.read({"get", "-f", both.file("maps.yaml", kMaps), "-o", format});
  }
}

TEST_CASE("get: what is not there, and what may not be seen") {
  TwoPrograms both;
  both.make(kMaps);
  both.read({"get", "cm", "none"}, true);
  both.read({"get", "cm", "one", "none"}, true);
  both.read({"get", "cm/none", "ns/default"}, true);
  both.read({"get", "cm", "none", "-o", "yaml"}, true);
  both.read({"get", "cm", "one", "none", "-o", "name"}, true);
  both.read({"get", "cm", "none", "--ignore-not-found"}, true);
  both.read({"get", "gadgets"}, true);
  both.read({"get", "gadgets/one"}, true);
  both.read({"get", "cm", "one", "-l", "app=web"}, true);
  both.read({"get", "cm", ""}, true);
  both.read({"get", "cm", "-o="});
  both.read({"get", "cm", "--output="});
  both.read({"get", "cm,cm", "-o", "name"});
  both.read({"get", "cm", "--sort-by", "", "--subresource", "", "-o", "name"});
  both.read({"get", "--raw", ""});
  both.read({"get", "-f", both.file("nothing.yaml", "# nothing\n")}, true);
  both.read(
      {"get", "-f", both.file("maps.yaml", kMaps) + "," + both.file("nothing.yaml", "# nothing\n"), "-o", "name"});
  both.read({"logs", "-l", ""});
  both.read({"get", "cm", "one", "-A"}, true);
  both.read({"get", "cm", "-l", "a=b=c"});
  both.read({"get", "cm", "-n", "no-such-namespace"}, true);
  both.read({"get"});
  both.read({"get", "cm", "--no-such-flag"});
  both.read({"get", "cm", "-o", "xml"});
  both.read({"get", "cm", "--as", "somebody"}, true);
  // The name of this user is in its token, so that ksr does not repeat it.
  TwoPrograms unprivileged(unprivileged_user());
  unprivileged.read({"get", "cm"});
  unprivileged.read({"get", "cm", "one", "-o", "json"});
  unprivileged.read({"get", "cm", "-A"});
}

TEST_CASE("apply: new, changed, unchanged, several documents, standard input, directories") {
  TwoPrograms both;
  both.run({{"apply", "--server-side", "-f", "-"}, Compare::all, false, kMaps});
  both.run({{"apply", "--server-side", "-f", "-"}, Compare::all, false, kMaps});
  both.run({{"apply", "--server-side", "-f", "-"}, Compare::all, false, map_yaml("one", "2")});
  both.run({{"apply", "--server-side", "-f", "-", "-o", "json"}, Compare::json, false, map_yaml("one", "3")});
  both.run({{"apply", "--server-side", "-f", "-", "-o", "name"}, Compare::all, false, kTexts});
  both.run({{"apply", "--server-side", "-f", "-", "--dry-run=server"}, Compare::all, false, map_yaml("dry", "1")});
  both.run({{"get", "cm", "dry"}, Compare::all, true});
  const std::string file = both.file("dir/a.yaml", map_yaml("from-a", "1"));
  both.file("dir/b.json", R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"from-b"}})");
  both.file("dir/ignored.txt", "not a manifest");
  both.file("dir/below/c.yml", map_yaml("from-c", "1"));
  both.run({{"apply", "--server-side", "-f", (both.directory() / "dir").string()}});
  both.run({{"apply", "--server-side", "-R", "-f", (both.directory() / "dir").string(), "-f", file}});
  both.run({{"apply", "--server-side", "-f", file, "-n", "NS"}});
  both.run({{"get", "cm", "-o", "json"}, Compare::json});
}

TEST_CASE("apply: conflicts, refusals, and what goes on after them") {
  TwoPrograms both;
  both.make(map_yaml("taken", "1"));
  const std::string change = map_yaml("taken", "2");
  // kubectl gives advice in ten more lines, and ksr in the same one.
  both.run({{"apply", "--server-side", "--field-manager", "other", "-f", "-"}, Compare::all, false, change});
  both.run({{"apply", "--server-side", "--field-manager", "other", "--force-conflicts", "-f", "-"},
            Compare::all,
            false,
            change});
  const std::string invalid =
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Not_Valid}\n---\n" + map_yaml("b", "1");
  both.run({{"apply", "--server-side", "-f", "-"}, Compare::all, true, invalid});
  const std::string unknown = "apiVersion: none.io/v1\nkind: Gadget\nmetadata: {name: x}\n---\n" + map_yaml("c", "1");
  both.run({{"apply", "--server-side", "-f", "-"}, Compare::all, false, unknown});
  const std::string field = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: f}\nnonsense: 1\n";
  both.run({{"apply", "--server-side", "-f", "-"}, Compare::status, false, field});
  both.run({{"create", "--validate=warn", "-f", "-"}, Compare::all, true, field});
  both.run({{"create", "--validate=ignore", "-f", "-"},
            Compare::all,
            false,
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: g}\nx: 1\n"});
  both.run({{"apply", "--server-side", "-f", "/no/such/file"}, Compare::all, true});
  both.run({{"apply", "--server-side", "-f", "-"}, Compare::all, true, "# nothing\n"});
  both.run({{"create", "-f", "-"}, Compare::all, true, "# nothing\n"});
  both.run({{"patch", "-f", "-", "-p", "{}"}, Compare::all, true, "# nothing\n"});
  both.run({{"apply", "--server-side", "-f", "-"}, Compare::all, false, "a: [b"});
  both.run({{"apply", "--server-side", "-f", "-", "-n", "other"},
            Compare::all,
            true,
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: this}\n"});
  both.run({{"get", "cm", "-o", "json"}, Compare::json});
}

TEST_CASE("apply: several objects are one List") {
  TwoPrograms both;
  for (const char* format : {"json", "yaml", "name"}) {
    both.run({{"apply", "--server-side", "-f", "-", "-o", format},
              std::string(format) == "json" ? Compare::json : Compare::status,
              false,
              kMaps});
  }
  const std::string yaml = both.run_ksr({"apply", "-f", "-", "-o", "yaml"}, kMaps).output;
  CHECK(yaml.rfind("apiVersion: v1\nitems:\n- apiVersion: v1\n", 0) == 0);
  CHECK(yaml.find("\nkind: List\nmetadata: {}\n") != std::string::npos);
  const std::string typed = "apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: four}\n";
  both.run({{"apply", "--server-side", "-f", "-"}, Compare::all, false, typed});
}

// kubectl sends what stands before the mistake.
TEST_CASE("a file of which a part cannot be read: nothing is sent") {
  TwoPrograms both;
  const std::string json = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"p1"}})";
  for (const std::string& text :
       {map_yaml("p1", "1") + "--- {apiVersion: v1, kind: ConfigMap, metadata: {name: p2}}\n",
        "--- !!map\n" + map_yaml("p1", "1"), "--- &x\n" + map_yaml("p1", "1"), map_yaml("p1", "1") + "--- junk\n",
        map_yaml("p1", "1") + "...\nfoo bar\n", map_yaml("p1", std::string(1, '\0')),
        map_yaml("p1", "1") + "binaryData: {null: x}\n", map_yaml("p1", "\xff"), json + "\n" + json.substr(0, 50),
        json + " garbage", json + "\n, " + json, json + "\n" + map_yaml("p2", "1")}) {
    for (const char* command : {"apply", "create"}) {
      CAPTURE(text);
      const ProgramEnd end = both.run_ksr({command, "-f", "-"}, text);
      CHECK(end.status == 1);
      CHECK(end.output == "");
      CHECK(end.errors.rfind("error: error parsing STDIN: ", 0) == 0);
      CHECK(std::count(end.errors.begin(), end.errors.end(), '\n') == 1);
    }
  }
  CHECK(both.run_ksr({"get", "cm", "-o", "name"}).output == "");
  both.run({{"apply", "--server-side", "-f", "-"}, Compare::all, false, json + "\n---\n" + json});
}

TEST_CASE("the namespace of an object and that of the command") {
  TwoPrograms both;
  const std::string object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: elsewhere, namespace: default}\n";
  CHECK(both.run_kubectl({"apply", "--server-side", "-f", "-", "-n", "default"}, object).status == 0);
  const std::string file = both.file("elsewhere.yaml", map_yaml("first", "1") + "---\n" + object);
  const std::string alone = both.file("alone.yaml", object);
  both.make(map_yaml("first", "1"));
  both.run({{"delete", "-f", alone, "-n", "kube-system"}, Compare::all, true});
  both.run({{"patch", "-f", alone, "-n", "kube-system", "-p", "{}"}, Compare::all, true});
  both.run({{"get", "-f", alone, "-n", "kube-system"}, Compare::all, true});
  both.run({{"wait", "-f", alone, "-n", "kube-system", "--for=create"}, Compare::all, true});
  both.run({{"apply", "--server-side", "-f", alone, "-n", "kube-system"}, Compare::all, true});
  both.run({{"create", "-f", alone, "-n", "kube-system"}, Compare::all, true});
  // Of several objects none is touched by ksr.
  CHECK(both.run_ksr({"delete", "-f", file, "-n", both.namespace_of_ksr()}).status == 1);
  CHECK(both.run_ksr({"get", "-f", file}).status == 0);
  // Where no namespace is given, the object's own counts.
  both.run({{"get", "-f", alone}});
  CHECK(both.run_ksr({"delete", "-f", alone}).status == 0);
  // That of a cluster-scoped object is ignored.
  const std::string stray = "apiVersion: v1\nkind: Namespace\nmetadata: {name: default, namespace: stray}\n";
  both.run({{"apply", "--server-side", "-f", "-", "-n", "NS"}, Compare::all, true, stray});
  both.run({{"get", "-f", "-", "-o", "name", "-n", "NS"}, Compare::all, true, stray});
}

TEST_CASE("create") {
  TwoPrograms both;
  both.run({{"create", "-f", "-"}, Compare::all, false, kMaps});
  // "one" is there already, and "two" and "three": three lines.
  both.run({{"create", "-f", "-"}, Compare::all, true, kMaps});
  both.run({{"create", "-f", "-", "-o", "yaml", "--dry-run=server"}, Compare::status, false, map_yaml("dry", "1")});
  both.run({{"create", "-f", "-", "--dry-run=server"}, Compare::all, false, map_yaml("dry", "1")});
  both.run({{"create", "-f", "-", "-o", "json"}, Compare::json, false, map_yaml("four", "1")});
  both.run({{"create", "-f", "-"},
            Compare::status,
            false,
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: some-}\n"});
  both.run({{"create", "-f", "-", "-n", "no-such-namespace"}, Compare::all, true, map_yaml("x", "1")});
  TwoPrograms unprivileged(unprivileged_user());
  unprivileged.run({{"create", "-f", "-"}, Compare::all, false, map_yaml("x", "1")});
}

TEST_CASE("delete") {
  TwoPrograms both;
  both.make(kMaps);
  both.make(kPods);
  both.run({{"delete", "cm", "one", "--dry-run=server"}});
  both.run({{"delete", "cm", "one"}});
  both.run({{"delete", "cm", "one"}, Compare::all, true});
  both.run({{"delete", "cm", "one", "two"}, Compare::all, true});
  both.run({{"delete", "cm", "one", "--ignore-not-found"}});
  both.run({{"delete", "cm/three", "-o", "name"}});
  both.run({{"create", "-f", "-"}, Compare::all, false, kMaps});
  both.run({{"delete", "-f", "-"}, Compare::all, false, kMaps});
  both.run({{"delete", "-f", "-"}, Compare::all, true, kMaps});
  both.run({{"delete", "pod", "web", "--grace-period=0", "--force"}, Compare::all, true});
  both.run({{"delete", "pods", "-l", "app=db", "--now"}});
  both.run({{"delete", "pods", "--all"}});
  // Whose finalizer no controller removes here.
  both.run({{"delete", "deploy", "web", "--cascade=orphan", "--wait=false"}});
  both.run({{"delete", "cm"}, Compare::all, true});
  // What is empty or blank selects nothing; else all would go.
  both.make(map_yaml("stays", "1"));
  for (const char* blank : {"", " ", "\t"}) {
    both.run({{"delete", "cm", "-l", blank}, Compare::all, true});
    both.run({{"delete", "cm", "--field-selector", blank}, Compare::all, true});
    both.run({{"delete", "cm", std::string("--selector=") + blank, "--dry-run=server"}, Compare::all, true});
    both.run({{"wait", "cm", "-l", blank, "--for=delete"}, Compare::all, true});
  }
  CHECK(both.run_ksr({"delete", "cm", "--field-selector", ","}).status == 1);
  both.run({{"delete", "cm", ""}, Compare::all, true});
  both.run({{"delete", "cm", "", "--all"}, Compare::status});
  both.run({{"get", "cm", "stays", "-l", "", "-o", "name"}});
  both.run({{"delete", "cm", "stays", "-l", " "}});
  both.run({{"delete", "-f", "-"}, Compare::all, true, "# nothing\n"});
  both.run({{"delete", "gadgets", "x"}, Compare::all, true});
  both.run({{"delete", "cm", "x", "--cascade=up"}});
  // One that a finalizer keeps.
  both.make("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, finalizers: [ksr.test/kept]}\n");
  both.run({{"delete", "cm", "kept", "--timeout=1s"}, Compare::all, true});
  both.run({{"delete", "cm", "kept", "--wait=false"}});
  both.run({{"patch", "cm", "kept", "--type=json", "-p", R"([{"op":"remove","path":"/metadata/finalizers"}])"}});
  both.run({{"get", "cm,po,deploy", "-o", "name"}});
}

TEST_CASE("patch") {
  Cluster::shared().install_widget_crd();
  TwoPrograms both;
  both.make(kMaps);
  both.make(kPods);
  both.make(kWidget);
  both.run({{"patch", "cm", "one", "-p", R"({"data":{"b":"2"}})"}});
  both.run({{"patch", "cm", "one", "-p", R"({"data":{"b":"2"}})"}});
  both.run({{"patch", "cm/one", "--type", "merge", "-p", "data: {c: \"3\"}"}});
  both.run({{"patch", "cm", "one", "--type=json", "-p", R"([{"op":"replace","path":"/data/c","value":"4"}])"}});
  both.run({{"patch", "cm", "one", "-p", R"({"data":{"d":"2"}})", "--dry-run=server", "-o", "json"}, Compare::json});
  both.run({{"patch", "deploy", "web", "-p",
             R"({"spec":{"template":{"spec":{"containers":[{"name":"main","image":"registry.test/app:2"}]}}}})"}});
  both.run({{"patch", "deploy", "web", "--subresource=scale", "--type=merge", "-p", R"({"spec":{"replicas":5}})"}});
  both.run({{"patch", "wd", "small", "--subresource", "status", "--type", "merge", "-p", R"({"status":{"x":1}})"}});
  both.run({{"patch", "wd", "small", "-p", R"({"spec":{"size":9}})"}});
  both.run({{"patch", "cm", "one", "--type=merge", "-p", R"({"data":{"f":"1","f":"2"}})"}, Compare::all, true});
  both.run({{"patch", "cm", "none", "-p", "{}"}, Compare::all, true});
  both.run({{"patch", "cm", "one", "-p", R"({"data":7})"}});
  both.run({{"patch", "cm", "one", "-p", "[not"}});
  both.run({{"patch", "cm", "one"}});
  both.run({{"patch", "cm", "one", "--type", "odd", "-p", "{}"}});
  both.run({{"patch", "cm", "one", "--patch-file", both.file("patch.yaml", "data:\n  e: \"5\"\n"), "-o", "name"}});
  both.run({{"get", "cm,deploy,wd", "-o", "json"}, Compare::json});
}

TEST_CASE("raw paths") {
  TwoPrograms both;
  both.make(kMaps);
  both.compare_reads({"get", "--raw", "/version"}, {"raw", "/version"});
  both.compare_reads({"get", "--raw", "/healthz"}, {"raw", "/healthz"});
  both.compare_reads({"get", "--raw", "/api/v1/namespaces/NS/configmaps?limit=2"},
                     {"raw", "/api/v1/namespaces/NS/configmaps?limit=2"});
  both.read({"get", "--raw", "/apis"});
  both.read({"get", "--raw", "/no/such/path"});
  both.compare_reads({"get", "--raw", "/api/v1/namespaces/NS/configmaps/none"},
                     {"raw", "/api/v1/namespaces/NS/configmaps/none"}, true);
  const std::string path = "/api/v1/namespaces/NS/configmaps";
  const std::string body = both.file("map.json", R"({"metadata":{"name":"raw"}})");
  CHECK(both.run_ksr({"raw", path, "-X", "POST", "-f", body}).status == 0);
  CHECK(both.run_ksr({"get", "cm", "raw", "-o", "name"}).output == "configmap/raw\n");
  CHECK(both.run_ksr({"raw", "-X", "delete", path + "/raw"}).status == 0);
  CHECK(both.run_ksr({"get", "cm", "raw"}).status == 1);
}

TEST_CASE("can-i") {
  TwoPrograms both;
  Cluster::shared().allow_reading(reader_user(), both.namespace_of_kubectl(), "", "configmaps");
  for (const User& user : {admin_user(), reader_user(), unprivileged_user()}) {
    // One command, two names.
    for (std::vector<std::string> words : std::vector<std::vector<std::string>>{{"get", "cm"},
                                                                                {"create", "cm"},
                                                                                {"get", "cm/one"},
                                                                                {"list", "deploy", "-A"},
                                                                                {"get", "/healthz"},
                                                                                {"get", "pods", "--subresource=log"},
                                                                                {"get", "cm", "-n", "default"},
                                                                                {"*", "*"},
                                                                                {"delete", "ns"},
                                                                                {"get", "gadgets"},
                                                                                {"odd", "cm"},
                                                                                {"get", "cm", "-q"},
                                                                                {"get"},
                                                                                {"update", "deployments.apps/web"}}) {
      words.insert(words.end(), {"--token", user.token});
      std::vector<std::string> of_kubectl{"auth", "can-i"}, of_ksr{"can-i"};
      of_kubectl.insert(of_kubectl.end(), words.begin(), words.end());
      of_ksr.insert(of_ksr.end(), words.begin(), words.end());
      both.compare_reads(of_kubectl, of_ksr);
    }
  }
  both.read({"auth", "can-i", "get", "cm"});
}

TEST_CASE("who asks: impersonation, another server, another context") {
  TwoPrograms both;
  both.read({"get", "cm", "--as", "somebody"}, true);
  both.read({"get", "cm", "--as", "admin", "--as-group", "system:masters", "--as-group", "others"}, true);
  both.read({"--token", "wrong", "get", "cm"}, true);
  both.read({"-n", "kube-system", "get", "cm", "-o", "name"});
  both.read({"get", "cm", "--context", "nowhere"});
  both.read({"get", "cm", "--kubeconfig", "/no/such/file"});
  both.read({"get", "cm", "--server", "https://127.0.0.1:1"});
  // With the credentials, the CA and the namespace of the context.
  both.read({"get", "cm", "-o", "name", "--server", Cluster::shared().url()});
}

TEST_CASE("no namespace is that of the context") {
  TwoPrograms both;
  both.make(kMaps);
  both.read({"get", "cm", "-n", "", "-o", "name"});
  both.run({{"delete", "cm", "--all", "-n", ""}});
  CHECK(Cluster::shared().admin().find(configmaps_path("kube-system", "extension-apiserver-authentication")));
}

TEST_CASE("a whole number that is written with a point") {
  TwoPrograms both;
  both.make(kPods);
  both.run({{"patch", "deploy", "web", "-p", "spec: {replicas: 3.0}"}});
  both.run({{"get", "deploy", "web", "-o", "json"}, Compare::json});
}

TEST_CASE("standard output that ends early, a full disk") {
  TwoPrograms both;
  const ProgramEnd cut = both.run_shell("\"$ksr\" get clusterroles -o json | head -n 1");
  CHECK(cut.status == 0);
  CHECK(cut.output == "{\n");
  CHECK(cut.errors == "");
  // What was asked for is done all the same.
  const std::string file = both.file("maps.yaml", kMaps);
  CHECK(both.run_shell("\"$ksr\" create -f " + file + " | true").status == 0);
  CHECK(both.run_ksr({"get", "cm", "-o", "name"}).output == "configmap/one\nconfigmap/three\nconfigmap/two\n");
  const ProgramEnd full = both.run_shell("\"$ksr\" get clusterroles >/dev/full");
  CHECK(full.status == 1);
  CHECK(full.errors == "error: standard output: No space left on device\n");
  const ProgramEnd closed = both.run_shell("\"$ksr\" get clusterroles >&-");
  CHECK(closed.status == 1);
  CHECK(closed.errors == "error: standard output is closed\n");
}

// A server that answers every request with 500, and counts.
TEST_CASE("a write that may have been carried out is not repeated") {
  TwoPrograms both;
  const std::string server = both.file("server.py", R"(
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        print("POST", flush=True)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b'{"kind":"Status","apiVersion":"v1","status":"Failure","message":"broken","reason":"InternalError","code":500}'
        self.send_response(500)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *unused):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
)");
  const ProgramEnd end = both.run_shell("coproc python3 " + server + R"(
read -r port <&"${COPROC[0]}"
echo '{}' | "$ksr" raw /x -X POST -f - --server "http://127.0.0.1:$port"
echo "status $?"
kill "$COPROC_PID"
cat <&"${COPROC[0]}"
)");
  CHECK(end.output == "status 1\nPOST\n");
  CHECK(end.errors == "Error from server (InternalError): broken\n");
}

TEST_CASE("a token leaves the command line") {
  TwoPrograms both;
  // It waits for its standard input, while its command line can be read.
  const ProgramEnd shown = both.run_shell(R"(
mkfifo "$HOME/fifo" && exec 3<>"$HOME/fifo"
"$ksr" --token s3cret-of-the-user create -f - <"$HOME/fifo" 3<&- >&2 & pid=$!
words() { tr '\0' ' ' </proc/$pid/cmdline; }
for i in $(seq 300); do words | grep -q -- '--token \*' && break; sleep 0.1; done
words
exec 3<&-
wait $pid
)");
  CHECK(shown.output.find("--token ****") != std::string::npos);
  CHECK(shown.output.find("s3cret") == std::string::npos);
  CHECK(shown.errors.find("s3cret") == std::string::npos);
}

TEST_CASE("help, versions, and mistakes") {
  TwoPrograms both;
  CHECK(both.run_ksr({"--version"}).output.rfind("ksr ", 0) == 0);
  CHECK(both.run_ksr({}).output.rfind("Usage: ksr ", 0) == 0);
  for (const char* command :
       {"get", "create", "apply", "delete", "patch", "raw", "can-i", "logs", "exec", "attach", "port-forward"}) {
    const ProgramEnd help = both.run_ksr({command, "--help"});
    CHECK(help.status == 0);
    CHECK(help.output.rfind(std::string("Usage: ksr ") + command, 0) == 0);
  }
  const ProgramEnd watch = both.run_ksr({"watch", "--help"});
  CHECK(watch.output.rfind("Usage: ksr-watch ", 0) == 0);
  const ProgramEnd names = both.run_ksr({"-n", "default", "watch", "cm", "-o", "names", "--once"});
  CHECK(names.status == 0);
  const ProgramEnd unknown = both.run_ksr({"frobnicate"});
  CHECK(unknown.status == 1);
  CHECK(unknown.errors == "error: unknown command \"frobnicate\" (see ksr --help)\n");
  // Nothing is sent for them: the server does not exist.
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"apply"},
                                             {"create", "-f", "/no/such/file"},
                                             {"patch", "cm", "one"},
                                             {"delete", "cm", "x", "--dry-run=never"},
                                             {"apply", "-f", "-", "--validate=odd"},
                                             {"get", "cm", "--set", "no_such_key=1"},
                                             {"raw"},
                                             {"delete", "cm"},
                                             {"get", "cm", "one", "-A"},
                                             {"get", "cm", "-o", "xml"},
                                             {"delete", "cm", "x", "--cascade=up"},
                                             {"can-i", "get"},
                                             {"patch", "cm", "one", "-p", "[x"}}) {
    std::vector<std::string> arguments = words;
    arguments.insert(arguments.end(), {"--server", "https://127.0.0.1:1"});
    const ProgramEnd end = both.run_ksr(arguments, "a: b");
    CAPTURE(end.errors);
    CHECK(end.status == 1);
    CHECK(end.errors.find("127.0.0.1") == std::string::npos);
    CHECK(std::count(end.errors.begin(), end.errors.end(), '\n') == 1);
  }
}

TEST_CASE("what a credential plugin says is seen") {
  TwoPrograms both;
  const std::string kubectl = std::string(KSR_CLUSTER_BIN_DIR) + "/kubectl";
  const ProgramEnd end = both.run_shell("set -e; K=" + kubectl + R"sh(; D=$(mktemp -d); cd $D
cp $KUBECONFIG k; export KUBECONFIG=$D/k PATH=$D:$PATH
printf '#!/bin/sh\necho "code: AB-CD" >&2\necho '"'"'%s"status":{"token":"%s"}}'"'\n" \
  '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1",' \
  "$($K config view --raw -o 'jsonpath={.users[0].user.token}')" >plug
chmod 700 plug
$K config set-credentials plug --exec-api-version=client.authentication.k8s.io/v1beta1 --exec-command=plug >/dev/null
$K config set-context --current --user=plug >/dev/null
for command in "get ns default -o name" "watch namespace/default -o name --once" "get ns default -w --once -o name"; do
  $ksr $command 2>e; sort -u e
done
TERM=xterm script -qec "$ksr watch namespace/default --seconds 3" /dev/null </dev/null >t
head -c 11 t
cd /; rm -rf $D)sh");
  CAPTURE(end.errors);
  CHECK(end.status == 0);
  const std::string one = "namespace/default\ncode: AB-CD\n";
  // On a terminal before the table, which would be painted over it.
  CHECK(end.output == one + one + one + "code: AB-CD");
}

TEST_CASE("get NAME -w and delete need no right to list") {
  TwoPrograms both;
  const std::string kubectl = std::string(KSR_CLUSTER_BIN_DIR) + "/kubectl";
  const ProgramEnd end = both.run_shell("set -e; K=" + kubectl + R"sh(; D=$(mktemp -d); cd $D
for name in watches gets; do $K create serviceaccount $name; done >/dev/null
$K create role watches --verb=get,watch,delete --resource=configmaps >/dev/null
$K create role gets --verb=get,delete --resource=configmaps >/dev/null
for name in watches gets; do $K create rolebinding $name --role=$name --user=$name; done >/dev/null
printf '%s' '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"held","finalizers":["ksr.test/held"]},"data":{"a":"b"}}' |
  $K create -f - >/dev/null
$ksr get cm held -w --once --no-headers --as watches | sed -E 's/ +/ /g; s/[0-9]+s/AGE/'
for name in watches gets; do
  $ksr delete cm held --as $name --timeout 60s >/dev/null & waits[${#waits[*]}]=$!
done
sleep 3; kill -0 ${waits[*]}
$K patch cm held --type=merge -p '{"metadata":{"finalizers":null}}' >/dev/null
for one in ${waits[*]}; do wait $one; done
$K create configmap brief >/dev/null
$ksr delete cm brief --as gets
cd /; rm -rf $D)sh");
  CAPTURE(end.errors);
  CHECK(end.status == 0);
  CHECK(end.output == "held 1 AGE\nconfigmap \"brief\" deleted from " + both.namespace_of_ksr() + " namespace\n");
}
