package ksr

// #include "bridge.h"
import "C"

// threadID names the thread of the calling goroutine; never 0. A callback's goroutine is locked to its thread, so that
// no other goroutine gets the same answer while it runs: this is how Close knows that a callback has called it. The
// library's own ksr_in_callback cannot say it here: it knows the thread of the library, which waits for the goroutine.
func threadID() uint64 {
	return uint64(C.ksr_go_thread())
}
