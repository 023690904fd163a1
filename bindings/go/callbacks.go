package ksr

// #include "bridge.h"
import "C"

import (
	"runtime"
	"runtime/cgo"
	"runtime/debug"
	"unsafe"
)

// The functions below are called on a thread of the library.

func streamOf(handle, stream C.uintptr_t) *Stream {
	s := cgo.Handle(handle).Value().(*Stream)
	s.handle.Store(uintptr(stream)) // a callback may come before ksr_open has returned
	return s
}

//export ksrGoUpdate
func ksrGoUpdate(handle, stream C.uintptr_t, snapshot *C.ksr_snapshot) {
	s := streamOf(handle, stream)
	s.tell(adopt(C.ksr_snapshot_retain(snapshot)))
}

//export ksrGoError
func ksrGoError(handle, stream C.uintptr_t, e *C.ksr_error) {
	streamOf(handle, stream).tell(readError(e))
}

// tell delivers what the library has told: here, or, of a client, where it does not keep the client's thread.
func (s *Stream) tell(what any) {
	if s.mail != nil {
		s.mail.add(what)
	} else {
		s.told(what)
	}
}

func (s *Stream) told(what any) {
	switch what := what.(type) {
	case *Snapshot:
		s.deliver(what)
	case *Error:
		s.toldError(what)
	case State:
		s.toldState(what)
	case logLine:
		s.call(onLog, func() { s.callbacks.log(what.level, what.text) })
	}
}

func (s *Stream) toldError(err *Error) {
	if err.Fatal {
		s.mu.Lock()
		s.fatal = err
		s.mu.Unlock()
	}
	s.journal.add(err)
	if s.callbacks.err != nil {
		s.call(onError, func() { s.callbacks.err(s, err) })
	}
}

//export ksrGoState
func ksrGoState(handle, stream C.uintptr_t, state C.ksr_state) {
	streamOf(handle, stream).tell(State(state))
}

func (s *Stream) toldState(state State) {
	if state == Closed {
		s.mu.Lock()
		fatal := s.fatal
		s.mu.Unlock()
		s.end(fatal)
		go s.shutDown()
	}
	if s.callbacks.state != nil {
		s.call(onState, func() { s.callbacks.state(s, state) })
	}
}

//export ksrGoLog
func ksrGoLog(handle C.uintptr_t, level C.int32_t, message *C.char, size C.size_t) {
	s := cgo.Handle(handle).Value().(*Stream)
	text := string(unsafe.Slice((*byte)(unsafe.Pointer(message)), int(size)))
	s.tell(logLine{levelOf(int32(level)), text})
}

//export ksrGoDestroy
func ksrGoDestroy(handle C.uintptr_t) {
	cgo.Handle(handle).Delete()
}

// call runs a callback of the program and waits for it. It has a goroutine of its own because the library's thread
// masks signals: a child process would inherit that, and the scheduler could not preempt a busy loop.
func (s *Stream) call(name string, callback func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // see threadID
		defer runtime.UnlockOSThread()
		s.guard(name, callback)
	}()
	<-done
}

func (s *Stream) guard(name string, callback func()) {
	if !s.begin(name) {
		return
	}
	returned := false
	defer func() {
		callbackThreads.Delete(s.inside.Swap(0))
		// A runtime.Goexit comes here too; there is nothing to recover then.
		if value := recover(); !returned {
			s.cancel(&PanicError{Callback: name, Value: value, Stack: debug.Stack()})
		}
	}()
	callback()
	returned = true
}

// begin is one step with end: after a Cancel has returned, no OnUpdate and no OnError starts. The state Closed
// and its log lines still come.
func (s *Stream) begin(name string) bool {
	thread := threadID()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over() && (name == onUpdate || name == onError) {
		return false
	}
	s.inside.Store(thread)
	callbackThreads.Store(thread, nil)
	return true
}
