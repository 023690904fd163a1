package ksr_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"ksr.dev/ksr"
)

func panics(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, "released") {
			t.Errorf("%s: recovered %q", what, text)
		}
	}()
	f()
}

// synced opens a stream on a view of count objects.
func synced(t *testing.T, count int) *ksr.Stream {
	t.Helper()
	config := serverConfig(t, nil)
	script(t, fmt.Sprintf("populate cm %d prefix=o ns=$NS", count))
	stream := open(t, config)
	awaitSync(t, stream)
	return stream
}

func TestObjects(t *testing.T) {
	snapshot := synced(t, 3).Latest()
	defer snapshot.Release()
	for object := range snapshot.Objects() {
		found, ok := snapshot.Find(object.Namespace(), object.Name())
		same, ok2 := snapshot.FindUID(object.UID())
		if !ok || !ok2 || found.UID() != object.UID() || same.Name() != object.Name() {
			t.Errorf("%s is not found", object.Name())
		}
		if object.Kind() != "ConfigMap" || object.APIVersion() != "v1" || object.Namespace() != namespaceOf(t) {
			t.Errorf("%s is a %s of %s", object.Name(), object.Kind(), object.APIVersion())
		}
		if want := fmt.Sprintf("%q", object.Name()); string(object.Get("/metadata/name")) != want {
			t.Errorf("Get: %s, want %s", object.Get("/metadata/name"), want)
		}
		if !json.Valid(object.JSON()) || &object.JSON()[0] != &object.JSON()[0] {
			t.Error("JSON is not valid, or was copied")
		}
		if object.Get("/nothing") != nil || object.Get("no pointer") != nil || object.Get("/kind\x00") != nil {
			t.Error("Get finds what is not there")
		}
	}
	for _, i := range []int{-1, 3, 1 << 40} {
		if _, ok := snapshot.At(i); ok {
			t.Errorf("At(%d)", i)
		}
	}
	for _, name := range []string{"", "o", "o\x00"} {
		if _, ok := snapshot.Find(namespaceOf(t), name); ok {
			t.Errorf("Find(%q)", name)
		}
	}
	if _, ok := snapshot.FindUID("no such uid"); ok {
		t.Error("FindUID")
	}
}

func TestDecode(t *testing.T) {
	snapshot := synced(t, 1).Latest()
	object, _ := snapshot.At(0)
	type meta struct{ Name, Namespace string }
	whole, err := ksr.Decode[struct{ Metadata meta }](object)
	if err != nil || whole.Metadata.Name != object.Name() {
		t.Errorf("Decode: %v, %v", whole, err)
	}
	part, err := ksr.DecodeAt[meta](object, "/metadata")
	if err != nil || part != whole.Metadata {
		t.Errorf("DecodeAt: %v, %v", part, err)
	}
	_, err = ksr.DecodeAt[int](object, "/metadata/name")
	if err == nil || !strings.Contains(err.Error(), object.Name()) {
		t.Errorf("a name as a number: %v", err)
	}
	if _, err := ksr.DecodeAt[meta](object, "/status"); !errors.Is(err, ksr.ErrNotFound) {
		t.Errorf("nothing: %v", err)
	}
	raw, err := ksr.DecodeAt[json.RawMessage](object, "/metadata")
	snapshot.Release()
	if err != nil || !json.Valid(raw) {
		t.Errorf("raw JSON after the release: %s, %v", raw, err)
	}
}

func TestWhatIsReleasedCannotBeUsed(t *testing.T) {
	stream := synced(t, 2)
	var lent *ksr.Snapshot
	var object ksr.Object
	for snapshot := range stream.Updates() {
		lent = snapshot
		object, _ = snapshot.At(0)
		break
	}
	lent.Release()
	object.Release()
	panics(t, "Len", func() { lent.Len() })
	panics(t, "DeltaLen", func() { lent.DeltaLen() })
	panics(t, "Retain", func() { lent.Retain() })
	panics(t, "Find", func() { lent.Find("", "") })
	panics(t, "Objects", func() {
		for range lent.Objects() {
		}
	})
	panics(t, "Name", func() { object.Name() })
	panics(t, "JSON", func() { object.JSON() })
	panics(t, "Object.Retain", func() { object.Retain() })
	panics(t, "Decode", func() { _, _ = ksr.Decode[any](object) })
}

func TestReleaseWithinItsOwnLoop(t *testing.T) {
	snapshot := synced(t, 3).Latest()
	count := 0
	for object := range snapshot.Objects() {
		count++
		snapshot.Release()
		panics(t, "Name", func() { object.Name() })
	}
	if count != 3 {
		t.Errorf("%d objects", count)
	}
}

func TestReleaseInOnUpdateIsHarmless(t *testing.T) {
	release := ksr.OnUpdate(func(_ *ksr.Stream, snapshot *ksr.Snapshot) { snapshot.Release() })
	stream := open(t, serverConfig(t, nil), release)
	for snapshot := range stream.Updates() {
		if snapshot.Len() != 0 {
			t.Error("objects in an empty range")
		}
		break
	}
}

func TestWhatIsRetainedOutlivesTheStream(t *testing.T) {
	stream := synced(t, 2)
	var kept *ksr.Snapshot
	var object ksr.Object
	for snapshot := range stream.Updates() {
		kept = snapshot.Retain()
		first, _ := snapshot.At(0)
		object = first.Retain()
		break
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	if kept.Len() != 2 || kept.DeltaLen() != 2 {
		t.Errorf("%d objects, %d deltas", kept.Len(), kept.DeltaLen())
	}
	kept.Release()
	kept.Release()
	text := bytes.Clone(object.JSON())
	if !json.Valid(text) || object.Name() == "" {
		t.Errorf("the object has become %q", text)
	}
	object.Release()
	object.Release()
	panics(t, "Name", func() { object.Name() })
}

func TestForgettingIsHarmless(t *testing.T) {
	stream := synced(t, 20)
	for range 20 {
		for range 100 {
			snapshot := stream.Latest()
			object, _ := snapshot.At(0)
			object.Retain()
		}
		runtime.GC()
	}
}

func TestObjectsOfAForgottenSnapshotLive(t *testing.T) {
	stream := synced(t, 2)
	objects := make([]ksr.Object, 100)
	for i := range objects {
		objects[i], _ = stream.Latest().At(0)
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.GC()
	for _, object := range objects {
		if !strings.HasPrefix(object.Name(), "o") {
			t.Fatalf("the name has become %q", object.Name())
		}
	}
}

func TestManyGoroutinesReadOneSnapshot(t *testing.T) {
	snapshot := synced(t, 20).Latest()
	done := make(chan struct{}, 8)
	for range cap(done) {
		mine := snapshot.Retain()
		go func() {
			for range 50 {
				for object := range mine.Objects() {
					if object.Name() == "" || !json.Valid(object.JSON()) {
						t.Error("half an object")
					}
				}
			}
			mine.Release()
			done <- struct{}{}
		}()
	}
	snapshot.Release()
	for range cap(done) {
		await(t, done, "a reader")
	}
}
