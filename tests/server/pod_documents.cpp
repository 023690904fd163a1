#include "server/pod_documents.hpp"

#include <boost/json.hpp>

#include "server/object.hpp"

namespace ksr::testserver {
namespace {

namespace json = boost::json;

json::object managed_fields(const char* manager, const char* operation, const char* subresource) {
  json::object fields = {
      {"f:metadata",
       {{"f:annotations", {{".", json::object()}, {"f:prometheus.io/scrape", json::object()}}},
        {"f:labels", {{".", json::object()}, {"f:app", json::object()}, {"f:pod-template-hash", json::object()}}},
        {"f:ownerReferences", {{".", json::object()}, {"k:{\"uid\":\"owner\"}", json::object()}}}}},
      {"f:spec",
       {{"f:containers",
         {{"k:{\"name\":\"main\"}",
           {{".", json::object()},
            {"f:env", {{".", json::object()}, {"k:{\"name\":\"LOG_LEVEL\"}", {{"f:value", json::object()}}}}},
            {"f:image", json::object()},
            {"f:imagePullPolicy", json::object()},
            {"f:livenessProbe", {{"f:failureThreshold", json::object()}, {"f:periodSeconds", json::object()}}},
            {"f:resources", {{"f:limits", json::object()}, {"f:requests", json::object()}}}}}}},
        {"f:dnsPolicy", json::object()},
        {"f:restartPolicy", json::object()}}}};
  json::object entry{{"manager", manager},      {"operation", operation},   {"apiVersion", "v1"},
                     {"time", timestamp_now()}, {"fieldsType", "FieldsV1"}, {"fieldsV1", std::move(fields)}};
  if (*subresource != '\0') entry["subresource"] = subresource;
  return entry;
}

json::object condition(const char* type, bool holds) {
  return {{"type", type},
          {"status", holds ? "True" : "False"},
          {"lastProbeTime", nullptr},
          {"lastTransitionTime", timestamp_now()}};
}

json::object container_state(const PodFacts& facts) {
  if (facts.reason == "Completed") {
    return {{"terminated", {{"exitCode", 0}, {"reason", "Completed"}, {"finishedAt", timestamp_now()}}}};
  }
  if (!facts.reason.empty()) return {{"waiting", {{"reason", facts.reason}}}};
  return {{"running", {{"startedAt", timestamp_now()}}}};
}

json::object main_container(const std::string& workload) {
  json::object resources{{"limits", {{"cpu", "500m"}, {"memory", "256Mi"}}},
                         {"requests", {{"cpu", "100m"}, {"memory", "128Mi"}}}};
  json::object probe{{"httpGet", {{"path", "/healthz"}, {"port", 8080}, {"scheme", "HTTP"}}},
                     {"timeoutSeconds", 1},
                     {"periodSeconds", 10},
                     {"successThreshold", 1},
                     {"failureThreshold", 3}};
  json::array environment{{{"name", "LOG_LEVEL"}, {"value", "info"}},
                          {{"name", "POD_NAME"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "metadata.name"}}}}}}};
  json::array mounts{
      {{"name", "token"}, {"readOnly", true}, {"mountPath", "/var/run/secrets/kubernetes.io/serviceaccount"}}};
  return {{"name", "main"},
          {"image", "images.example.com/" + workload + ":v1.42.0"},
          {"ports", {{{"name", "http"}, {"containerPort", 8080}, {"protocol", "TCP"}}}},
          {"env", std::move(environment)},
          {"resources", std::move(resources)},
          {"volumeMounts", std::move(mounts)},
          {"livenessProbe", probe},
          {"readinessProbe", probe},
          {"terminationMessagePath", "/dev/termination-log"},
          {"terminationMessagePolicy", "File"},
          {"imagePullPolicy", "IfNotPresent"}};
}

}  // namespace

json::object new_pod_document(const std::string& ns, const std::string& name, const std::string& workload) {
  const std::string hash = std::to_string(std::hash<std::string>()(workload) % 10'000'000);
  json::object metadata{
      {"generateName", workload + "-" + hash + "-"},
      {"labels", {{"app", workload}, {"pod-template-hash", hash}, {"tier", ns}}},
      {"annotations", {{"prometheus.io/scrape", "true"}, {"example.com/pod", name}}},
      {"ownerReferences",
       {{{"apiVersion", "apps/v1"},
         {"kind", "ReplicaSet"},
         {"name", workload + "-" + hash},
         {"uid", "owner"},
         {"controller", true},
         {"blockOwnerDeletion", true}}}},
      {"managedFields",
       {managed_fields("kube-controller-manager", "Update", ""), managed_fields("kubelet", "Update", "status")}}};
  json::object spec{{"containers", {main_container(workload)}},
                    {"restartPolicy", "Always"},
                    {"terminationGracePeriodSeconds", 30},
                    {"dnsPolicy", "ClusterFirst"},
                    {"serviceAccountName", workload},
                    {"schedulerName", "default-scheduler"},
                    {"priority", 0},
                    {"enableServiceLinks", true}};
  return {{"metadata", std::move(metadata)}, {"spec", std::move(spec)}, {"status", {{"phase", "Pending"}}}};
}

json::object pod_state_patch(const PodFacts& facts) {
  json::object status{{"phase", facts.phase}, {"qosClass", "Burstable"}};
  if (!facts.node.empty()) {
    status["hostIP"] = "192.0.2.10";
    status["startTime"] = timestamp_now();
    status["conditions"] = {condition("Initialized", true), condition("Ready", facts.ready),
                            condition("ContainersReady", facts.ready), condition("PodScheduled", true)};
    status["containerStatuses"] = {
        {{"name", "main"},
         {"state", container_state(facts)},
         {"ready", facts.ready},
         {"restartCount", facts.restarts},
         {"image", "images.example.com/" + facts.workload + ":v1.42.0"},
         {"imageID", "images.example.com/" + facts.workload + "@sha256:" + std::string(64, 'c')},
         {"started", facts.ready}}};
  }
  json::object patch{{"status", std::move(status)}};
  if (!facts.node.empty()) patch["spec"] = {{"nodeName", facts.node}};
  return patch;
}

}  // namespace ksr::testserver
