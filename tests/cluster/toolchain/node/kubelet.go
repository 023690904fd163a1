package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-client/pkg/logs"
	"k8s.io/cri-streaming/pkg/streaming"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/kubernetes/pkg/kubelet/container"
	"k8s.io/kubernetes/pkg/kubelet/server"
)

// node is what the kubelet's server asks of a kubelet, as far as it concerns logs and streams. What it embeds is nil:
// the other routes of the server are not served.
type node struct {
	server.HostInterface
	pods       *pods
	containers containerFiles
	streams    streaming.Server
}

// SyncLoopHealthCheck is a part of /healthz.
func (n *node) SyncLoopHealthCheck(*http.Request) error { return nil }

func (n *node) GetPodByName(namespace, name string) (*v1.Pod, bool) {
	return n.pods.find(context.Background(), namespace, name)
}

func (n *node) podOfFullName(ctx context.Context, fullName string) (*v1.Pod, error) {
	name, namespace, err := container.ParsePodFullName(fullName)
	if err != nil {
		return nil, err
	}
	pod, found := n.pods.find(ctx, namespace, name)
	if !found {
		return nil, fmt.Errorf("pod %q cannot be found - no logs available", name)
	}
	return pod, nil
}

func (n *node) GetKubeletContainerLogs(ctx context.Context, podFullName, containerName string, options *v1.PodLogOptions, stdout, stderr io.Writer) error {
	pod, err := n.podOfFullName(ctx, podFullName)
	if err != nil {
		return err
	}
	fullID, err := loggedContainer(pod, containerName, options.Previous)
	if err != nil {
		return err
	}
	id := container.ParseContainerID(fullID).ID
	// As the kubelet does: the head of the response goes out before the first line is there.
	if _, err := stdout.Write([]byte{}); err != nil {
		return err
	}
	return logs.ReadLogs(ctx, n.containers.log(id), id, readerOptions(options, time.Now()), n.containers, stdout, stderr)
}

// As ReadLogs of pkg/kubelet/kuberuntime.
func readerOptions(asked *v1.PodLogOptions, now time.Time) *logs.LogOptions {
	options := &logs.LogOptions{
		TailLines:  asked.TailLines,
		LimitBytes: asked.LimitBytes,
		Follow:     asked.Follow,
		Timestamp:  asked.Timestamps,
	}
	if asked.SinceSeconds != nil {
		options.Since = now.Add(-time.Duration(*asked.SinceSeconds) * time.Second)
	}
	if asked.SinceTime != nil && asked.SinceTime.After(options.Since) {
		options.Since = asked.SinceTime.Time
	}
	return options
}

func (n *node) ServeLogs(w http.ResponseWriter, req *http.Request) {
	http.StripPrefix("/logs/", http.FileServer(http.Dir(n.containers.directory))).ServeHTTP(w, req)
}

func (n *node) runningContainer(ctx context.Context, podFullName, name string) (string, error) {
	pod, err := n.podOfFullName(ctx, podFullName)
	if err != nil {
		return "", err
	}
	status, found := statusOf(pod, name)
	if !found || status.State.Running == nil || n.containers.stopped(container.ParseContainerID(status.ContainerID).ID) {
		return "", fmt.Errorf("container not found (%q)", name)
	}
	return container.ParseContainerID(status.ContainerID).ID, nil
}

func (n *node) GetExec(ctx context.Context, podFullName string, _ types.UID, name string, command []string, options remotecommand.Options) (*url.URL, error) {
	id, err := n.runningContainer(ctx, podFullName, name)
	if err != nil {
		return nil, err
	}
	answer, err := n.streams.GetExec(&runtimeapi.ExecRequest{
		ContainerId: id, Cmd: command, Tty: options.TTY, Stdin: options.Stdin, Stdout: options.Stdout, Stderr: options.Stderr,
	})
	if err != nil {
		return nil, err
	}
	return url.Parse(answer.Url)
}

func (n *node) GetAttach(ctx context.Context, podFullName string, _ types.UID, name string, options remotecommand.Options) (*url.URL, error) {
	id, err := n.runningContainer(ctx, podFullName, name)
	if err != nil {
		return nil, err
	}
	answer, err := n.streams.GetAttach(&runtimeapi.AttachRequest{
		ContainerId: id, Tty: options.TTY, Stdin: options.Stdin, Stdout: options.Stdout, Stderr: options.Stderr,
	})
	if err != nil {
		return nil, err
	}
	return url.Parse(answer.Url)
}

func (n *node) GetPortForward(_ context.Context, _, _ string, uid types.UID, options portforward.V4Options) (*url.URL, error) {
	if uid == "" {
		return nil, errors.New("pod without a uid")
	}
	answer, err := n.streams.GetPortForward(&runtimeapi.PortForwardRequest{PodSandboxId: string(uid), Port: options.Ports})
	if err != nil {
		return nil, err
	}
	return url.Parse(answer.Url)
}
