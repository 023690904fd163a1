package ksr

// #include "bridge.h"
import "C"

import (
	"context"
	"fmt"
	"runtime/cgo"
	"sync"
	"sync/atomic"
	"time"
)

// Stream is an open stream. Open makes it; a nil or zero Stream behaves as a closed one.
type Stream struct {
	callbacks callbacks
	handle    atomic.Uintptr // the ksr_stream
	inside    atomic.Uint64  // the thread of the callback that is running; 0: no callback is
	journal   *journal
	client    *Client  // nil: it has a connection and a thread of its own
	mail      *mailbox // of a stream of a client

	opened chan struct{} // Open has returned
	synced chan struct{} // a snapshot was delivered
	ended  chan struct{} // nothing more will be delivered
	done   chan struct{} // everything was released

	release   sync.Once
	loops     sync.WaitGroup // goroutines of Channel
	unlisten  func() bool    // of the context
	closeFail error

	mu          sync.Mutex
	cause       error
	fatal       error
	lastError   *Error    // LastError when the stream ended
	current     *Snapshot // the last one delivered, for loops that begin later
	subscribers []*subscriber
}

// Open opens a stream. It never waits for the network: an unreachable server is one of Stream.Errors. It fails with an
// *Error for a missing, unknown or contradictory key and for a file that cannot be read, and with the context's cause
// when ctx is done already. The stream ends when ctx is done. A nil ctx, here and in the methods, is
// context.Background.
func Open(ctx context.Context, config Config, options ...Option) (*Stream, error) {
	return open(ctx, config, newStream(options))
}

