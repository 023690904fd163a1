package ksr

import (
	"cmp"
	"slices"
	"sync"
)

// What waits for a stream that is busy, as much as the library itself keeps of it.
const (
	mailedErrors = 64
	mailedStates = 16
	mailedLines  = 256
)

// mailbox is what the library has told a stream of a client, for a goroutine of the stream's own to deliver: a callback
// or loop that takes its time keeps neither the other streams of the client nor its requests. Changes that come meanwhile
// are merged into one snapshot, as the library does for a stream that has a thread.
type mailbox struct {
	mu    sync.Mutex
	items []any         // *Snapshot, at most one; *Error; State; logLine
	more  chan struct{} // of one place
	done  chan struct{} // the state Closed was delivered
}

func newMailbox() *mailbox {
	return &mailbox{more: make(chan struct{}, 1), done: make(chan struct{})}
}

// add never waits.
func (m *mailbox) add(item any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if snapshot, is := item.(*Snapshot); is {
		m.addSnapshot(snapshot)
	} else {
		m.bound(item)
		m.items = append(m.items, item)
	}
	select {
	case m.more <- struct{}{}:
	default:
	}
}

func (m *mailbox) addSnapshot(snapshot *Snapshot) {
	for i, waiting := range m.items {
		if before, is := waiting.(*Snapshot); is {
			snapshot.merged = mergedChanges(before, snapshot)
			before.Release()
			m.items[i] = snapshot
			return
		}
	}
	m.items = append(m.items, snapshot)
}

// bound drops the oldest of a kind of which there are too many; never what ends a stream, which is the last.
func (m *mailbox) bound(item any) {
	most, alike := 0, func(any) bool { return false }
	switch item.(type) {
	case *Error:
		most, alike = mailedErrors, func(other any) bool { _, is := other.(*Error); return is }
	case State:
		most, alike = mailedStates, func(other any) bool { _, is := other.(State); return is }
	case logLine:
		most, alike = mailedLines, func(other any) bool { _, is := other.(logLine); return is }
	}
	count := 0
	for _, other := range m.items {
		if alike(other) {
			count++
		}
	}
	if count >= most {
		oldest := slices.IndexFunc(m.items, alike)
		m.items = slices.Delete(m.items, oldest, oldest+1)
	}
}

func (m *mailbox) take() (any, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.items) == 0 {
		return nil, false
	}
	item := m.items[0]
	m.items = slices.Delete(m.items, 0, 1)
	return item, true
}

// deliver ends with the state Closed, which comes once, as the last.
func (m *mailbox) deliver(s *Stream) {
	defer close(m.done)
	for {
		item, is := m.take()
		if !is {
			<-m.more
			continue
		}
		s.told(item)
		if item == Closed {
			return
		}
	}
}

// change is one delta, with an object that lives by itself.
type change struct {
	kind   DeltaKind
	object Object
}

// mergedChanges are the deltas from what was there before `before` to `after`.
func mergedChanges(before, after *Snapshot) []change {
	byUID := map[string]change{}
	for kind, object := range before.Deltas() {
		byUID[object.UID()] = change{kind, object.pinned()}
	}
	for kind, object := range after.Deltas() {
		uid := object.UID()
		first, known := byUID[uid]
		byUID[uid] = change{kind, object.pinned()}
		switch {
		case !known:
		case first.kind == Added && kind == Deleted:
			delete(byUID, uid)
		case first.kind == Added:
			byUID[uid] = change{Added, object.pinned()}
		case first.kind == Deleted && first.object.ResourceVersion() == object.ResourceVersion():
			// With "limit" an object leaves the view and comes back.
			delete(byUID, uid)
		case first.kind == Deleted:
			byUID[uid] = change{Modified, object.pinned()}
		}
	}
	merged := make([]change, 0, len(byUID))
	for _, one := range byUID {
		merged = append(merged, one)
	}
	// As the library orders them.
	slices.SortFunc(merged, func(a, b change) int {
		deletedFirst := func(c change) int {
			if c.kind == Deleted {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(deletedFirst(a), deletedFirst(b)),
			cmp.Compare(a.object.Namespace(), b.object.Namespace()), cmp.Compare(a.object.Name(), b.object.Name()))
	})
	return merged
}

// pinned is the object with a reference of its own, which the garbage collector gives back: to its user it is one that
// is lent.
func (o Object) pinned() Object {
	kept := o.Retain()
	kept.owned = false
	return kept
}
