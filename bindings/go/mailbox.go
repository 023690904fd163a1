package ksr

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unsafe"
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
	sameness sameness

	mu    sync.Mutex
	began bool          // a snapshot was delivered
	items []any         // *Snapshot, at most one; *Error; State; logLine
	more  chan struct{} // of one place
	done  chan struct{} // the state Closed was delivered
}

func newMailbox(config Config) *mailbox {
	return &mailbox{sameness: samenessOf(config), more: make(chan struct{}, 1), done: make(chan struct{})}
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
			snapshot.merged = mergedChanges(before, snapshot, m.sameness)
			before.Release()
			if len(snapshot.merged) == 0 && m.began {
				// All is as it was in the one that was delivered.
				snapshot.Release()
				m.items = slices.Delete(m.items, i, i+1)
				return
			}
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
	if _, is := item.(*Snapshot); is {
		m.began = true
	}
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

// mergedChanges are the changes from what was there before `before` to `after`, of objects that live by themselves.
func mergedChanges(before, after *Snapshot, by sameness) []Change {
	byUID := map[string]Change{}
	for one := range before.Changes() {
		byUID[one.Object.UID()] = one.pinned()
	}
	for one := range after.Changes() {
		uid := one.Object.UID()
		first, known := byUID[uid]
		one = one.pinned()
		if known {
			one.Before = first.Before
		}
		byUID[uid] = one
		switch {
		case !known:
		case first.Kind == Added && one.Kind == Deleted:
			delete(byUID, uid)
		case first.Kind == Added:
			one.Kind = Added
			byUID[uid] = one
		case one.Kind == Deleted:
		case by.same(first.Before, one.Object):
			// It has changed back, or, with "limit", has left the view and come back.
			delete(byUID, uid)
		default:
			one.Kind = Modified
			byUID[uid] = one
		}
	}
	merged := make([]Change, 0, len(byUID))
	for uid, one := range byUID {
		// What is no change has moved objects on since.
		if shown, is := after.FindUID(uid); is && one.Kind != Deleted {
			one.Object = shown.pinned()
		}
		merged = append(merged, one)
	}
	// As the library orders them.
	slices.SortFunc(merged, func(a, b Change) int {
		deletedFirst := func(c Change) int {
			if c.Kind == Deleted {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(deletedFirst(a), deletedFirst(b)),
			cmp.Compare(a.Object.Namespace(), b.Object.Namespace()), cmp.Compare(a.Object.Name(), b.Object.Name()))
	})
	return merged
}

// sameness says when two states of an object are the same, as the library has it by the keys of a stream.
type sameness struct {
	by sharedPart
	// Columns by each of whose values an index finds objects: "a,b" may be one value or two.
	joined []int
}

// sharedPart is what they must have in common beside their columns.
type sharedPart int

const (
	byVersion sharedPart = iota // and all that is shown: a server that was restored gives its versions a second time
	byText                      // but for the resourceVersion: fields that are not kept may have changed
	byColumns
)

func samenessOf(config Config) sameness {
	var joined []int
	indexed := strings.Fields(config["index"])
	for column, pointer := range strings.Fields(config["columns"]) {
		isIndexed := slices.ContainsFunc(indexed, func(number string) bool {
			place, err := strconv.Atoi(number)
			return err == nil && place == column
		})
		if isIndexed && slices.Contains(strings.Split(pointer, "/"), "*") {
			joined = append(joined, column)
		}
	}
	return sameness{sharedPartOf(config), joined}
}

func sharedPartOf(config Config) sharedPart {
	switch {
	case strings.Trim(config["limit"], "0") != "":
		// The time by which objects are ordered is not among what they show: each version may be another place.
		return byVersion
	case config["notify"] == "columns":
		return byColumns
	case config["keep_fields"] != "" || config["drop_fields"] != "":
		return byText
	}
	return byVersion
}

func (s sameness) same(a, b Object) bool {
	if !slices.Equal(a.Columns(), b.Columns()) {
		return false
	}
	for _, column := range s.joined {
		if text, _ := a.Column(column); strings.Contains(text, ",") {
			return false
		}
	}
	switch s.by {
	case byVersion:
		return a.ResourceVersion() == b.ResourceVersion() && bytes.Equal(a.JSON(), b.JSON())
	case byColumns:
		return true
	}
	aHead, aTail := a.textAroundVersion()
	bHead, bTail := b.textAroundVersion()
	return bytes.Equal(aHead, bHead) && bytes.Equal(aTail, bTail)
}

func (o Object) textAroundVersion() (head, tail []byte) {
	text, version := o.JSON(), o.Get("/metadata/resourceVersion")
	if version == nil {
		return text, nil
	}
	// It lies within the text.
	begin := uintptr(unsafe.Pointer(unsafe.SliceData(version))) - uintptr(unsafe.Pointer(unsafe.SliceData(text)))
	return text[:begin], text[int(begin)+len(version):]
}

func (c Change) pinned() Change {
	return Change{c.Kind, c.Object.pinned(), c.Before.pinned(), c.Left}
}

// pinned is the object with a reference of its own, which the garbage collector gives back: to its user it is one that
// is lent.
func (o Object) pinned() Object {
	kept := o.Retain()
	kept.owned = false
	return kept
}