func open(ctx context.Context, config Config, s *Stream) (*Stream, error) {
	ctx = orBackground(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	c, err := config.build()
	if err != nil {
		return nil, err
	}
	defer C.ksr_config_free(c)
	withLog := C.int(0)
	if s.callbacks.log != nil {
		withLog = 1
	}
	C.ksr_go_set_callbacks(c, withLog)

	var handle C.uintptr_t
	var e *C.ksr_error
	var status C.ksr_status
	// ksrGoDestroy deletes the cgo.Handle, also when this fails.
	if s.client == nil {
		status = C.ksr_go_open(c, C.uintptr_t(cgo.NewHandle(s)), &handle, &e)
	} else {
		status = C.ksr_go_client_stream(s.client.handle, c, C.uintptr_t(cgo.NewHandle(s)), &handle, &e)
	}
	if err := failure(status, e, "ksr_open"); err != nil {
		return nil, err
	}
	s.handle.Store(uintptr(handle))
	if s.mail != nil {
		go s.mail.deliver(s)
	}
	s.unlisten = context.AfterFunc(ctx, func() {
		s.end(context.Cause(ctx))
		s.shutDown()
	})
	close(s.opened)
	return s, nil
}

func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// neverOpened: Open did not make it.
func (s *Stream) neverOpened() bool { return s == nil || s.opened == nil }

// closedChannel is closed from the beginning.
var closedChannel = func() chan struct{} {
	closed := make(chan struct{})
	close(closed)
	return closed
}()

func newStream(options []Option) *Stream {
	s := &Stream{
		journal: newJournal(),
		opened:  make(chan struct{}),
		synced:  make(chan struct{}),
		ended:   make(chan struct{}),
		done:    make(chan struct{}),
	}
	for _, option := range options {
		if option != nil {
			option(&s.callbacks)
		}
	}
	return s
}

// Cancel ends the stream without waiting. It may be called anywhere, inside callbacks too, any number of times. Once it
// has returned, no OnUpdate and no OnError starts; one that runs already runs to its end. Close need not follow.
func (s *Stream) Cancel() { s.cancel(nil) }

func (s *Stream) cancel(cause error) {
	if s.neverOpened() {
		return
	}
	s.end(cause)
	C.ksr_go_cancel(C.uintptr_t(s.handle.Load()))
}

// Close ends the stream and waits for a callback that is running, but never for the network. Once it has returned nil
// no callback runs or ever will, and no goroutine, thread or memory of the stream is left; snapshots and objects that
// were retained stay. It may be called any number of times. Inside a callback of the same stream it fails with
// ErrWouldDeadlock, and nothing happens.
func (s *Stream) Close() error {
	if s.neverOpened() {
		return nil
	}
	if s.inside.Load() == threadID() {
		return &Error{Code: ErrWouldDeadlock, Message: "Close: called inside a callback of the stream; use Cancel", Fatal: true}
	}
	s.end(nil)
	return s.shutDown()
}

// shutDown releases what the stream holds, once, and waits until that is done.
func (s *Stream) shutDown() error {
	<-s.opened
	s.release.Do(func() {
		s.unlisten()
		status := C.ksr_go_close(C.uintptr_t(s.handle.Load()))
		if s.mail != nil {
			<-s.mail.done
			s.client.forget(s)
		}
		s.closeFail = failure(status, nil, "Close")
		s.loops.Wait()
		s.mu.Lock()
		s.current.Release()
		s.current = nil
		s.mu.Unlock()
		close(s.done)
	})
	return s.closeFail
}

// end stops all deliveries. The first cause counts.
func (s *Stream) end(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over() {
		return
	}
	s.cause = cause
	s.lastError = s.currentError()
	close(s.ended)
}

func (s *Stream) over() bool {
	if s.neverOpened() {
		return true
	}
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// Done is closed when the stream has ended, for whatever reason, and everything it held has been released.
func (s *Stream) Done() <-chan struct{} {
	if s.neverOpened() {
		return closedChannel
	}
	return s.done
}

// Err says why the stream has ended: nil while it runs and after Cancel or Close, the context's cause, the fatal
// *Error, or a *PanicError.
func (s *Stream) Err() error {
	if s.neverOpened() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// LastError is what keeps the stream from being live, until it is; nil when nothing is wrong now. After the end it is
// what was wrong then.
func (s *Stream) LastError() *Error {
	if s.neverOpened() {
		return nil
	}
	if s.over() {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.lastError
	}
	return s.currentError()
}

func (s *Stream) currentError() *Error {
	e := C.ksr_go_last_error(C.uintptr_t(s.handle.Load()))
	if e == nil {
		return nil
	}
	defer C.ksr_error_free(e)
	return readError(e)
}

// WaitSynced waits until the first complete snapshot is there, so that Latest returns it. It returns the
// context's cause when ctx is done before; when the stream ends before, the reason of that, or an *Error with
// ErrCancelled. If LastError is not nil then, it is part of what is returned: errors.As finds that *Error, errors.Is its
// Code, and errors.Is the context's cause all the same. It may be called inside callbacks.
func (s *Stream) WaitSynced(ctx context.Context) error {
	if s.neverOpened() {
		return s.whyEnded("WaitSynced")
	}
	ctx = orBackground(ctx)
	// Inside a callback the first snapshot cannot be delivered, so the library is polled.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		status := C.ksr_go_wait_synced(C.uintptr_t(s.handle.Load()), 0)
		switch status {
		case C.KSR_OK:
			return nil
		case C.KSR_E_TIMEOUT:
		case C.KSR_E_CANCELLED, C.KSR_E_INVALID:
			return s.whyEnded("WaitSynced")
		default:
			return failure(status, nil, "WaitSynced")
		}
		select {
		case <-s.synced:
		case <-s.ended:
		case <-tick.C:
		case <-ctx.Done():
			return inVain(context.Cause(ctx), s.LastError())
		}
		if s.over() {
			return s.whyEnded("WaitSynced")
		}
	}
}

// How long WaitUntil may take to see that its context is done.
const waitSlice = 50 * time.Millisecond

// WaitUntil waits until something is true of the view: it calls test with the newest complete snapshot, then again
// whenever that has changed, until it returns true. Changes that come while the test runs are merged. The snapshot
// lives until the test returns; Retain keeps it. It returns the context's cause when ctx is done before, and as
// WaitSynced when the stream ends before. No loop and no callback is needed for it, and it may be called inside
// callbacks; what the test panics with comes out of WaitUntil. Since 0.2.
func (s *Stream) WaitUntil(ctx context.Context, test func(*Snapshot) bool) error {
	if s.neverOpened() {
		return s.whyEnded("WaitUntil")
	}
	ctx = orBackground(ctx)
	var seen uint64
	for {
		var found *C.ksr_snapshot
		status := C.ksr_go_wait_change(C.uintptr_t(s.handle.Load()), C.uint64_t(seen), C.int64_t(waitSlice.Milliseconds()), &found)
		switch status {
		case C.KSR_OK:
			snapshot := adopt(found)
			seen = snapshot.Sequence()
			if passes(snapshot, test) {
				return nil
			}
		case C.KSR_E_TIMEOUT:
		case C.KSR_E_CANCELLED, C.KSR_E_INVALID:
			if s.over() {
				return s.whyEnded("WaitUntil")
			}
			// Inside a callback the end cannot be delivered.
			end := &Error{Code: ErrCancelled, Message: "WaitUntil: the stream has ended", Fatal: true}
			return inVain(end, s.LastError())
		default:
			return failure(status, nil, "WaitUntil")
		}
		if ctx.Err() != nil {
			return inVain(context.Cause(ctx), s.LastError())
		}
	}
}

func passes(snapshot *Snapshot, test func(*Snapshot) bool) bool {
	defer snapshot.Release()
	return test(snapshot)
}

func (s *Stream) whyEnded(what string) error {
	if s.neverOpened() {
		return &Error{Code: ErrCancelled, Message: what + ": the stream was never opened", Fatal: true}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.fatal != nil && (s.cause == nil || s.cause == s.fatal):
		return s.fatal
	case s.cause != nil:
		return inVain(s.cause, s.lastError)
	}
	end := &Error{Code: ErrCancelled, Message: what + ": the stream was cancelled or closed", Fatal: true}
	return inVain(end, s.lastError)
}

// inVain is what ended a wait, and what kept it from its end.
func inVain(end error, last *Error) error {
	if last == nil {
		return end
	}
	return fmt.Errorf("%w; %w", end, last)
}

// Latest returns the newest complete snapshot, which may be one that no loop and no callback has brought yet; nil
// before the first and after the end. The caller releases it.
func (s *Stream) Latest() *Snapshot {
	if s.neverOpened() {
		return nil
	}
	c := C.ksr_go_latest(C.uintptr_t(s.handle.Load()))
	if c == nil {
		return nil
	}
	return adopt(c)
}

// State is what the stream is doing.
func (s *Stream) State() State {
	state, err := s.Stat("state")
	if err != nil || s.over() {
		return Closed
	}
	return State(state)
}

// Stat returns a statistic by its name in CONFIGURATION.md, such as "objects", "events" or "fresh_ms". It fails with
// ErrUnknownKey, and with ErrInvalid after the end.
func (s *Stream) Stat(name string) (uint64, error) {
	if s.neverOpened() {
		return 0, &Error{Code: ErrInvalid, Message: "Stat: the stream was never opened", Fatal: true}
	}
	text := cString(name)
	if text == nil {
		return 0, &Error{Code: ErrUnknownKey, Message: "Stat: the name holds a NUL byte", Fatal: true}
	}
	var value C.uint64_t
	status := C.ksr_go_stat(C.uintptr_t(s.handle.Load()), text.c(), &value)
	return uint64(value), failure(status, nil, "Stat: "+name)
}
