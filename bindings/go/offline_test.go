package ksr_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ksr.dev/ksr"
)

// No server listens on port 1.
func unreachable(more ksr.Config) ksr.Config {
	config := ksr.Config{"server": "http://127.0.0.1:1", "resource": "v1/pods"}
	for key, value := range more {
		config[key] = value
	}
	return config
}

func TestVersion(t *testing.T) {
	if ksr.Version() < 0x000100 {
		t.Errorf("Version: %#x", ksr.Version())
	}
	if !strings.Contains(ksr.BuildInfo(), `"`+ksr.VersionString()+`"`) {
		t.Errorf("BuildInfo %s does not name the version %s", ksr.BuildInfo(), ksr.VersionString())
	}
	if !ksr.HasFeature("tls") || ksr.HasFeature("teleport") || ksr.HasFeature("tls\x00") {
		t.Error("HasFeature")
	}
}

func TestOpenRefusesBadConfigs(t *testing.T) {
	cases := []struct {
		name   string
		config ksr.Config
		code   ksr.Code
		names  string
	}{
		{"nil", nil, ksr.ErrInvalid, "resource"},
		{"no resource", ksr.Config{"server": "http://127.0.0.1:1"}, ksr.ErrInvalid, "resource"},
		{"unknown key", unreachable(ksr.Config{"resorce": "v1/pods"}), ksr.ErrUnknownKey, "resorce"},
		{"empty key", unreachable(ksr.Config{"": "x"}), ksr.ErrUnknownKey, ""},
		{"bad number", unreachable(ksr.Config{"limit": "many"}), ksr.ErrInvalid, "limit"},
		{"bad duration", unreachable(ksr.Config{"min_interval": "3 weeks"}), ksr.ErrInvalid, "min_interval"},
		{"NUL in a key", unreachable(ksr.Config{"limit\x00": "1"}), ksr.ErrUnknownKey, "NUL"},
		{"NUL in a value", unreachable(ksr.Config{"namespace": "a\x00b"}), ksr.ErrInvalid, "namespace"},
		{"delivery", unreachable(ksr.Config{"delivery": "manual"}), ksr.ErrInvalid, "delivery"},
		{"missing file", unreachable(ksr.Config{"token_file": "/nonexistent/t"}), ksr.ErrInvalid, "/nonexistent/t"},
		{"the first of two", unreachable(ksr.Config{"aaa": "", "zzz": ""}), ksr.ErrUnknownKey, "aaa"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			stream, err := ksr.Open(context.Background(), c.config)
			if stream != nil || err == nil {
				t.Fatalf("Open returned %v, %v", stream, err)
			}
			var e *ksr.Error
			if !errors.As(err, &e) || e.Code != c.code || !errors.Is(err, c.code) {
				t.Errorf("want %v, got %v (%#v)", c.code, err, err)
			}
			if !strings.Contains(err.Error(), c.names) {
				t.Errorf("%q does not name %q", err, c.names)
			}
		})
	}
	settled(t)
}

func TestOpenKeepsSecretsOutOfErrors(t *testing.T) {
	_, err := ksr.Open(context.Background(), unreachable(ksr.Config{"token": "hush\nhush"}))
	if err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("got %v", err)
	}
}

func TestOpenWithAContextThatIsDone(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if stream, err := ksr.Open(ctx, unreachable(nil)); stream != nil || !errors.Is(err, cause) {
		t.Errorf("got %v, %v", stream, err)
	}
}

func TestUnreachableServerIsAnError(t *testing.T) {
	stream := open(t, unreachable(nil))
	for err := range stream.Errors() {
		if err.Code != ksr.ErrTransport || err.HTTPStatus != 502 || err.Fatal || err.RetryAfter <= 0 {
			t.Errorf("got %#v", err)
		}
		if !errors.Is(err, ksr.ErrTransport) || errors.Is(err, ksr.ErrGone) {
			t.Error("errors.Is")
		}
		break
	}
	if stream.Latest() != nil {
		t.Error("a snapshot of nothing")
	}
	if err := stream.Err(); err != nil {
		t.Errorf("the stream still tries, but Err is %v", err)
	}
}

func TestWithoutReconnectTheFirstFailureIsFatal(t *testing.T) {
	stream := open(t, unreachable(ksr.Config{"reconnect": "false"}))
	for range stream.Updates() {
		t.Fatal("an update of nothing")
	}
	await(t, stream.Done(), "Done")
	var e *ksr.Error
	if err := stream.Err(); !errors.As(err, &e) || !e.Fatal || e.HTTPStatus != 502 {
		t.Errorf("Err: %v", stream.Err())
	}
	if err := stream.WaitSynced(context.Background()); !errors.Is(err, ksr.ErrTransport) {
		t.Errorf("WaitSynced: %v", err)
	}
	count := 0
	for err := range stream.Errors() {
		if count++; !err.Fatal {
			t.Errorf("not fatal: %v", err)
		}
	}
	if count != 1 {
		t.Errorf("%d errors after the end, want the fatal one", count)
	}
}

func TestCloseWhileConnecting(t *testing.T) {
	for range 50 {
		stream, err := ksr.Open(context.Background(), unreachable(nil))
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Close(); err != nil {
			t.Fatal(err)
		}
	}
	settled(t)
}

