package main

import (
	"context"
	"errors"
	"testing"

	"ksr.dev/ksr"
)

func TestWatchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := watch(ctx, ksr.Config{"server": "http://127.0.0.1:1", "resource": "v1/pods"}, true)
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestWatchReportsWhatIsFatal(t *testing.T) {
	config := ksr.Config{"server": "http://127.0.0.1:1", "resource": "v1/pods", "reconnect": "false"}
	if err := watch(context.Background(), config, false); !errors.Is(err, ksr.ErrTransport) {
		t.Errorf("got %v", err)
	}
	config = ksr.Config{"resource": "v1/pods", "limit": "x"}
	if err := watch(context.Background(), config, false); !errors.Is(err, ksr.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}
