package ksr

// #include "bridge.h"
import "C"

import "iter"

// Snapshot is a complete, immutable view of the resource at one moment, and what has changed since the one before.
type Snapshot struct {
	c   *C.ksr_snapshot
	ref *ref
	// whole: the loop that got it has seen nothing before, so that everything is new to it.
	whole bool
	// merged are its deltas since the one delivered before, where that is not the one before in the library; nil: the
	// library's own.
	merged []Change
}

// adopt takes over one reference.
func adopt(c *C.ksr_snapshot) *Snapshot {
	return &Snapshot{c: c, ref: newRef(func() { C.ksr_snapshot_release(c) })}
}

// Retain returns the snapshot with a life of its own, which Release ends.
func (s *Snapshot) Retain() *Snapshot {
	s.ref.enter()
	defer s.ref.leave()
	kept := adopt(C.ksr_snapshot_retain(s.c))
	kept.whole, kept.merged = s.whole, s.merged
	return kept
}

// Release ends the life of the snapshot, of the objects that it has lent, and of their bytes. It may be called again,
// and on nil.
func (s *Snapshot) Release() {
	if s != nil {
		s.ref.release()
	}
}

// Sequence counts the snapshots of a stream: 1, 2, 3…
func (s *Snapshot) Sequence() uint64 {
	s.ref.enter()
	defer s.ref.leave()
	return uint64(C.ksr_snapshot_sequence(s.c))
}

// ResourceVersion is that as of which the view is complete.
func (s *Snapshot) ResourceVersion() string {
	s.ref.enter()
	defer s.ref.leave()
	return string(view(C.ksr_go_resource_version(s.c)))
}

// Len is the number of objects.
func (s *Snapshot) Len() int {
	s.ref.enter()
	defer s.ref.leave()
	return int(C.ksr_snapshot_count(s.c))
}

// At returns the object at position i, from 0, and whether there is one.
func (s *Snapshot) At(i int) (Object, bool) {
	if i < 0 {
		return Object{}, false
	}
	s.ref.enter()
	defer s.ref.leave()
	return s.lend(C.ksr_snapshot_at(s.c, C.size_t(i)))
}

// Find returns the object of that namespace ("" for cluster-scoped) and name, and whether there is one.
func (s *Snapshot) Find(namespace, name string) (Object, bool) {
	ns, n := cString(namespace), cString(name)
	s.ref.enter()
	defer s.ref.leave()
	if ns == nil || n == nil {
		return Object{}, false
	}
	return s.lend(C.ksr_snapshot_find(s.c, ns.c(), n.c()))
}

// FindUID returns the object of that uid, and whether there is one.
func (s *Snapshot) FindUID(uid string) (Object, bool) {
	text := cString(uid)
	s.ref.enter()
	defer s.ref.leave()
	if text == nil {
		return Object{}, false
	}
	return s.lend(C.ksr_snapshot_find_uid(s.c, text.c()))
}

// Objects runs over all objects: by namespace and name, or, with "limit", most recent first.
func (s *Snapshot) Objects() iter.Seq[Object] {
	return func(yield func(Object) bool) {
		s.ref.enter()
		defer s.ref.leave()
		count := C.ksr_snapshot_count(s.c)
		for i := C.size_t(0); i < count; i++ {
			if object, _ := s.lend(C.ksr_snapshot_at(s.c, i)); !yield(object) {
				return
			}
		}
	}
}

// IndexLen is how many objects have that value in that column, from 0, of the config key "columns". The key "index" names
// the columns that can be asked for; for others there are none. Since 0.2.
func (s *Snapshot) IndexLen(column int, value string) int {
	text := cString(value)
	if text == nil || column < 0 {
		return 0
	}
	s.ref.enter()
	defer s.ref.leave()
	return int(C.ksr_snapshot_index_count(s.c, C.size_t(column), text.c()))
}

// ByIndex runs over the objects that IndexLen counts, such as the pods of one node, in the order of Objects. A column with
// * finds an object by each of its values; "" finds those whose column is empty. Since 0.2.
func (s *Snapshot) ByIndex(column int, value string) iter.Seq[Object] {
	return func(yield func(Object) bool) {
		text := cString(value)
		if text == nil || column < 0 {
			return
		}
		s.ref.enter()
		defer s.ref.leave()
		count := C.ksr_snapshot_index_count(s.c, C.size_t(column), text.c())
		for i := C.size_t(0); i < count; i++ {
			object, _ := s.lend(C.ksr_snapshot_index_at(s.c, C.size_t(column), text.c(), i))
			if !yield(object) {
				return
			}
		}
	}
}

// Change is one of the Changes. Since 0.2.
type Change struct {
	Kind DeltaKind
	// Object is, when it is Deleted, in its last known state.
	Object Object
	// Before is the object as the snapshot before had it; the zero Object when it is Added.
	Before Object
	// Left: it is Deleted only because "limit" has no place for it any more; the object exists.
	Left bool
}

// Deltas runs over what has changed since the snapshot before, each object at most once: deleted ones first, in their
// last known state, then the others. In the first snapshot of a loop or a callback every object is Added. An object
// that was replaced by another of the same name is Deleted and Added.
func (s *Snapshot) Deltas() iter.Seq2[DeltaKind, Object] {
	return func(yield func(DeltaKind, Object) bool) {
		for one := range s.Changes() {
			if !yield(one.Kind, one.Object) {
				return
			}
		}
	}
}

// Changes are the Deltas, each with what the object was before. Since 0.2.
func (s *Snapshot) Changes() iter.Seq[Change] {
	if s.whole {
		return s.everythingAdded()
	}
	return func(yield func(Change) bool) {
		s.ref.enter()
		defer s.ref.leave()
		if s.merged != nil {
			for _, one := range s.merged {
				if !yield(one) {
					return
				}
			}
			return
		}
		count := C.ksr_snapshot_delta_count(s.c)
		for i := C.size_t(0); i < count; i++ {
			delta := C.ksr_go_delta_at(s.c, i)
			object, _ := s.lend(delta.object)
			before, _ := s.lend(delta.before)
			if !yield(Change{DeltaKind(delta.kind), object, before, delta.left == 1}) {
				return
			}
		}
	}
}

func (s *Snapshot) everythingAdded() iter.Seq[Change] {
	return func(yield func(Change) bool) {
		for object := range s.Objects() {
			if !yield(Change{Kind: Added, Object: object}) {
				return
			}
		}
	}
}

// DeltaLen is the number of Deltas.
func (s *Snapshot) DeltaLen() int {
	if s.whole {
		return s.Len()
	}
	s.ref.enter()
	defer s.ref.leave()
	if s.merged != nil {
		return len(s.merged)
	}
	return int(C.ksr_snapshot_delta_count(s.c))
}

func (s *Snapshot) lend(c *C.ksr_object) (Object, bool) {
	if c == nil {
		return Object{}, false
	}
	return Object{c: c, ref: s.ref}, true
}
