package main

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Placeholders for what differs between two pods of one shape. Each is as wide as the value that replaces it, in JSON and in
// protobuf alike, so that a pod is written by one copy and a few overwritten bytes.
const (
	namePrefix      = "web-7d4b9c6f5d-"
	markName        = namePrefix + "zzzzz"
	markNamespace   = "team-zzz"
	markUID         = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	markVersion     = "87654321"
	markSequence    = "76543210"
	markSent        = "1234567890123456789"
	markCreated     = 1700000001
	markCreatedText = "2023-11-14T22:13:21Z"

	labelSequence  = "bench.ksr.test/sequence"
	annotationSent = "bench.ksr.test/sent"
)

const fieldsOfController = `{"f:metadata":{"f:annotations":{".":{},"f:prometheus.io/port":{},` +
	`"f:prometheus.io/scrape":{}},` +
	`"f:generateName":{},"f:labels":{".":{},"f:app.kubernetes.io/instance":{},"f:app.kubernetes.io/name":{},` +
	`"f:pod-template-hash":{}},` +
	`"f:ownerReferences":{".":{},"k:{\"uid\":\"4f0c6a4e-8a1c-4a57-9d8c-0e4f5c8ad001\"}":{}}},` +
	`"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:env":{".":{},` +
	`"k:{\"name\":\"LOG_LEVEL\"}":{".":{},"f:name":{},"f:value":{}}},` +
	`"f:image":{},"f:imagePullPolicy":{},"f:name":{},"f:ports":{".":{},` +
	`"k:{\"containerPort\":8080,\"protocol\":\"TCP\"}":{".":{},` +
	`"f:containerPort":{},"f:protocol":{}}},"f:resources":{},"f:terminationMessagePath":{}}},` +
	`"f:dnsPolicy":{},"f:restartPolicy":{}}}`

const fieldsOfKubelet = `{"f:status":{"f:conditions":{"k:{\"type\":\"Ready\"}":{".":{},` +
	`"f:lastProbeTime":{},"f:lastTransitionTime":{},` +
	`"f:status":{},"f:type":{}}},"f:containerStatuses":{},"f:hostIP":{},` +
	`"f:hostIPs":{".":{},"k:{\"ip\":\"10.0.0.17\"}":{".":{},"f:ip":{}}},"f:phase":{},"f:podIP":{},"f:podIPs":{".":{},` +
	`"k:{\"ip\":\"10.244.3.17\"}":{".":{},"f:ip":{}}},"f:startTime":{}}}`

// A pod of a Deployment as a kube-apiserver keeps it: about 4.25 KB of JSON, a third of it managedFields.
func podOfShape(shape int) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metadataOfShape(shape), Spec: specOfShape(shape), Status: statusOfShape(shape)}
}

func metadataOfShape(shape int) metav1.ObjectMeta {
	controller := true
	managed := func(manager, subresource, fields string, seconds int) metav1.ManagedFieldsEntry {
		when := momentOfShape(shape, seconds)
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: "Update", APIVersion: "v1",
			Time: &when, FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{Raw: []byte(fields)}, Subresource: subresource}
	}
	return metav1.ObjectMeta{
		Name: markName, GenerateName: namePrefix, Namespace: markNamespace, UID: types.UID(markUID),
		ResourceVersion: markVersion, CreationTimestamp: metav1.NewTime(time.Unix(markCreated, 0)),
		Labels: map[string]string{"app.kubernetes.io/name": "web",
			"app.kubernetes.io/instance": fmt.Sprintf("web-%02d", shape), "pod-template-hash": "7d4b9c6f5d",
			labelSequence: markSequence},
		Annotations: map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "8080",
			annotationSent: markSent},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-7d4b9c6f5d",
			UID: "4f0c6a4e-8a1c-4a57-9d8c-0e4f5c8ad001", Controller: &controller, BlockOwnerDeletion: &controller}},
		ManagedFields: []metav1.ManagedFieldsEntry{
			managed("kube-controller-manager", "", fieldsOfController, 0), managed("kubelet", "status", fieldsOfKubelet, 7)},
	}
}

