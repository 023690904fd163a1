package ksr_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"ksr.dev/ksr"
)

func TestCallbacksOfALife(t *testing.T) {
	var states, closed atomic.Int64
	failed := make(chan struct{}, 1)
	stream := open(t, unreachable(nil),
		ksr.OnState(func(s *ksr.Stream, state ksr.State) {
			states.Add(1)
			if state == ksr.Closed {
				closed.Add(1)
			} else if closed.Load() != 0 {
				t.Errorf("%v after closed", state)
			}
		}),
		ksr.OnError(func(s *ksr.Stream, err *ksr.Error) {
			if s == nil || err.HTTPStatus != 502 {
				t.Errorf("got %v, %#v", s, err)
			}
			select {
			case failed <- struct{}{}:
			default:
			}
		}),
		nil)
	await(t, failed, "OnError")
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	if closed.Load() != 1 || states.Load() < 2 {
		t.Errorf("%d states, %d of them closed", states.Load(), closed.Load())
	}
	settled(t)
}

func TestCloseInACallback(t *testing.T) {
	if ksr.InCallback() {
		t.Error("InCallback outside a callback")
	}
	tried := make(chan error, 1)
	stream := open(t, unreachable(nil), ksr.OnError(func(s *ksr.Stream, _ *ksr.Error) {
		if !ksr.InCallback() {
			t.Error("not InCallback in a callback")
		}
		other := make(chan bool)
		go func() { other <- ksr.InCallback() }()
		if <-other {
			t.Error("InCallback on another goroutine")
		}
		select {
		case tried <- s.Close():
		default:
		}
	}))
	if err := <-tried; !errors.Is(err, ksr.ErrWouldDeadlock) {
		t.Errorf("got %v", err)
	}
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
}

func TestCancelInACallback(t *testing.T) {
	var after atomic.Bool
	stream, err := ksr.Open(context.Background(), unreachable(nil), ksr.OnError(func(s *ksr.Stream, _ *ksr.Error) {
		if after.Swap(true) {
			t.Error("OnError after Cancel")
		}
		s.Cancel()
		if err := s.WaitSynced(context.Background()); !errors.Is(err, ksr.ErrCancelled) {
			t.Errorf("WaitSynced: %v", err)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	await(t, stream.Done(), "Done")
	settled(t)
}

func TestPanicInACallback(t *testing.T) {
	boom := errors.New("boom")
	callbacks := map[string]ksr.Option{
		"OnError": ksr.OnError(func(*ksr.Stream, *ksr.Error) { panic(boom) }),
		"OnState": ksr.OnState(func(*ksr.Stream, ksr.State) { panic(boom) }),
	}
	for name, option := range callbacks {
		t.Run(name, func(t *testing.T) {
			stream := open(t, unreachable(nil), option)
			await(t, stream.Done(), "Done")
			var e *ksr.PanicError
			if err := stream.Err(); !errors.As(err, &e) || !errors.Is(err, boom) {
				t.Fatalf("Err: %v", err)
			}
			if e.Callback != name || !strings.Contains(string(e.Stack), "TestPanicInACallback") {
				t.Errorf("%s, stack:\n%s", e.Callback, e.Stack)
			}
		})
	}
	settled(t)
}

func TestGoexitInACallback(t *testing.T) {
	stream := open(t, unreachable(nil), ksr.OnError(func(*ksr.Stream, *ksr.Error) { runtime.Goexit() }))
	await(t, stream.Done(), "Done")
	var e *ksr.PanicError
	if !errors.As(stream.Err(), &e) || e.Value != nil {
		t.Errorf("Err: %v", stream.Err())
	}
}
