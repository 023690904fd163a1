// Pods as a kube-apiserver writes them, about 4.25 KB each, a third of it managedFields.
#pragma once

#include <string>

namespace ksr::bench {

inline std::string managed_fields() {
  std::string out = "[";
  for (const char* manager : {"kube-controller-manager", "kubelet"}) {
    if (out.size() > 1) out += ',';
    out +=
        std::string(R"({"manager":")") + manager +
        R"(","operation":"Update","apiVersion":"v1","time":"2026-11-24T08:00:00Z","fieldsType":"FieldsV1",)"
        R"("fieldsV1":{"f:metadata":{"f:generateName":{},"f:labels":{".":{},"f:app":{},"f:pod-template-hash":{}},)"
        R"("f:ownerReferences":{".":{},"k:{\"uid\":\"4f0c6a4e-8a1c-4a57-9d8c-0e4f5c8ad001\"}":{}}},"f:spec":{)"
        R"("f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:image":{},"f:imagePullPolicy":{},"f:name":{},"f:ports":)"
        R"({".":{},"k:{\"containerPort\":8080,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{},"f:protocol":{}}},)"
        R"("f:resources":{},"f:terminationMessagePath":{}}},"f:dnsPolicy":{},"f:restartPolicy":{}}}})";
  }
  return out + "]";
}

inline std::string pod(int number, bool typed) {
  const std::string n = std::to_string(1000000 + number);
  return std::string("{") + (typed ? R"("kind":"Pod","apiVersion":"v1",)" : "") +
         R"("metadata":{"name":"web-7d4b9c6f5d-)" + n + R"(","generateName":"web-7d4b9c6f5d-","namespace":"team-)" +
         std::to_string(number % 100) + R"(","uid":"4f0c6a4e-8a1c-4a57-9d8c-0e4f5)" + n + R"(","resourceVersion":")" +
         n +
         R"(","creationTimestamp":"2026-11-24T08:00:00Z","labels":{"app":"web","pod-template-hash":"7d4b9c6f5d",)"
         R"("app.kubernetes.io/instance":"web","app.kubernetes.io/managed-by":"Helm"},"annotations":{)"
         R"("kubernetes.io/config.seen":"2026-11-24T08:00:00.123456789Z","kubernetes.io/config.source":"api",)"
         R"("prometheus.io/scrape":"true","prometheus.io/port":"8080"},"ownerReferences":[{"apiVersion":"apps/v1",)"
         R"("kind":"ReplicaSet","name":"web-7d4b9c6f5d","uid":"4f0c6a4e-8a1c-4a57-9d8c-0e4f5c8ad001","controller":true,)"
         R"("blockOwnerDeletion":true}],"managedFields":)" +
         managed_fields() +
         R"(},"spec":{"volumes":[{"name":"kube-api-access-x7k2p","projected":{"sources":[{"serviceAccountToken":{)"
         R"("expirationSeconds":3607,"path":"token"}},{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt",)"
         R"("path":"ca.crt"}]}},{"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"apiVersion":"v1","fieldPath":)"
         R"("metadata.namespace"}}]}}],"defaultMode":420}}],"containers":[{"name":"web","image":)"
         R"("registry.example.com/team/web:v1.42.0","ports":[{"containerPort":8080,"protocol":"TCP"}],"env":[{"name":)"
         R"("LOG_LEVEL","value":"info"},{"name":"POD_IP","valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":)"
         R"("status.podIP"}}}],"resources":{"limits":{"cpu":"500m","memory":"512Mi"},"requests":{"cpu":"100m","memory":)"
         R"("128Mi"}},"volumeMounts":[{"name":"kube-api-access-x7k2p","readOnly":true,"mountPath":)"
         R"("/var/run/secrets/kubernetes.io/serviceaccount"}],"terminationMessagePath":"/dev/termination-log",)"
         R"("terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}],"restartPolicy":"Always",)"
         R"("terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"default","serviceAccount":)"
         R"("default","nodeName":"node-17.example.com","securityContext":{},"schedulerName":"default-scheduler",)"
         R"("tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute",)"
         R"("tolerationSeconds":300}],"priority":0,"enableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority"},)"
         R"("status":{"phase":"Running","conditions":[{"type":"Ready","status":"True","lastProbeTime":null,)"
         R"("lastTransitionTime":"2026-11-24T08:00:05Z"},{"type":"PodScheduled","status":"True","lastProbeTime":null,)"
         R"("lastTransitionTime":"2026-11-24T08:00:00Z"}],"hostIP":"10.0.0.17","podIP":"10.244.3.17","podIPs":[{"ip":)"
         R"("10.244.3.17"}],"startTime":"2026-11-24T08:00:00Z","containerStatuses":[{"name":"web","state":{"running":{)"
         R"("startedAt":"2026-11-24T08:00:04Z"}},"lastState":{},"ready":true,"restartCount":0,"image":)"
         R"("registry.example.com/team/web:v1.42.0","imageID":"registry.example.com/team/web@sha256:)"
         R"(9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","containerID":"containerd://)"
         R"(60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752","started":true}],"qosClass":"Burstable"}})";
}

}  // namespace ksr::bench
