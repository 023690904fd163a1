#include "cluster/harness/objects.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace ksr::clustertest {
namespace {

namespace json = boost::json;

std::string object_path(const std::string& group_version, const std::string& ns, const std::string& resource,
                        const std::string& name) {
  std::string path = "/" + group_version;
  if (!ns.empty()) path += "/namespaces/" + ns;
  path += "/" + resource;
  if (!name.empty()) path += "/" + name;
  return path;
}

json::object texts(const TextMap& map) {
  json::object object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

json::object metadata(const std::string& ns, const std::string& name, const TextMap& labels = {}) {
  json::object object{{"name", name}};
  if (!ns.empty()) object["namespace"] = ns;
  if (!labels.empty()) object["labels"] = texts(labels);
  return object;
}

json::object envelope(const char* api_version, const char* kind, json::object meta) {
  return {{"apiVersion", api_version}, {"kind", kind}, {"metadata", std::move(meta)}};
}

json::object widget_schema() {
  const json::object open{{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
  const json::object spec{{"type", "object"}, {"properties", {{"size", {{"type", "integer"}}}}}};
  return {{"type", "object"}, {"properties", {{"spec", spec}, {"status", open}}}};
}

}  // namespace

std::string pods_path(const std::string& ns, const std::string& name) {
  return object_path("api/v1", ns, "pods", name);
}
std::string configmaps_path(const std::string& ns, const std::string& name) {
  return object_path("api/v1", ns, "configmaps", name);
}
std::string events_path(const std::string& ns, const std::string& name) {
  return object_path("api/v1", ns, "events", name);
}
std::string widgets_path(const std::string& ns, const std::string& name) {
  return object_path("apis/ksr.test/v1", ns, "widgets", name);
}
std::string namespaces_path(const std::string& name) {
  return object_path("api/v1", "", "namespaces", name);
}

json::object make_pod(const std::string& ns, const std::string& name, const TextMap& labels) {
  json::object pod = envelope("v1", "Pod", metadata(ns, name, labels));
  pod["spec"] = {{"containers", json::array{json::object{{"name", "main"}, {"image", "registry.test/app:1"}}}}};
  return pod;
}

json::object make_configmap(const std::string& ns, const std::string& name, const TextMap& data,
                            const TextMap& labels) {
  json::object map = envelope("v1", "ConfigMap", metadata(ns, name, labels));
  map["data"] = texts(data);
  return map;
}

json::object make_event(const std::string& ns, const std::string& name, const std::string& last_timestamp) {
  json::object event = envelope("v1", "Event", metadata(ns, name));
  event["involvedObject"] = {{"kind", "Pod"}, {"namespace", ns}, {"name", "absent"}};
  event["reason"] = "Tested";
  event["message"] = "an event of the cluster tests";
  event["type"] = "Normal";
  event["lastTimestamp"] = last_timestamp;
  event["count"] = 1;
  return event;
}

json::object make_namespace(const std::string& name) {
  return envelope("v1", "Namespace", metadata("", name));
}

json::object make_widget_crd() {
  json::object crd = envelope("apiextensions.k8s.io/v1", "CustomResourceDefinition", metadata("", "widgets.ksr.test"));
  const json::object scale{{"specReplicasPath", ".spec.size"}, {"statusReplicasPath", ".status.size"}};
  const json::object version{{"name", "v1"},
                             {"served", true},
                             {"storage", true},
                             {"schema", {{"openAPIV3Schema", widget_schema()}}},
                             {"subresources", {{"status", json::object{}}, {"scale", scale}}}};
  const json::object names{
      {"plural", "widgets"}, {"singular", "widget"}, {"kind", "Widget"}, {"shortNames", json::array{"wd"}}};
  crd["spec"] = {{"group", "ksr.test"}, {"scope", "Namespaced"}, {"names", names}, {"versions", json::array{version}}};
  return crd;
}

json::object make_widget(const std::string& ns, const std::string& name, int size) {
  json::object widget = envelope("ksr.test/v1", "Widget", metadata(ns, name));
  widget["spec"] = {{"size", size}};
  return widget;
}

json::object make_reader_role(const std::string& ns, const std::string& name, const std::string& api_group,
                              const std::string& resource) {
  json::object role = envelope("rbac.authorization.k8s.io/v1", "Role", metadata(ns, name));
  role["rules"] = json::array{json::object{{"apiGroups", json::array{api_group}},
                                           {"resources", json::array{resource}},
                                           {"verbs", json::array{"get", "list", "watch"}}}};
  return role;
}

json::object make_role_binding(const std::string& ns, const std::string& role, const std::string& user) {
  json::object binding = envelope("rbac.authorization.k8s.io/v1", "RoleBinding", metadata(ns, role + "-" + user));
  binding["roleRef"] = {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Role"}, {"name", role}};
  binding["subjects"] =
      json::array{json::object{{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "User"}, {"name", user}}};
  return binding;
}

}  // namespace ksr::clustertest
