package ksr

// #include "bridge.h"
import "C"

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"runtime/cgo"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// Client makes requests of one cluster: any call of the Kubernetes API, over the connection, credentials and discovery
// that streams with the same Config use as well. NewClient makes it; a nil or zero Client behaves as a closed one. Any
// number of goroutines may use it at once; a request takes neither a goroutine nor a thread of its own. Since 0.2.
type Client struct {
	*client
}

// client is what the library and requests under way refer to, so that a Client that was dropped becomes garbage.
type client struct {
	handle C.uintptr_t // the ksr_client
	log    *clientLog

	mu       sync.Mutex
	closed   bool
	streams  map[*Stream]struct{}
	channels map[*channel]struct{}
	running  sync.WaitGroup // requests; none is added once closed
	release  sync.Once
	fail     error
}

// NewClient opens a client with the connection and Headlamp keys of config; its other keys mean nothing here. It reads
// the files that config names and never waits for the network. Of the options OnLog counts, whose callback must not call
// Close. Fails with an *Error for an unknown or contradictory key and for a file that cannot be read.
func NewClient(config Config, options ...Option) (*Client, error) {
	raw, err := config.build()
	if err != nil {
		return nil, err
	}
	defer C.ksr_config_free(raw)
	c := &client{log: newClientLog(options)}
	withLog := C.int(0)
	if c.log.callback != nil {
		withLog = 1
	}
	var e *C.ksr_error
	// ksrGoClientDestroy deletes the cgo.Handle, also when this fails.
	status := C.ksr_go_client_open(raw, withLog, C.uintptr_t(cgo.NewHandle(c.log)), &c.handle, &e)
	if err := failure(status, e, "ksr_client_open"); err != nil {
		return nil, err
	}
	c.log.cancel = func() { C.ksr_go_client_cancel(c.handle) }
	c.log.start()
	opened := &Client{c}
	// SetFinalizer and not AddCleanup, which came with Go 1.24.
	runtime.SetFinalizer(opened, func(dropped *Client) { C.ksr_go_client_close_async(dropped.handle) })
	return opened, nil
}

func (c *Client) neverOpened() bool { return c == nil || c.client == nil }

// Close cancels all requests under way, which then fail with ErrCancelled, closes the streams and channels of the client, and waits
// for a callback that is running, but never for the network. Once it has returned nil, no goroutine, thread or memory of
// the client is left; responses, and snapshots that were retained, stay. It may be called any number of times. Inside a
// callback of its own or of its streams it fails with ErrWouldDeadlock, and nothing happens. A client that the program
// drops without it is closed by the garbage collector, unless a stream of it is open.
func (c *Client) Close() error {
	if c.neverOpened() {
		return nil
	}
	if c.log.inside.Load() == threadID() {
		return &Error{Code: ErrWouldDeadlock, Message: "Close: called inside OnLog of the client", Fatal: true}
	}
	c.mu.Lock()
	streams := slices.Collect(maps.Keys(c.streams))
	for _, s := range streams {
		if s.inside.Load() == threadID() {
			c.mu.Unlock()
			return &Error{Code: ErrWouldDeadlock, Message: "Close: called inside a callback of a stream of the client", Fatal: true}
		}
	}
	c.closed = true
	c.mu.Unlock()
	c.release.Do(func() {
		runtime.SetFinalizer(c, nil)
		C.ksr_go_client_cancel(c.handle)
		for _, s := range streams {
			c.fail = cmp.Or(c.fail, s.Close())
		}
		// They ask their requests how they have ended, before these are gone.
		c.running.Wait()
		for _, s := range c.open() { // that a Watch has opened meanwhile
			c.fail = cmp.Or(c.fail, s.Close())
		}
		for _, ch := range c.openChannels() {
			c.fail = cmp.Or(c.fail, ch.close())
		}
		c.fail = cmp.Or(c.fail, failure(C.ksr_go_client_close(c.handle), nil, "Close"))
		c.log.stop()
	})
	return c.fail
}

// enter must be followed by leave; between the two the client is open.
func (c *Client) enter(what string) error {
	if c.neverOpened() {
		return &Error{Code: ErrInvalid, Message: what + ": the client was never opened", Fatal: true}
	}
	if panicked := c.log.panicked.Load(); panicked != nil {
		return panicked
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return &Error{Code: ErrInvalid, Message: what + ": the client is closed", Fatal: true}
	}
	c.running.Add(1)
	return nil
}

func (c *Client) leave() {
	c.running.Done()
	runtime.KeepAlive(c)
}

// Watch opens a stream over the client's connection: as Open, but config has no connection keys (they are ErrInvalid), and
// all streams of a client have one thread of the library's together. Each delivers on a goroutine of its own, so that a
// callback or loop that takes its time delays no other stream and no request. Closing the client closes its streams.
func (c *Client) Watch(ctx context.Context, config Config, options ...Option) (*Stream, error) {
	if err := c.enter("Watch"); err != nil {
		return nil, err
	}
	defer c.leave()
	s := newStream(options)
	s.client, s.mail = c, newMailbox(config)
	c.mu.Lock()
	if c.streams == nil {
		c.streams = map[*Stream]struct{}{}
	}
	c.streams[s] = struct{}{}
	c.mu.Unlock()
	opened, err := open(ctx, config, s)
	if err != nil {
		c.forget(s)
	}
	return opened, err
}

