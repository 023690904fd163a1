package ksr_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ksr.dev/ksr"
)

// canary counts down when it becomes garbage; a callback that holds it shows whether something still holds the stream.
func canary(alive *atomic.Int64) ksr.Option {
	bird := new([128]byte)
	alive.Add(1)
	runtime.SetFinalizer(bird, func(*[128]byte) { alive.Add(-1) })
	return ksr.OnState(func(*ksr.Stream, ksr.State) { runtime.KeepAlive(bird) })
}

func TestNothingHoldsAStreamThatIsOver(t *testing.T) {
	var alive atomic.Int64
	for range 10 {
		closed, err := ksr.Open(context.Background(), unreachable(nil), canary(&alive))
		if err != nil {
			t.Fatal(err)
		}
		if err := closed.Close(); err != nil {
			t.Fatal(err)
		}
		cancelled, err := ksr.Open(context.Background(), unreachable(nil), canary(&alive))
		if err != nil {
			t.Fatal(err)
		}
		cancelled.Cancel()
		await(t, cancelled.Done(), "Done")
		ctx, cancel := context.WithCancel(context.Background())
		if _, err := ksr.Open(ctx, unreachable(nil), canary(&alive)); err != nil {
			t.Fatal(err)
		}
		cancel()
		refused := unreachable(ksr.Config{"ca_file": "/nonexistent"})
		if _, err := ksr.Open(context.Background(), refused, canary(&alive)); err == nil {
			t.Fatal("a missing CA was taken")
		}
	}
	// The collector may keep one or two that a stack slot still shows.
	for end := time.Now().Add(testTimeout); alive.Load() > 2; time.Sleep(5 * time.Millisecond) {
		if runtime.GC(); time.Now().After(end) {
			t.Fatalf("%d of 40 streams are still held", alive.Load())
		}
	}
	settled(t)
}

func entries(t *testing.T, directory string) int {
	t.Helper()
	found, err := os.ReadDir(directory)
	if err != nil {
		t.Skip(err)
	}
	return len(found)
}

// libraryThreads counts the threads that the library has started. Go's own, of which there is one for each callback that
// runs at the same moment, never end.
func libraryThreads(t *testing.T) int {
	t.Helper()
	names, err := filepath.Glob("/proc/self/task/*/comm")
	if err != nil || len(names) == 0 {
		t.Skip("no /proc/self/task")
	}
	count := 0
	for _, name := range names {
		if comm, err := os.ReadFile(name); err == nil && strings.HasPrefix(string(comm), "ksr-") {
			count++
		}
	}
	return count
}

func TestCyclesLeaveNoThreadsAndDescriptors(t *testing.T) {
	config := serverConfig(t, nil)
	cycle := func() {
		stream, err := ksr.Open(context.Background(), config)
		if err != nil {
			t.Fatal(err)
		}
		awaitSync(t, stream)
		if err := stream.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		cycle()
	}
	threads, descriptors := libraryThreads(t), entries(t, "/proc/self/fd")
	for range 60 {
		cycle()
	}
	if now := libraryThreads(t); now > threads+5 {
		t.Errorf("%d threads have become %d", threads, now)
	}
	if now := entries(t, "/proc/self/fd"); now > descriptors+20 {
		t.Errorf("%d descriptors have become %d", descriptors, now)
	}
}
