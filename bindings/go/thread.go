package ksr

// #include "bridge.h"
import "C"

import "sync"

// callbackThreads has the threads on which callbacks of this package run. ksr_in_callback alone cannot say it: it knows
// the thread of the library, which waits while the callback runs on a goroutine of its own.
var callbackThreads sync.Map

// threadID names the thread of the calling goroutine; never 0. A callback's goroutine is locked to its thread, so that
// no other goroutine gets the same answer while it runs: this is how Close knows that a callback has called it.
func threadID() uint64 {
	return uint64(C.ksr_go_thread())
}

// InCallback says whether it is called by a callback of any stream, where Close of that stream would fail with
// ErrWouldDeadlock; not by a goroutine that a callback has started.
func InCallback() bool {
	_, found := callbackThreads.Load(threadID())
	return found || C.ksr_in_callback() == 1
}
