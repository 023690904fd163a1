package ksr_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"ksr.dev/ksr"
)

func TestStreamsThatWereNeverOpened(t *testing.T) {
	for name, stream := range map[string]*ksr.Stream{"nil": nil, "zero": {}} {
		t.Run(name, func(t *testing.T) {
			stream.Cancel()
			for range 2 {
				if err := stream.Close(); err != nil {
					t.Error(err)
				}
			}
			await(t, stream.Done(), "Done")
			if stream.Err() != nil || stream.Latest() != nil || stream.State() != ksr.Closed {
				t.Errorf("Err %v, Latest %v, State %v", stream.Err(), stream.Latest(), stream.State())
			}
			if _, err := stream.Stat("objects"); !errors.Is(err, ksr.ErrInvalid) {
				t.Errorf("Stat: %v", err)
			}
			if err := stream.WaitUntil(context.Background(), func(*ksr.Snapshot) bool { return true }); !errors.Is(err, ksr.ErrCancelled) {
				t.Errorf("WaitUntil: %v", err)
			}
			if err := stream.WaitSynced(context.Background()); !errors.Is(err, ksr.ErrCancelled) {
				t.Errorf("WaitSynced: %v", err)
			}
			for range stream.Updates() {
				t.Error("an update")
			}
			for range stream.Errors() {
				t.Error("an error")
			}
			if _, more := <-stream.Channel(context.Background()); more {
				t.Error("a snapshot")
			}
		})
	}
}

func TestWhatACallReturnsIsFatal(t *testing.T) {
	stream, err := ksr.Open(context.Background(), unreachable(nil))
	if err != nil {
		t.Fatal(err)
	}
	_, unknown := stream.Stat("colour")
	_, unreadable := stream.Stat("a\x00")
	stream.Close()
	_, closed := stream.Stat("objects")
	var never *ksr.Stream
	_, neverOpened := never.Stat("objects")
	_, config := ksr.Open(context.Background(), ksr.Config{"a\x00": "b"})
	_, delivery := ksr.Open(context.Background(), ksr.Config{"delivery": "manual"})
	_, key := ksr.Open(context.Background(), unreachable(ksr.Config{"colour": "blue"}))
	_, decoded := ksr.Decode[string](ksr.Object{})
	ctx, always := context.Background(), func(*ksr.Snapshot) bool { return true }
	for what, err := range map[string]error{
		"Stat: colour":                       unknown,
		"Stat: the name":                     unreadable,
		"Stat: objects":                      closed,
		"Stat: the stream was never opened":  neverOpened,
		"WaitSynced: the stream was cancel":  stream.WaitSynced(ctx),
		"WaitUntil: the stream was cancel":   stream.WaitUntil(ctx, always),
		"WaitSynced: the stream was never":   never.WaitSynced(ctx),
		"WaitUntil: the stream was never op": never.WaitUntil(ctx, always),
		"a config key":                       config,
		"delivery":                           delivery,
		"colour":                             key,
		"Decode":                             decoded,
	} {
		var e *ksr.Error
		if !errors.As(err, &e) || !e.Fatal || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v, %+v", what, err, e)
		}
	}
}

func TestNilContextsAndCallbacks(t *testing.T) {
	stream, err := ksr.Open(nil, unreachable(nil), nil,
		ksr.OnUpdate(nil), ksr.OnError(nil), ksr.OnState(nil), ksr.OnLog(nil))
	if err != nil {
		t.Fatal(err)
	}
	channel := stream.Channel(nil)
	waited := make(chan error, 1)
	go func() { waited <- stream.WaitSynced(nil) }()
	stream.Cancel()
	if _, more := <-channel; more {
		t.Error("a snapshot of nothing")
	}
	if err := <-waited; !errors.Is(err, ksr.ErrCancelled) {
		t.Errorf("WaitSynced: %v", err)
	}
	await(t, stream.Done(), "Done")
}

func TestSnapshotsThatNoStreamHasBrought(t *testing.T) {
	for name, snapshot := range map[string]*ksr.Snapshot{"nil": nil, "zero": {}} {
		t.Run(name, func(t *testing.T) {
			snapshot.Release()
			snapshot.Release()
			for use, call := range map[string]func(){
				"Len":      func() { snapshot.Len() },
				"Sequence": func() { snapshot.Sequence() },
				"At":       func() { snapshot.At(0) },
				"Find":     func() { snapshot.Find("", "") },
				"Retain":   func() { snapshot.Retain() },
				"Objects": func() {
					for range snapshot.Objects() {
					}
				},
				"Deltas": func() {
					for range snapshot.Deltas() {
					}
				},
			} {
				func() {
					defer func() {
						if recover() == nil {
							t.Errorf("%s did not panic", use)
						}
					}()
					call()
				}()
			}
		})
	}
}

func TestEveryWayToEndInsideACallback(t *testing.T) {
	var closed atomic.Int64
	stream, err := ksr.Open(context.Background(), unreachable(nil),
		ksr.OnError(func(s *ksr.Stream, _ *ksr.Error) {
			for range 2 {
				if err := s.Close(); !errors.Is(err, ksr.ErrWouldDeadlock) {
					t.Errorf("Close: %v", err)
				}
			}
			s.Cancel()
			s.Cancel()
			if err := s.Close(); !errors.Is(err, ksr.ErrWouldDeadlock) {
				t.Errorf("Close after Cancel: %v", err)
			}
		}),
		ksr.OnState(func(s *ksr.Stream, state ksr.State) {
			if state == ksr.Closed {
				closed.Add(1)
				if err := s.Close(); !errors.Is(err, ksr.ErrWouldDeadlock) {
					t.Errorf("Close in the last callback: %v", err)
				}
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	await(t, stream.Done(), "Done")
	if err := stream.Close(); err != nil || closed.Load() != 1 {
		t.Errorf("Close: %v, %d times Closed", err, closed.Load())
	}
	settled(t)
}

func TestTheLastCallbackMayPanic(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			stream, err := ksr.Open(context.Background(), unreachable(nil),
				ksr.OnState(func(_ *ksr.Stream, state ksr.State) {
					if state == ksr.Closed {
						end()
					}
				}))
			if err != nil {
				t.Fatal(err)
			}
			if err := stream.Close(); err != nil {
				t.Error(err)
			}
			await(t, stream.Done(), "Done")
			settled(t)
		})
	}
}

func TestManyEndsAtOnce(t *testing.T) {
	for range 50 {
		stream, err := ksr.Open(context.Background(), unreachable(nil),
			ksr.OnError(func(s *ksr.Stream, _ *ksr.Error) { s.Cancel() }))
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for i := range 8 {
			group.Add(1)
			go func() {
				defer group.Done()
				switch i % 4 {
				case 0:
					stream.Cancel()
				case 1:
					if err := stream.Close(); err != nil {
						t.Error(err)
					}
				case 2:
					stream.Stat("errors")
					stream.Latest().Release()
				case 3:
					for range stream.Updates() {
					}
				}
			}()
		}
		group.Wait()
		await(t, stream.Done(), "Done")
	}
	settled(t)
}
