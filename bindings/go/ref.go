package ksr

import (
	"runtime"
	"sync/atomic"
)

// ref is one reference of the library's. It is released once, when its owner releases it or when it is unreachable, and
// never while something reads through it.
type ref struct {
	holders  atomic.Int64 // the owner, and each reader at this moment
	released atomic.Bool
	drop     func() // must not reach the ref itself, or it would never become garbage
}

func newRef(drop func()) *ref {
	r := &ref{drop: drop}
	r.holders.Store(1)
	// SetFinalizer and not AddCleanup, which came with Go 1.24.
	runtime.SetFinalizer(r, (*ref).release)
	return r
}

// enter must be followed by leave; between the two the memory stays.
func (r *ref) enter() {
	if r == nil {
		panic("ksr: use of a Snapshot that no stream has brought")
	}
	for {
		holders := r.holders.Load()
		if r.released.Load() || holders == 0 {
			panic("ksr: use of a Snapshot or Object that has been released")
		}
		if r.holders.CompareAndSwap(holders, holders+1) {
			return
		}
	}
}

func (r *ref) leave() {
	if r.holders.Add(-1) == 0 {
		r.drop()
	}
}

func (r *ref) release() {
	if r == nil || r.released.Swap(true) {
		return
	}
	runtime.SetFinalizer(r, nil)
	r.leave()
}