func (c *client) open() []*Stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Keys(c.streams))
}

func (c *client) forget(s *Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.streams, s)
}

// Do makes a request and waits for its answer, which is a Response for a 2xx, else an error: an *Error, whose Code says
// what kind of failure it is (errors.Is(err, ksr.ErrNotFound)), HTTPStatus, Reason and Status what the server has said,
// and MaybeDone whether it may have been carried out all the same. What changes something is never carried out twice by
// a retry of the library.
//
// When ctx is done, the request is cancelled, and the error has both: ctx.Err() (and the context's cause), and an
// *Error, for its MaybeDone; what was sent may be carried out all the same. A deadline of ctx is the request's timeout,
// 30 s without one; the server is told of it too. A nil ctx is context.Background.
//
// It may be called inside callbacks.
func (c *Client) Do(ctx context.Context, request *Request) (*Response, error) {
	ctx = orBackground(ctx)
	if ctx.Err() != nil {
		return nil, ended(ctx, nil)
	}
	if request == nil {
		return nil, &Error{Code: ErrInvalid, Message: "Do: the request is nil", Fatal: true}
	}
	if err := c.enter("Do"); err != nil {
		return nil, err
	}
	defer c.leave()
	params, err := request.build(ctx)
	if err != nil {
		return nil, err
	}
	defer C.ksr_params_free(params)

	over := make(chan struct{})
	var handle C.uintptr_t
	var e *C.ksr_error
	// ksrGoRequestDestroy deletes the cgo.Handle, also when this fails.
	status := C.ksr_go_request_open(c.handle, params, C.uintptr_t(cgo.NewHandle(over)), &handle, &e)
	if err := failure(status, e, "Do"); err != nil {
		return nil, err
	}
	defer C.ksr_go_request_close_async(handle)
	select {
	case <-over:
	case <-ctx.Done():
		C.ksr_go_request_cancel(handle)
	}
	var response *C.ksr_response
	status = C.ksr_go_request_outcome(handle, &response, &e)
	if err := failure(status, e, "Do"); err != nil {
		return nil, c.explained(ctx, err.(*Error))
	}
	return adoptResponse(response), nil
}

// explained says what has ended a request that was not answered.
func (c *Client) explained(ctx context.Context, err *Error) error {
	if err.Code == ErrCancelled {
		if panicked := c.log.panicked.Load(); panicked != nil {
			return fmt.Errorf("%w; %w", panicked, err)
		}
	}
	if deadline, is := ctx.Deadline(); is && err.Code == ErrTimeout && time.Until(deadline) < clockSlack {
		<-ctx.Done()
	}
	switch {
	case ctx.Err() == nil || (err.Code != ErrCancelled && err.Code != ErrTimeout):
		return err
	case ctx.Err() == context.DeadlineExceeded && err.Code == ErrCancelled:
		// As where the library's timer was the first.
		err.Code, err.HTTPStatus, err.Message = ErrTimeout, 408, "the request was not answered before the context's deadline"
	}
	return ended(ctx, err)
}

// clockSlack is how much earlier than the context's timer that of the library may fire.
const clockSlack = 10 * time.Millisecond

