package main

import (
	"context"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const readTimeout = 10 * time.Second

type apiserverOptions struct {
	url       string
	caFile    string
	tokenFile string
}

// pods are the Pods bound to this node, read from the kube-apiserver each time they are asked for.
type pods struct {
	client kubernetes.Interface
	node   string
}

func newPods(o apiserverOptions, node string) (*pods, error) {
	client, err := kubernetes.NewForConfig(&rest.Config{
		Host:            o.url,
		BearerTokenFile: o.tokenFile,
		TLSClientConfig: rest.TLSClientConfig{CAFile: o.caFile},
		Timeout:         readTimeout,
		QPS:             -1, // a test asks as often as it likes
	})
	if err != nil {
		return nil, fmt.Errorf("making a client of %s: %w", o.url, err)
	}
	return &pods{client: client, node: node}, nil
}

func (p *pods) find(ctx context.Context, namespace, name string) (*v1.Pod, bool) {
	pod, err := p.client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil || pod.Spec.NodeName != p.node {
		return nil, false
	}
	return pod, true
}

func statusOf(pod *v1.Pod, container string) (v1.ContainerStatus, bool) {
	for _, list := range [][]v1.ContainerStatus{
		pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses, pod.Status.EphemeralContainerStatuses,
	} {
		for _, status := range list {
			if status.Name == container {
				return status, true
			}
		}
	}
	return v1.ContainerStatus{}, false
}

// loggedContainer is the id (RUNTIME://ID) of the container whose log is asked for, by the rules of pkg/kubelet's
// validateContainerLogStatus and with its errors.
func loggedContainer(pod *v1.Pod, container string, previous bool) (string, error) {
	status, found := statusOf(pod, container)
	if !found {
		return "", fmt.Errorf("container %q in pod %q is not available", container, pod.Name)
	}
	last := ""
	if status.LastTerminationState.Terminated != nil {
		last = status.LastTerminationState.Terminated.ContainerID
	}
	state := status.State
	switch {
	case previous && last == "":
		return "", fmt.Errorf("previous terminated container %q in pod %q not found", container, pod.Name)
	case previous:
		return last, nil
	case state.Running != nil:
		return status.ContainerID, nil
	case state.Terminated != nil && state.Terminated.ContainerID != "":
		return state.Terminated.ContainerID, nil
	case last != "":
		return last, nil
	case state.Terminated != nil || status.LastTerminationState.Terminated != nil:
		return "", fmt.Errorf("container %q in pod %q is terminated", container, pod.Name)
	case state.Waiting != nil:
		return "", fmt.Errorf("container %q in pod %q is waiting to start: %v", container, pod.Name, state.Waiting.Reason)
	default:
		return "", fmt.Errorf("container %q in pod %q is waiting to start - no logs yet", container, pod.Name)
	}
}
