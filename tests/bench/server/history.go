package main

import (
	"context"
	"sync"
	"time"
)

const (
	firstVersion = 10_000_000
	stride       = 7919
	namespaces   = 100
)

// The past and the future of all pods, known without being stored: event k (from 0) has resourceVersion
// firstVersion+k+1 and changes one pod, so that any watch can start at any version. `advance` makes events happen.
type history struct {
	objects int
	inverse int // of stride, modulo objects

	mutex    sync.RWMutex
	happened int
	versions []uint32 // of each pod
	segments []segment
	changed  chan struct{}
}

// Events from `begin` on touch every pod in turn, or only the `newest` most recently created ones.
type segment struct {
	begin  int
	newest int
}

func newHistory(objects int) *history {
	made := &history{objects: objects, versions: make([]uint32, objects), segments: []segment{{}},
		changed: make(chan struct{})}
	for i := range made.versions {
		made.versions[i] = firstVersion
	}
	for inverse := range objects {
		if inverse*(stride%objects)%objects == 1%objects {
			made.inverse = inverse
			break
		}
	}
	return made
}

func (h *history) version() int {
	h.mutex.RLock()
	defer h.mutex.RUnlock()
	return firstVersion + h.happened
}

// Makes `count` more events happen at once.
func (h *history) advance(count, newest int) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.segments[len(h.segments)-1].newest != newest {
		h.segments = append(h.segments, segment{h.happened, newest})
	}
	for range count {
		h.versions[h.objectLocked(h.happened)] = uint32(firstVersion + h.happened + 1)
		h.happened++
	}
	close(h.changed)
	h.changed = make(chan struct{})
}

// Waits for events after the first `seen`; returns without new ones at the timeout.
func (h *history) wait(ctx context.Context, seen int, timeout time.Duration) (happened int) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		h.mutex.RLock()
		happened, changed := h.happened, h.changed
		h.mutex.RUnlock()
		if happened > seen {
			return happened
		}
		select {
		case <-changed:
		case <-timer.C:
			return happened
		case <-ctx.Done():
			return happened
		}
	}
}

// The pod that event k changes.
func (h *history) object(k int) int {
	h.mutex.RLock()
	defer h.mutex.RUnlock()
	return h.objectLocked(k)
}

func (h *history) objectLocked(k int) int {
	at := len(h.segments) - 1
	for h.segments[at].begin > k {
		at--
	}
	if newest := h.segments[at].newest; newest > 0 {
		return (h.objects - 1 - (k-h.segments[at].begin)%newest) * h.inverse % h.objects
	}
	return k % h.objects * (stride % h.objects) % h.objects
}

func (h *history) versionSum() (sum uint64) {
	h.mutex.RLock()
	defer h.mutex.RUnlock()
	for _, version := range h.versions {
		sum += uint64(version)
	}
	return sum
}

func (h *history) versionOf(object int) int {
	h.mutex.RLock()
	defer h.mutex.RUnlock()
	return int(h.versions[object])
}
