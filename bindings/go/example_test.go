package ksr_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"ksr.dev/ksr"
)

func ExampleOpen() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	stream, err := ksr.Open(ctx, ksr.Config{"resource": "apps/v1/deployments", "namespace": "default"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stream.Close()
	for snapshot := range stream.Updates() {
		fmt.Println(snapshot.Len(), "deployments")
		for kind, deployment := range snapshot.Deltas() {
			fmt.Println(kind, deployment.Name(), string(deployment.Get("/status/readyReplicas")))
		}
	}
	fmt.Println("ended:", stream.Err())
}

func ExampleError() {
	_, err := ksr.Open(context.Background(), ksr.Config{"resorce": "v1/pods"})
	var e *ksr.Error
	if errors.As(err, &e) {
		fmt.Println(e.Code)
	}
	fmt.Println(errors.Is(err, ksr.ErrUnknownKey))
	// Output:
	// KSR_E_UNKNOWN_KEY
	// true
}

func ExampleStream_Errors() {
	stream, err := ksr.Open(context.Background(), ksr.Config{"server": "http://127.0.0.1:1", "resource": "v1/pods"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stream.Close()
	for err := range stream.Errors() {
		fmt.Println(err.Code, err.HTTPStatus, "fatal:", err.Fatal)
		break
	}
	// Output: KSR_E_TRANSPORT 502 fatal: false
}

func ExampleStream_Channel() {
	ctx := context.Background()
	pods, err := ksr.Open(ctx, ksr.Config{"resource": "v1/pods"}, ksr.OnLog(func(level slog.Level, line string) {
		slog.Log(ctx, level, line)
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pods.Close()
	updates := pods.Channel(ctx)
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for {
		select {
		case snapshot, ok := <-updates:
			if !ok {
				return
			}
			fmt.Println(snapshot.Len(), "pods")
			snapshot.Release()
		case <-hourly.C:
			fmt.Println(pods.State())
		}
	}
}

func ExampleDecode() {
	stream, err := ksr.Open(context.Background(), ksr.Config{"resource": "v1/pods"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stream.Close()
	if err := stream.WaitSynced(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	snapshot := stream.Latest()
	defer snapshot.Release()
	type pod struct {
		Status struct{ Phase, PodIP string }
	}
	for object := range snapshot.Objects() {
		if p, err := ksr.Decode[pod](object); err == nil {
			fmt.Println(object.Name(), p.Status.Phase, p.Status.PodIP)
		}
	}
}

func ExampleClient() {
	client, err := ksr.NewClient(ksr.Config{"context": "staging"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	settings := map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "settings"},
		"data":     map[string]any{"colour": "blue"},
	}
	response, err := client.Apply(ctx, "v1/configmaps", "default", "settings", "me", settings)
	var refused *ksr.Error
	switch {
	case errors.Is(err, ksr.ErrConflict) && errors.As(err, &refused) && refused.Status().Details != nil:
		for _, cause := range refused.Status().Details.Causes {
			fmt.Println(cause.Field, cause.Message)
		}
		return
	case errors.As(err, &refused) && refused.MaybeDone:
		fmt.Println("it may have been applied:", err)
		return
	case err != nil:
		fmt.Println(err)
		return
	}
	defer response.Release()
	for _, warning := range response.Warnings() {
		fmt.Println("warning:", warning)
	}
}

func ExampleClient_Do() {
	client, err := ksr.NewClient(ksr.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	scale := &ksr.Request{Verb: "patch", Resource: "apps/v1/deployments", Namespace: "default", Name: "web",
		Subresource: "scale", Body: []byte(`{"spec":{"replicas":3}}`)}
	response, err := client.Do(context.Background(), scale)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Release()
	var answer struct{ Spec struct{ Replicas int } }
	if err := response.Decode(&answer); err == nil {
		fmt.Println(answer.Spec.Replicas)
	}
}

func ExampleClient_OpenLog() {
	client, err := ksr.NewClient(ksr.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	log, err := client.OpenLog(context.Background(), "default", "web-0", ksr.WithFollow(), ksr.WithTail(10),
		ksr.WithOnEvent(func(event ksr.Event) {
			if event.Kind == ksr.EventGap {
				fmt.Println("-- lines are missing here --")
			}
		}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer log.Close()
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		fmt.Println(lines.Text())
	}
	if err := lines.Err(); err != nil {
		fmt.Println(err)
	}
}

func ExampleClient_Exec() {
	client, err := ksr.NewClient(ksr.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	run, err := client.Exec(context.Background(), "default", "web-0", []string{"ls", "/"}, ksr.WithoutStderr())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer run.Close()
	output, err := io.ReadAll(run.Stdout)
	if err != nil {
		fmt.Println(err)
		return
	}
	switch code, err := run.Wait(); {
	case errors.Is(err, ksr.ErrLost):
		fmt.Println("it is not known how the command ended:", err)
	case err != nil:
		fmt.Println(err)
	default:
		fmt.Printf("exit code %d\n%s", code, output)
	}
}
