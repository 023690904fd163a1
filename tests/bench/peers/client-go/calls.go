package main

import (
	"context"
	"slices"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Gets of one object over a warm connection, one after the other, as RESTClient makes them: the answer as bytes.
func measureCalls(report map[string]any) error {
	config := &rest.Config{Host: *server, BearerToken: *token, QPS: -1}
	config.CAFile = *certificate
	config.ContentType = "application/json"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	namespace, name, _ := strings.Cut(*pod, "/")
	get := func() (int, error) {
		body, err := client.CoreV1().RESTClient().Get().Namespace(namespace).Resource("pods").Name(name).
			Do(context.Background()).Raw()
		return len(body), err
	}
	size := 0
	for range max(*events/10, 1) {
		if size, err = get(); err != nil {
			return err
		}
	}
	collect()
	resident := memory("VmRSS")
	var before, after syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	times := make([]float64, 0, *events)
	right := true
	for range *events {
		begin := time.Now()
		again, err := get()
		if err != nil {
			return err
		}
		times = append(times, time.Since(begin).Seconds()*1e6)
		right = right && again == size
	}
	syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	collect()
	slices.Sort(times)
	micros := func(after, before syscall.Timeval) float64 {
		return (float64(after.Sec-before.Sec)*1e6 + float64(after.Usec-before.Usec)) / float64(*events)
	}
	report["calls"] = *events
	report["bytes"] = size
	report["call_us"] = times[len(times)/2]
	report["call_p99_us"] = times[len(times)*99/100]
	report["user_us_per_call"] = micros(after.Utime, before.Utime)
	report["kernel_us_per_call"] = micros(after.Stime, before.Stime)
	report["growth_bytes"] = float64(memory("VmRSS")) - float64(resident)
	report["correct"] = right
	return nil
}