func TestContextEndsTheStream(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	stream, err := ksr.Open(ctx, unreachable(nil))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range stream.Updates() {
		}
		for range stream.Errors() {
		}
		if err := stream.WaitSynced(context.Background()); !errors.Is(err, cause) {
			t.Errorf("WaitSynced: %v", err)
		}
	}()
	cancel(cause)
	await(t, ended, "the end of the loops")
	await(t, stream.Done(), "Done")
	if !errors.Is(stream.Err(), cause) {
		t.Errorf("Err: %v", stream.Err())
	}
	if err := stream.Close(); err != nil {
		t.Errorf("Close after that: %v", err)
	}
	settled(t)
}

func TestClosedStream(t *testing.T) {
	stream := open(t, unreachable(nil))
	for range 3 {
		if err := stream.Close(); err != nil {
			t.Fatal(err)
		}
	}
	stream.Cancel()
	await(t, stream.Done(), "Done")
	if stream.Err() != nil || stream.State() != ksr.Closed || stream.Latest() != nil {
		t.Errorf("Err %v, State %v", stream.Err(), stream.State())
	}
	if _, err := stream.Stat("objects"); !errors.Is(err, ksr.ErrInvalid) {
		t.Errorf("Stat: %v", err)
	}
	if err := stream.WaitSynced(context.Background()); !errors.Is(err, ksr.ErrCancelled) {
		t.Errorf("WaitSynced: %v", err)
	}
	for range stream.Updates() {
		t.Error("an update after the end")
	}
	if _, more := <-stream.Channel(context.Background()); more {
		t.Error("a snapshot in the channel after the end")
	}
}

func TestCancelGivesEverythingBack(t *testing.T) {
	stream, err := ksr.Open(context.Background(), unreachable(nil))
	if err != nil {
		t.Fatal(err)
	}
	stream.Cancel()
	await(t, stream.Done(), "Done")
	if stream.Err() != nil {
		t.Errorf("Err: %v", stream.Err())
	}
	settled(t)
}

func TestWaitSyncedObeysItsContext(t *testing.T) {
	stream := open(t, unreachable(nil))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := stream.WaitSynced(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAWaitInVainSaysWhy(t *testing.T) {
	stream := open(t, unreachable(nil))
	for range stream.Errors() {
		break
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	err := stream.WaitSynced(ctx)
	var e *ksr.Error
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &e) || !errors.Is(err, ksr.ErrTransport) {
		t.Fatalf("got %v (%#v)", err, err)
	}
	if e.HTTPStatus != 502 || e.Fatal || !strings.Contains(err.Error(), e.Message) {
		t.Errorf("got %#v in %q", e, err)
	}
	last := stream.LastError()
	if last == nil || last.Message != e.Message {
		t.Errorf("LastError: %v", last)
	}
	stream.Cancel()
	if err := stream.WaitSynced(context.Background()); !errors.Is(err, ksr.ErrCancelled) || !errors.Is(err, ksr.ErrTransport) {
		t.Errorf("after Cancel: %v", err)
	}
	await(t, stream.Done(), "Done")
	if last := stream.LastError(); last == nil || last.Code != ksr.ErrTransport {
		t.Errorf("LastError after the end: %v", last)
	}
	var never ksr.Stream
	if never.LastError() != nil {
		t.Error("LastError of a stream that was never opened")
	}
}

func TestTheContextOfTheStreamEndsAWaitThatSaysWhy(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := ksr.Open(ctx, unreachable(nil))
	if err != nil {
		t.Fatal(err)
	}
	for range stream.Errors() {
		break
	}
	cancel()
	await(t, stream.Done(), "Done")
	if err := stream.WaitSynced(context.Background()); !errors.Is(err, context.Canceled) || !errors.Is(err, ksr.ErrTransport) {
		t.Errorf("got %v", err)
	}
	if err := stream.Err(); err != context.Canceled {
		t.Errorf("Err: %v", err)
	}
}

func TestStat(t *testing.T) {
	stream := open(t, unreachable(nil))
	// The count may come a moment after the news.
	for end := time.Now().Add(testTimeout); ; time.Sleep(time.Millisecond) {
		count, err := stream.Stat("errors")
		if err != nil {
			t.Fatal(err)
		}
		if count > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("no errors are counted")
		}
	}
	for _, name := range []string{"", "erors", "errors\x00"} {
		if _, err := stream.Stat(name); !errors.Is(err, ksr.ErrUnknownKey) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestZeroObject(t *testing.T) {
	var object ksr.Object
	object.Release()
	object.Retain().Release()
	if object.JSON() != nil || object.Get("/kind") != nil || object.Name() != "" {
		t.Error("the zero Object has fields")
	}
	if _, err := ksr.Decode[map[string]any](object); !errors.Is(err, ksr.ErrInvalid) {
		t.Errorf("Decode: %v", err)
	}
	var snapshot *ksr.Snapshot
	snapshot.Release()
}

func TestCodeNames(t *testing.T) {
	if ksr.ErrGone.String() != "KSR_E_GONE" || ksr.Code(-12345).String() != "KSR_E_UNKNOWN" {
		t.Error(ksr.ErrGone.String(), ksr.Code(-12345).String())
	}
}
