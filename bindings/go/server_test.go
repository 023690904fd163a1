package ksr_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ksr.dev/ksr"
)

// view is what a program would hold: it is kept up with Deltas alone, and compared with Objects.
type view map[string]string

func (v view) apply(t *testing.T, snapshot *ksr.Snapshot) []string {
	t.Helper()
	var changes []string
	for kind, object := range snapshot.Deltas() {
		_, known := v[object.UID()]
		if known == (kind == ksr.Added) {
			t.Errorf("%v %s, which was known: %v", kind, object.Name(), known)
		}
		if kind == ksr.Deleted {
			delete(v, object.UID())
		} else {
			v[object.UID()] = object.ResourceVersion()
		}
		changes = append(changes, kind.String()+" "+object.Name())
	}
	if len(changes) != snapshot.DeltaLen() || len(v) != snapshot.Len() {
		t.Errorf("%d of %d deltas, %d of %d objects", len(changes), snapshot.DeltaLen(), len(v), snapshot.Len())
	}
	for object := range snapshot.Objects() {
		if v[object.UID()] != object.ResourceVersion() {
			t.Errorf("%s is at %s, by its deltas %q", object.Name(), object.ResourceVersion(), v[object.UID()])
		}
	}
	return changes
}

// follow applies updates until a change of that text has come.
func (v view) follow(t *testing.T, channel <-chan *ksr.Snapshot, change string) {
	t.Helper()
	for snapshot := range channel {
		changes := v.apply(t, snapshot)
		snapshot.Release()
		if slices.Contains(changes, change) {
			return
		}
	}
	t.Fatalf("%s did not come", change)
}

