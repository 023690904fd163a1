package ksr

import (
	"bytes"
	"runtime"
	"strconv"
)

// goroutineID is the number that stack traces show. Go has no other way to tell that Close was called by a callback,
// and a Close that waits for its own caller would wait for ever.
func goroutineID() uint64 {
	var buffer [64]byte
	trace := buffer[:runtime.Stack(buffer[:], false)]
	fields := bytes.Fields(trace)
	if len(fields) < 2 {
		return 0
	}
	id, _ := strconv.ParseUint(string(fields[1]), 10, 64)
	return id
}
