package ksr_test

import (
	"context"
	"os"
	"testing"

	"ksr.dev/ksr"
)

// TestLivingPods follows pods that come, change and go by themselves, on the test server or on a real kube-apiserver.
func TestLivingPods(t *testing.T) {
	if os.Getenv("KSR_TEST_LIVING") == "" {
		t.Skip("KSR_TEST_LIVING does not say that there are living pods")
	}
	for _, transport := range []string{"http", "websocket"} {
		t.Run(transport, func(t *testing.T) {
			stream := open(t, serverConfig(t, ksr.Config{
				"resource": "v1/pods", "namespace": "", "transport": transport,
			}))
			ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
			defer cancel()
			seen, kinds := view{}, map[ksr.DeltaKind]bool{}
			for snapshot := range stream.Channel(ctx) {
				seen.apply(t, snapshot)
				for kind, pod := range snapshot.Deltas() {
					kinds[kind] = true
					if pod.Kind() != "Pod" || pod.APIVersion() != "v1" {
						t.Errorf("%s is a %s of %s", pod.Name(), pod.Kind(), pod.APIVersion())
					}
				}
				snapshot.Release()
				if len(kinds) == 3 {
					return
				}
			}
			t.Errorf("seen only %v of the kinds of deltas: %v", kinds, stream.Err())
		})
	}
}