// TestAnyServer asks for no scripts, so that it passes on a real kube-apiserver too.
func TestAnyServer(t *testing.T) {
	for _, resource := range []string{"v1/pods", "v1/namespaces", "ns"} {
		stream := open(t, serverConfig(t, ksr.Config{"resource": resource, "namespace": ""}))
		seen := view{}
		for snapshot := range stream.Updates() {
			seen.apply(t, snapshot)
			for object := range snapshot.Objects() {
				if _, err := ksr.Decode[map[string]any](object); err != nil {
					t.Error(err)
				}
			}
			break
		}
		if err := stream.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestScenario(t *testing.T) {
	for _, transport := range []string{"websocket", "http"} {
		t.Run(transport, func(t *testing.T) {
			config := serverConfig(t, ksr.Config{"transport": transport})
			script(t, "populate cm 10 prefix=old ns=$NS")
			stream := open(t, config)
			ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
			defer cancel()
			updates := stream.Channel(ctx)
			seen := view{}
			first := <-updates
			changes := seen.apply(t, first)
			if len(changes) != 10 || first.Sequence() != 1 || first.ResourceVersion() == "" {
				t.Errorf("first: %v, sequence %d", changes, first.Sequence())
			}
			first.Release()
			for _, step := range []struct{ line, change string }{
				{`create cm $NS/a {"data":{"k":"1"}}`, "added a"},
				{`update cm $NS/a {"data":{"k":"2"}}`, "modified a"},
				{`delete cm $NS/a`, "deleted a"},
				{"drop connections reset\ncreate cm $NS/b", "added b"},
				{"drop connections\ncompact\ncreate cm $NS/c", "added c"},
			} {
				script(t, step.line)
				seen.follow(t, updates, step.change)
			}
			if stream.State() == ksr.Closed || stream.Err() != nil {
				t.Errorf("%v, %v", stream.State(), stream.Err())
			}
			if err := stream.Close(); err != nil {
				t.Error(err)
			}
			if _, more := <-updates; more {
				t.Error("a snapshot after Close")
			}
			settled(t)
		})
	}
}

func TestWaitUntil(t *testing.T) {
	config := serverConfig(t, ksr.Config{"transport": "http"})
	namespace := namespaceOf(t)
	script(t, "create cm $NS/a")
	stream := open(t, config)
	there := func(name string) func(*ksr.Snapshot) bool {
		return func(snapshot *ksr.Snapshot) bool {
			_, found := snapshot.Find(namespace, name)
			return found
		}
	}
	if err := stream.WaitUntil(context.Background(), there("a")); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	tests := 0
	never := func(*ksr.Snapshot) bool { tests++; return false }
	if err := stream.WaitUntil(short, never); !errors.Is(err, context.DeadlineExceeded) || tests != 1 {
		t.Errorf("%v after %d tests", err, tests)
	}
	waited := make(chan error)
	go func() { waited <- stream.WaitUntil(nil, there("b")) }()
	script(t, "create cm $NS/b")
	if err := <-waited; err != nil {
		t.Error(err)
	}
	func() {
		defer func() {
			if recover() != "of the test" {
				t.Error("the panic did not come out")
			}
		}()
		_ = stream.WaitUntil(context.Background(), func(*ksr.Snapshot) bool { panic("of the test") })
	}()
	err := stream.WaitUntil(context.Background(), func(*ksr.Snapshot) bool { stream.Cancel(); return false })
	if !errors.Is(err, ksr.ErrCancelled) {
		t.Error(err)
	}
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
	if err := stream.WaitUntil(context.Background(), never); !errors.Is(err, ksr.ErrCancelled) {
		t.Error(err)
	}
	settled(t)
}

func TestLimitKeepsTheMostRecent(t *testing.T) {
	config := serverConfig(t, ksr.Config{"limit": "3"})
	for i := range 5 {
		script(t, fmt.Sprintf(`create cm $NS/n%d {"metadata":{"creationTimestamp":"2024-01-0%dT00:00:00Z"}}`, i, i+1))
	}
	stream := open(t, config)
	for snapshot := range stream.Updates() {
		if snapshot.Len() != 3 || snapshot.DeltaLen() != 3 {
			t.Errorf("%d objects, %d deltas", snapshot.Len(), snapshot.DeltaLen())
		}
		previous := "9999"
		for object := range snapshot.Objects() {
			if object.CreationTimestamp() > previous {
				t.Errorf("%s is out of order", object.Name())
			}
			previous = object.CreationTimestamp()
		}
		break
	}
}

func TestFatalRefusalEndsTheStream(t *testing.T) {
	config := serverConfig(t, ksr.Config{"initial": "list"})
	script(t, "clear", "fault list configmaps answer 400 times=forever")
	t.Cleanup(func() { script(t, "clear") })
	stream := open(t, config)
	for range stream.Updates() {
		t.Error("an update")
	}
	var e *ksr.Error
	if !errors.As(stream.Err(), &e) || !e.Fatal || e.HTTPStatus != 400 {
		t.Errorf("Err: %v", stream.Err())
	}
	await(t, stream.Done(), "Done")
}

func TestThrottlingSaysWhenTheNextTryIs(t *testing.T) {
	config := serverConfig(t, ksr.Config{"initial": "list"})
	script(t, "clear", "fault list configmaps answer 429 retry-after=1")
	stream := open(t, config)
	awaitSync(t, stream)
	for err := range stream.Errors() {
		if !errors.Is(err, ksr.ErrThrottled) || err.HTTPStatus != 429 || err.RetryAfter.Seconds() < 1 || err.Fatal {
			t.Errorf("got %#v", err)
		}
		break
	}
}

func TestEveryLoopBeginsWithTheWholeView(t *testing.T) {
	config := serverConfig(t, nil)
	script(t, "populate cm 4 ns=$NS")
	stream := open(t, config)
	for range stream.Updates() {
		break
	}
	script(t, "create cm $NS/late")
	for round := range 3 {
		seen := view{}
		for snapshot := range stream.Updates() {
			changes := seen.apply(t, snapshot)
			if len(seen) == 5 {
				break
			}
			if len(changes) < 4 {
				t.Errorf("round %d began with %v", round, changes)
			}
		}
	}
}

func TestTwoLoopsSeeTheSame(t *testing.T) {
	config := serverConfig(t, nil)
	stream := open(t, config)
	awaitSync(t, stream)
	results := make(chan []string, 2)
	began := make(chan struct{}, 2)
	for range 2 {
		go func() {
			seen := view{}
			var all []string
			for snapshot := range stream.Updates() {
				all = append(all, seen.apply(t, snapshot)...)
				if snapshot.Len() == 0 {
					began <- struct{}{}
				}
				if slices.Contains(all, "added last") {
					break
				}
			}
			results <- all
		}()
	}
	await(t, began, "the first loop")
	await(t, began, "the second loop")
	script(t, "create cm $NS/one", "create cm $NS/two", "delete cm $NS/one", "create cm $NS/last")
	one, two := <-results, <-results
	if !slices.Equal(one, two) {
		t.Errorf("%v and %v", one, two)
	}
}

func TestCloseWhileEventsPourIn(t *testing.T) {
	config := serverConfig(t, nil)
	script(t, "populate cm 50 ns=$NS")
	for round := range 10 {
		config["transport"] = []string{"websocket", "http"}[round%2]
		stream := open(t, config, ksr.OnUpdate(func(_ *ksr.Stream, snapshot *ksr.Snapshot) { view{}.count(snapshot) }))
		loops := make(chan struct{}, 2)
		for range 2 {
			go func() {
				for snapshot := range stream.Updates() {
					view{}.count(snapshot)
				}
				loops <- struct{}{}
			}()
		}
		awaitSync(t, stream)
		for i := range 5 {
			script(t, fmt.Sprintf("populate cm 20 prefix=r%d-%d ns=$NS", round, i))
		}
		if err := stream.Close(); err != nil {
			t.Fatal(err)
		}
		await(t, loops, "the end of a loop")
		await(t, loops, "the end of a loop")
	}
	settled(t)
}

func (view) count(snapshot *ksr.Snapshot) (bytes int) {
	for object := range snapshot.Objects() {
		bytes += len(object.JSON())
	}
	return bytes
}

func TestCancelInALoopEndsIt(t *testing.T) {
	stream := open(t, serverConfig(t, nil))
	count := 0
	for range stream.Updates() {
		if count++; count > 1 {
			t.Error("an update after Cancel")
		}
		stream.Cancel()
	}
	await(t, stream.Done(), "Done")
}

func TestPanicInOnUpdate(t *testing.T) {
	stream := open(t, serverConfig(t, nil), ksr.OnUpdate(func(*ksr.Stream, *ksr.Snapshot) { panic("boom") }))
	for range stream.Updates() {
	}
	var e *ksr.PanicError
	if !errors.As(stream.Err(), &e) || e.Callback != "OnUpdate" || e.Value != "boom" {
		t.Errorf("Err: %v", stream.Err())
	}
}

func TestPanicInALoopIsTheLoops(t *testing.T) {
	stream := open(t, serverConfig(t, nil))
	func() {
		defer func() {
			if value := recover(); value != "boom" {
				t.Errorf("recovered %v", value)
			}
		}()
		for range stream.Updates() {
			panic("boom")
		}
	}()
	for range stream.Updates() { // the stream lives on
		break
	}
}

// twoNames makes the stream log a line: the server knows no gadgets.
var twoNames = ksr.Config{"resource": "example.ksr.dev/v1/gadgets,v1/configmaps"}

func TestOnLog(t *testing.T) {
	lines := make(chan struct{}, 1)
	open(t, serverConfig(t, twoNames), ksr.OnLog(func(level slog.Level, line string) {
		if line == "" || strings.ContainsAny(line, "\x00\n") || level < slog.LevelDebug || level > slog.LevelError {
			t.Errorf("%v %q", level, line)
		}
		select {
		case lines <- struct{}{}:
		default:
		}
	}))
	await(t, lines, "a log line")
}

func TestPanicInOnLog(t *testing.T) {
	stream := open(t, serverConfig(t, twoNames), ksr.OnLog(func(slog.Level, string) { panic("boom") }))
	await(t, stream.Done(), "Done")
	var e *ksr.PanicError
	if !errors.As(stream.Err(), &e) || e.Callback != "OnLog" {
		t.Errorf("Err: %v", stream.Err())
	}
}

func TestCloseWaitsForTheCallback(t *testing.T) {
	var finished atomic.Bool
	inside, goOn := make(chan struct{}), make(chan struct{})
	stream := open(t, serverConfig(t, nil), ksr.OnUpdate(func(*ksr.Stream, *ksr.Snapshot) {
		close(inside)
		<-goOn
		finished.Store(true)
	}))
	await(t, inside, "OnUpdate")
	stream.Cancel()
	time.AfterFunc(20*time.Millisecond, func() { close(goOn) })
	if err := stream.Close(); err != nil || !finished.Load() {
		t.Errorf("Close: %v, the callback has finished: %v", err, finished.Load())
	}
}

func TestChannelEndsWithItsContext(t *testing.T) {
	stream := open(t, serverConfig(t, nil))
	ctx, cancel := context.WithCancel(context.Background())
	channel := stream.Channel(ctx)
	(<-channel).Release()
	cancel()
	for snapshot := range channel {
		snapshot.Release()
	}
	for range stream.Updates() { // the stream lives on
		break
	}
}

func TestColumnsAndIndexes(t *testing.T) {
	script(t, "create configmap $NS/a team=red\ncreate configmap $NS/b team=blue\ncreate configmap $NS/c team=red extra=red2")
	stream := open(t, serverConfig(t, ksr.Config{"columns": "/metadata/labels/team /metadata/labels/*", "index": "0 1",
		"keep_fields": "/data", "notify": "columns"}))
	awaitSync(t, stream)
	snapshot := stream.Latest()
	defer snapshot.Release()
	object, _ := snapshot.At(0)
	if text, is := object.Column(0); !is || text != "red" {
		t.Errorf("%q", text)
	}
	if columns := object.Columns(); !slices.Equal(columns, []string{"red", "red"}) {
		t.Errorf("%q", columns)
	}
	if object.Get("/metadata/labels") != nil {
		t.Errorf("%s", object.JSON())
	}
	for _, i := range []int{-1, 2} {
		if _, is := object.Column(i); is {
			t.Error("there is a column", i)
		}
	}
	if _, is := (ksr.Object{}).Column(0); is || (ksr.Object{}).Columns() != nil {
		t.Error("the zero Object has a column")
	}
	names := func(column int, value string) string {
		all := ""
		for one := range snapshot.ByIndex(column, value) {
			all += one.Name()
		}
		if len(all) != snapshot.IndexLen(column, value) {
			t.Error(all, snapshot.IndexLen(column, value))
		}
		return all
	}
	if names(0, "red") != "ac" || names(0, "blue") != "b" || names(1, "red2") != "c" {
		t.Error(names(0, "red"), names(0, "blue"), names(1, "red2"))
	}
	if names(0, "green")+names(2, "red")+names(-1, "red")+names(0, "red\x00") != "" {
		t.Error("found what is not there")
	}
	for range snapshot.ByIndex(0, "red") {
		break
	}
}

func TestWhatWasBefore(t *testing.T) {
	script(t, "create configmap $NS/a team=red")
	stream := open(t, serverConfig(t, ksr.Config{"limit": "1"}))
	var all []string
	for snapshot := range stream.Updates() {
		for one := range snapshot.Changes() {
			team := func(object ksr.Object) string { return string(object.Get("/metadata/labels/team")) }
			all = append(all, fmt.Sprint(one.Kind, one.Object.Name(), team(one.Before), one.Left))
		}
		switch len(all) {
		case 1:
			script(t, "update configmap $NS/a team=blue")
		case 2:
			script(t, `create configmap $NS/b {"metadata":{"creationTimestamp":"2199-01-01T00:00:00Z"}}`)
		case 4:
			stream.Cancel()
		}
	}
	expected := []string{fmt.Sprint(ksr.Added, "a", "", false), fmt.Sprint(ksr.Modified, "a", `"red"`, false),
		fmt.Sprint(ksr.Deleted, "a", `"blue"`, true), fmt.Sprint(ksr.Added, "b", "", false)}
	if !slices.Equal(all, expected) {
		t.Errorf("%q", all)
	}
}

func TestDecodedValues(t *testing.T) {
	script(t, `create configmap $NS/a {"data":{"s":"gru\u00df \u0000\"","i":-7,"f":1.5,"b":true,"t":"1970-01-01T00:00:01.5Z","l":[1,2],"":""}}`)
	stream := open(t, serverConfig(t, nil))
	awaitSync(t, stream)
	snapshot := stream.Latest()
	defer snapshot.Release()
	object, _ := snapshot.At(0)
	if text, is := object.GetString("/data/s"); !is || text != "gruß \x00\"" {
		t.Errorf("%q", text)
	}
	if number, is := object.GetInt("/data/i"); !is || number != -7 {
		t.Error(number)
	}
	if number, is := object.GetFloat("/data/f"); !is || number != 1.5 {
		t.Error(number)
	}
	if value, is := object.GetBool("/data/b"); !is || !value {
		t.Error(value)
	}
	if when, is := object.GetTime("/data/t"); !is || !when.Equal(time.UnixMilli(1500)) {
		t.Error(when)
	}
	if keys := slices.Collect(object.KeysOf("/data")); !slices.Equal(keys, []string{"s", "i", "f", "b", "t", "l", ""}) {
		t.Errorf("%q", keys)
	}
	if object.SizeOf("/data/l") != 2 || object.SizeOf("/data") != 7 || object.SizeOf("/data/i") != -1 || object.SizeOf("\x00") != -1 {
		t.Error(object.SizeOf("/data"))
	}
	if text, is := object.GetString("/data/"); !is || text != "" {
		t.Errorf("%q", text)
	}
	for _, one := range []ksr.Object{object, {}} {
		for _, pointer := range []string{"/none", "\x00"} {
			_, text := one.GetString(pointer)
			_, number := one.GetInt(pointer)
			_, float := one.GetFloat(pointer)
			_, truth := one.GetBool(pointer)
			_, when := one.GetTime(pointer)
			if text || number || float || truth || when || len(slices.Collect(one.KeysOf(pointer))) != 0 {
				t.Errorf("%q is there", pointer)
			}
		}
	}
}
