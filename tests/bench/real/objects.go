package main

import (
	"crypto/sha256"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	namespace       = "bench"
	podsPerWorkload = 50
	gadgetsGroup    = "bench.ksr.test"
)

var (
	gadgets = schema.GroupVersionResource{Group: gadgetsGroup, Version: "v1", Resource: "gadgets"}
	crds    = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
)

// Random to look at, and so not compressible; always the same for the same words.
func digest(words ...any) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(fmt.Sprint(words...))))
}

// A pod of a Deployment: with its status about 4.5 KB of JSON, a third of it the managedFields that the server adds. The pods
// of one workload have the same template, as in any cluster.
func newPod(number int) *corev1.Pod {
	workload := number / podsPerWorkload
	hash := digest("template", workload)[:10]
	name := fmt.Sprintf("service-%03d-%s-%s", workload, hash, digest("pod", number)[:8])
	yes, seconds := true, int64(300)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name,
			Labels: map[string]string{"app.kubernetes.io/name": fmt.Sprintf("service-%03d", workload),
				"app.kubernetes.io/part-of": "shop", "pod-template-hash": hash},
			Annotations: map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "8080",
				"checksum/config": digest("config", workload)},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet",
				Name: fmt.Sprintf("service-%03d-%s", workload, hash), UID: "4f0c6a4e-8a1c-4a57-9d8c-0e4f5c8ad001",
				Controller: &yes, BlockOwnerDeletion: &yes}}},
		Spec: corev1.PodSpec{NodeName: nodeOf(number), Containers: []corev1.Container{newContainer(workload)},
			Volumes: []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
			Tolerations: []corev1.Toleration{
				{Key: "node.kubernetes.io/not-ready", Operator: "Exists", Effect: "NoExecute", TolerationSeconds: &seconds},
				{Key: "node.kubernetes.io/unreachable", Operator: "Exists", Effect: "NoExecute", TolerationSeconds: &seconds}}},
	}
}

func nodeOf(number int) string { return fmt.Sprintf("node-%03d.example.com", number%200) }

func newContainer(workload int) corev1.Container {
	quantities := func(cpu, memory string) corev1.ResourceList {
		return corev1.ResourceList{"cpu": resource.MustParse(cpu), "memory": resource.MustParse(memory)}
	}
	return corev1.Container{Name: "main", Image: imageOf(workload),
		Ports:        []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: "TCP"}},
		Env:          []corev1.EnvVar{{Name: "LOG_LEVEL", Value: digest("env", workload)[:12]}},
		Resources:    corev1.ResourceRequirements{Limits: quantities("500m", "512Mi"), Requests: quantities("100m", "128Mi")},
		VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}}
}

func imageOf(workload int) string {
	return fmt.Sprintf("registry.example.com/shop/service-%03d:v1.%d.0", workload, workload%17)
}

// The pod with the status that a kubelet would have set; `restarts` tells two changes from one another.
func withStatus(number, restarts int) *corev1.Pod {
	pod := newPod(number)
	workload, yes := number/podsPerWorkload, true
	started := metav1.Unix(int64(1795507200+number), 0)
	condition := func(kind corev1.PodConditionType) corev1.PodCondition {
		return corev1.PodCondition{Type: kind, Status: "True", LastTransitionTime: started}
	}
	address := fmt.Sprintf("10.%d.%d.%d", 64+number>>16&63, number>>8&255, number&255)
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: address, PodIPs: []corev1.PodIP{{IP: address}},
		HostIP: fmt.Sprintf("10.0.0.%d", number%200), StartTime: &started, QOSClass: "Burstable",
		Conditions: []corev1.PodCondition{condition("Ready"), condition("ContainersReady"), condition("PodScheduled")},
		ContainerStatuses: []corev1.ContainerStatus{{Name: "main", Ready: true, Started: &yes, RestartCount: int32(restarts),
			State:       corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}},
			Image:       imageOf(workload),
			ImageID:     "registry.example.com/shop/service@sha256:" + digest("image", workload),
			ContainerID: "containerd://" + digest("container", number, restarts)}}}
	return pod
}

func newDefinition() *unstructured.Unstructured {
	anything := map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
	scheme := map[string]any{"type": "object", "properties": map[string]any{"spec": anything, "status": anything}}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": "gadgets." + gadgetsGroup},
		"spec": map[string]any{"group": gadgetsGroup, "scope": "Namespaced",
			"names": map[string]any{"plural": "gadgets", "singular": "gadget", "kind": "Gadget"},
			"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": scheme}}}}}}
}

// A custom object of about 2 KB.
func newGadget(number int) *unstructured.Unstructured {
	rules := []any{}
	for i := range 8 {
		rules = append(rules, map[string]any{"host": fmt.Sprintf("%s.example.com", digest("host", number, i)[:12]),
			"path": "/" + digest("path", number/podsPerWorkload, i)[:16], "port": int64(8000 + i), "weight": int64(100 - i),
			"service": fmt.Sprintf("service-%03d", number/podsPerWorkload), "timeout": "30s"})
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": gadgetsGroup + "/v1", "kind": "Gadget",
		"metadata": map[string]any{"namespace": namespace, "name": "gadget-" + digest("gadget", number)[:12]},
		"spec":     map[string]any{"rules": rules, "checksum": digest("spec", number), "replicas": int64(number % 7)}}}
}