func specOfShape(shape int) corev1.PodSpec {
	mode, expires, grace, wait, priority, links := int32(420), int64(3607), int64(30), int64(300), int32(0), true
	preemption := corev1.PreemptLowerPriority
	return corev1.PodSpec{
		Volumes: []corev1.Volume{{Name: "kube-api-access-x7k2p", VolumeSource: corev1.VolumeSource{
			Projected: &corev1.ProjectedVolumeSource{DefaultMode: &mode, Sources: []corev1.VolumeProjection{
				{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{ExpirationSeconds: &expires, Path: "token"}},
				{ConfigMap: &corev1.ConfigMapProjection{
					LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"},
					Items:                []corev1.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}}}},
				{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{{Path: "namespace",
					FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.namespace"}}}}}}}}}},
		Containers:    []corev1.Container{containerOfShape(shape)},
		RestartPolicy: corev1.RestartPolicyAlways, TerminationGracePeriodSeconds: &grace, DNSPolicy: corev1.DNSClusterFirst,
		ServiceAccountName: "default", DeprecatedServiceAccount: "default",
		NodeName:        fmt.Sprintf("node-%02d.example.com", shape),
		SecurityContext: &corev1.PodSecurityContext{}, SchedulerName: "default-scheduler",
		Tolerations: []corev1.Toleration{
			{Key: "node.kubernetes.io/not-ready", Operator: "Exists", Effect: "NoExecute", TolerationSeconds: &wait}},
		Priority: &priority, EnableServiceLinks: &links, PreemptionPolicy: &preemption,
	}
}

func containerOfShape(shape int) corev1.Container {
	quantities := func(cpu, memory string) corev1.ResourceList {
		return corev1.ResourceList{"cpu": resource.MustParse(cpu), "memory": resource.MustParse(memory)}
	}
	return corev1.Container{
		Name: "web", Image: fmt.Sprintf("registry.example.com/team/web:v1.%02d.0", shape),
		Ports:     []corev1.ContainerPort{{ContainerPort: 8080, Protocol: "TCP"}},
		Env:       []corev1.EnvVar{{Name: "LOG_LEVEL", Value: "info"}},
		Resources: corev1.ResourceRequirements{Limits: quantities("500m", "512Mi"), Requests: quantities("100m", "128Mi")},
		VolumeMounts: []corev1.VolumeMount{{Name: "kube-api-access-x7k2p", ReadOnly: true,
			MountPath: "/var/run/secrets/kubernetes.io/serviceaccount"}},
		TerminationMessagePath: "/dev/termination-log", TerminationMessagePolicy: "File", ImagePullPolicy: "IfNotPresent",
	}
}

func statusOfShape(shape int) corev1.PodStatus {
	started, running, yes := momentOfShape(shape, 1), momentOfShape(shape, 4), true
	condition := func(kind corev1.PodConditionType, seconds int) corev1.PodCondition {
		return corev1.PodCondition{Type: kind, Status: "True", LastTransitionTime: momentOfShape(shape, seconds)}
	}
	image := fmt.Sprintf("registry.example.com/team/web:v1.%02d.0", shape)
	address := fmt.Sprintf("10.244.3.%d", shape)
	return corev1.PodStatus{
		Phase: corev1.PodRunning, HostIP: fmt.Sprintf("10.0.0.%d", shape), PodIP: address, StartTime: &started,
		QOSClass: "Burstable",
		Conditions: []corev1.PodCondition{condition("Ready", 7), condition("ContainersReady", 7),
			condition("PodScheduled", 0)},
		PodIPs: []corev1.PodIP{{IP: address}},
		ContainerStatuses: []corev1.ContainerStatus{{Name: "web", Ready: true, Started: &yes, Image: image,
			State:       corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: running}},
			ImageID:     "registry.example.com/team/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
			ContainerID: "containerd://60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"}},
	}
}

func momentOfShape(shape, seconds int) metav1.Time {
	return metav1.NewTime(time.Unix(int64(1795507200+shape*60+seconds), 0))
}
