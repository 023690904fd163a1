package ksr

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

func TestRefGoesBackOnce(t *testing.T) {
	count := 0
	r := newRef(func() { count++ })
	r.release()
	r.release()
	if count != 1 {
		t.Errorf("given back %d times", count)
	}
	defer func() {
		if recover() == nil {
			t.Error("a released ref was entered")
		}
	}()
	r.enter()
}

func TestRefStaysWhileItIsRead(t *testing.T) {
	count := 0
	r := newRef(func() { count++ })
	r.enter()
	r.release()
	if count != 0 {
		t.Error("given back under a reader")
	}
	r.leave()
	if count != 1 {
		t.Errorf("given back %d times", count)
	}
}

func TestRefThatIsForgottenGoesBack(t *testing.T) {
	var count atomic.Int64
	for range 100 {
		newRef(func() { count.Add(1) })
	}
	for end := time.Now().Add(time.Minute); count.Load() < 90; time.Sleep(time.Millisecond) {
		if runtime.GC(); time.Now().After(end) {
			t.Fatalf("%d of 100 were given back", count.Load())
		}
	}
}

func TestJournalKeepsTheLast(t *testing.T) {
	j := newJournal()
	for i := range 100 {
		j.add(&Error{HTTPStatus: i})
	}
	place, count := 0, 0
	for want := 100 - journalLimit; ; want++ {
		err, next, _ := j.since(place)
		if err == nil {
			break
		}
		if place = next; err.HTTPStatus != want {
			t.Fatalf("got %d, want %d", err.HTTPStatus, want)
		}
		count++
	}
	if count != journalLimit {
		t.Errorf("%d entries", count)
	}
}