// ended is an error for a context that is done: its Err, its cause, and what has come of the request.
func ended(ctx context.Context, last *Error) error {
	err := ctx.Err()
	if cause := context.Cause(ctx); !errors.Is(cause, err) {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	return inVain(err, last)
}

// Get reads an object; namespace is "" for a cluster-scoped one.
func (c *Client) Get(ctx context.Context, resource, namespace, name string, options ...RequestOption) (*Response, error) {
	return c.verb(ctx, "get", resource, namespace, name, nil, options)
}

// List reads a collection; namespace "" is all of them.
func (c *Client) List(ctx context.Context, resource, namespace string, options ...RequestOption) (*Response, error) {
	return c.verb(ctx, "list", resource, namespace, "", nil, options)
}

// Create makes an object, whose name is in its body. A body, here and in the other verbs, is bytes or a string of JSON,
// or what json.Marshal makes JSON of, such as a *corev1.Pod.
func (c *Client) Create(ctx context.Context, resource, namespace string, body any, options ...RequestOption) (*Response, error) {
	return c.verb(ctx, "create", resource, namespace, "", body, options)
}

// Update replaces an object. With a resourceVersion in its body it fails with ErrConflict when that is not the newest.
func (c *Client) Update(ctx context.Context, resource, namespace, name string, body any, options ...RequestOption) (*Response, error) {
	return c.verb(ctx, "update", resource, namespace, name, body, options)
}

// Patch changes an object.
func (c *Client) Patch(ctx context.Context, resource, namespace, name string, how PatchType, patch any, options ...RequestOption) (*Response, error) {
	options = append([]RequestOption{WithParam("patch_type", string(how))}, options...)
	return c.verb(ctx, "patch", resource, namespace, name, patch, options)
}

// Apply is server-side apply on behalf of fieldManager: the object is created or changed to have the fields of its body.
// Fields that another manager owns are an ErrConflict, with the fields in Status().Details.Causes, unless WithForce.
func (c *Client) Apply(ctx context.Context, resource, namespace, name, fieldManager string, body any, options ...RequestOption) (*Response, error) {
	options = append([]RequestOption{WithFieldManager(fieldManager)}, options...)
	return c.verb(ctx, "apply", resource, namespace, name, body, options)
}

// Delete deletes an object. The response is a Status, or the object where finalizers still hold it.
func (c *Client) Delete(ctx context.Context, resource, namespace, name string, options ...RequestOption) (*Response, error) {
	return c.verb(ctx, "delete", resource, namespace, name, nil, options)
}

// DeleteCollection deletes all objects of a namespace that the selectors match.
func (c *Client) DeleteCollection(ctx context.Context, resource, namespace string, options ...RequestOption) (*Response, error) {
	return c.verb(ctx, "deletecollection", resource, namespace, "", nil, options)
}

func (c *Client) verb(ctx context.Context, verb, resource, namespace, name string, body any, options []RequestOption) (*Response, error) {
	bytes, err := bodyOf(body)
	if err != nil {
		return nil, err
	}
	request := &Request{Verb: verb, Resource: resource, Namespace: namespace, Name: name, Body: bytes}
	for _, option := range options {
		if option != nil {
			option(request)
		}
	}
	response, err := c.Do(ctx, request)
	runtime.KeepAlive(body) // the bytes may be an Object's
	return response, err
}

// Stat returns a statistic that CONFIGURATION.md lists under "Requests", such as "requests" or "open_requests". It fails
// with ErrUnknownKey, and with ErrInvalid once the client is closed.
func (c *Client) Stat(name string) (uint64, error) {
	if c.neverOpened() {
		return 0, &Error{Code: ErrInvalid, Message: "Stat: the client was never opened", Fatal: true}
	}
	defer runtime.KeepAlive(c)
	text := cString(name)
	if text == nil {
		return 0, &Error{Code: ErrUnknownKey, Message: "Stat: the name holds a NUL byte", Fatal: true}
	}
	var value C.uint64_t
	status := C.ksr_go_client_stat(c.handle, text.c(), &value)
	return uint64(value), failure(status, nil, "Stat: "+name)
}

//export ksrGoRequestDestroy
func ksrGoRequestDestroy(handle C.uintptr_t) {
	h := cgo.Handle(handle)
	close(h.Value().(chan struct{}))
	h.Delete()
}

//export ksrGoClientDestroy
func ksrGoClientDestroy(handle C.uintptr_t) {
	h := cgo.Handle(handle)
	log := h.Value().(*clientLog)
	h.Delete()
	close(log.lines)
}

//export ksrGoClientLog
func ksrGoClientLog(handle C.uintptr_t, level C.int32_t, message *C.char, size C.size_t) {
	log := cgo.Handle(handle).Value().(*clientLog)
	text := string(unsafe.Slice((*byte)(unsafe.Pointer(message)), int(size)))
	select {
	case log.lines <- logLine{levelOf(int32(level)), text}:
	default: // as the library does, a line is dropped where the program does not read them
	}
}

type logLine struct {
	level slog.Level
	text  string
}

// clientLog passes log lines to OnLog on a goroutine of its own, so that a slow one delays no request.
type clientLog struct {
	callback func(slog.Level, string)
	lines    chan logLine // closed by the library's destroy
	done     chan struct{}
	cancel   func()
	inside   atomic.Uint64 // the thread of the callback that is running; 0: none is
	panicked atomic.Pointer[PanicError]
}

func newClientLog(options []Option) *clientLog {
	var all callbacks
	for _, option := range options {
		if option != nil {
			option(&all)
		}
	}
	// The library keeps 256 lines as well.
	return &clientLog{callback: all.log, lines: make(chan logLine, 256), done: make(chan struct{})}
}

func (l *clientLog) start() {
	if l.callback == nil {
		close(l.done)
		return
	}
	go func() {
		defer close(l.done)
		for line := range l.lines {
			if l.panicked.Load() == nil {
				l.guard(line)
			}
		}
	}()
}

func (l *clientLog) guard(line logLine) {
	runtime.LockOSThread() // see threadID
	defer runtime.UnlockOSThread()
	thread := threadID()
	l.inside.Store(thread)
	callbackThreads.Store(thread, nil)
	defer func() {
		callbackThreads.Delete(l.inside.Swap(0))
		if value := recover(); value != nil {
			l.panicked.Store(&PanicError{Callback: onLog, Value: value, Stack: debug.Stack()})
			l.cancel()
		}
	}()
	l.callback(line.level, line.text)
}

func (l *clientLog) stop() { <-l.done }
