package ksr

// #include "bridge.h"
import "C"

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"runtime/cgo"
	"slices"
	"strconv"
	"sync"
	"time"
	"unsafe"
)

// The parts of a channel: what is written and read.
const (
	partData   = C.KSR_PART_DATA
	partStdin  = C.KSR_PART_STDIN
	partStdout = C.KSR_PART_STDOUT
	partStderr = C.KSR_PART_STDERR
	partText   = C.KSR_PART_TEXT
	partBinary = C.KSR_PART_BINARY
)

// EventKind is what happens to a channel besides its bytes. Later libraries may know more than are named here. Since 0.2.
type EventKind int32

const (
	EventConnecting  EventKind = C.KSR_EVENT_CONNECTING  // a try begins
	EventOpen        EventKind = C.KSR_EVENT_OPEN        // the server has accepted it
	EventGap         EventKind = C.KSR_EVENT_GAP         // lines of the log are missing here
	EventRestarted   EventKind = C.KSR_EVENT_RESTARTED   // what follows is the log of the container's next instance
	EventInterrupted EventKind = C.KSR_EVENT_INTERRUPTED // Err says why, and its RetryAfter when the next try is
)

func (k EventKind) String() string {
	switch k {
	case EventConnecting:
		return "connecting"
	case EventOpen:
		return "open"
	case EventGap:
		return "gap"
	case EventRestarted:
		return "restarted"
	case EventInterrupted:
		return "interrupted"
	}
	return fmt.Sprintf("event %d", int32(k))
}

// Event is for the callback of WithOnEvent. Since 0.2.
type Event struct {
	Kind EventKind
	// Err is that of EventInterrupted, else nil.
	Err *Error
}

// keptEvents is how many events wait for a Read; as many as the library keeps.
const keptEvents = 256

// channel is what the library refers to, so that a Log or Exec that was dropped becomes garbage. No goroutine or thread
// waits for it: what the library tells of wakes those that read and write.
type channel struct {
	client  *client
	handle  C.uintptr_t
	onEvent func(Event)
	what    string
	release func() bool // of the context
	ctx     context.Context

	opened chan struct{} // the server has accepted it, or it has ended
	ended  chan struct{} // nothing more comes
	gone   chan struct{} // the library has released it
	once   sync.Once     // of close
	fail   error         // of close

	mu       sync.Mutex
	wake     chan struct{} // closed and replaced when anything has changed
	events   []Event
	isOpen   bool
	isEnded  bool   // CLOSED was told, or nothing will be
	isKnown  bool   // end and exitCode are set
	end      *Error // nil: in order
	exitCode int    // -1: there is none
	reads    time.Time
	writes   time.Time

	writing sync.Mutex // one Write at a time
}

// owned is what the program holds of a channel, by one or several of its readers and writers. When it drops all of them,
// the garbage collector closes the channel.
type owned struct {
	*channel
	client *Client // is no garbage meanwhile
}

func (c *Client) openChannel(ctx context.Context, what, kind string, request *Request, options []RequestOption) (*owned, error) {
	ctx = orBackground(ctx)
	if ctx.Err() != nil {
		return nil, ended(ctx, nil)
	}
	if err := c.enter(what); err != nil {
		return nil, err
	}
	defer c.leave()
	for _, option := range options {
		if option != nil {
			option(request)
		}
	}
	params, err := request.buildChannel(kind)
	if err != nil {
		return nil, err
	}
	defer C.ksr_params_free(params)
	ch := &channel{client: c.client, onEvent: request.onEvent, what: what, ctx: ctx, exitCode: -1,
		opened: make(chan struct{}), ended: make(chan struct{}), gone: make(chan struct{}), wake: make(chan struct{})}
	var e *C.ksr_error
	// ksrGoChannelDestroy deletes the cgo.Handle, also when this fails.
	status := C.ksr_go_channel_open(c.handle, params, C.uintptr_t(cgo.NewHandle(ch)), &ch.handle, &e)
	if err := failure(status, e, what); err != nil {
		return nil, err
	}
	c.mu.Lock()
	if c.channels == nil {
		c.channels = map[*channel]struct{}{}
	}
	c.channels[ch] = struct{}{}
	c.mu.Unlock()
	ch.release = context.AfterFunc(ctx, ch.cancel)
	o := &owned{ch, c}
	// SetFinalizer and not AddCleanup, which came with Go 1.24.
	runtime.SetFinalizer(o, func(dropped *owned) { dropped.drop() })
	return o, nil
}

// openedChannel waits until the server has accepted it.
func (c *Client) openedChannel(ctx context.Context, what, kind string, request *Request, options []RequestOption) (*owned, error) {
	o, err := c.openChannel(ctx, what, kind, request, options)
	if err != nil {
		return nil, err
	}
	<-o.opened // ctx cancels it
	o.mu.Lock()
	accepted := o.isOpen
	o.mu.Unlock()
	if accepted {
		return o, nil
	}
	err = o.failure()
	_ = o.close()
	if err == nil {
		err = &Error{Code: ErrLost, Message: what + ": the channel has ended before it was open", Fatal: true}
	}
	return nil, err
}

func (ch *channel) cancel() { C.ksr_go_channel_cancel(ch.handle) }

// close waits for the library, which never waits for the network; also when another goroutine closes it.
func (o *owned) close() error {
	if o == nil {
		return nil
	}
	runtime.SetFinalizer(o, nil)
	return o.channel.close()
}

func (ch *channel) close() error {
	ch.once.Do(func() {
		ch.release()
		ch.cancel()
		<-ch.ended
		ch.fail = failure(C.ksr_go_channel_close(ch.handle), nil, "Close")
		<-ch.gone
		ch.client.forgetChannel(ch)
	})
	return ch.fail
}

// drop is for the garbage collector, which must not wait.
func (ch *channel) drop() {
	ch.release()
	C.ksr_go_channel_close_async(ch.handle)
	ch.client.forgetChannel(ch)
}

func (c *client) forgetChannel(ch *channel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.channels, ch)
}

func (c *client) openChannels() []*channel {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]*channel, 0, len(c.channels))
	for ch := range c.channels {
		all = append(all, ch)
	}
	return all
}

// failure waits for the end and is how it has ended; nil in order. The end is known before all was read, and CLOSED told.
func (ch *channel) failure() error {
	for {
		ch.mu.Lock()
		ch.ask(ch.handle)
		known, end, wake := ch.isKnown, ch.end, ch.wake
		ch.mu.Unlock()
		switch {
		case !known:
			await(wake, time.Time{})
		case end == nil:
			return nil
		case end.Code == ErrCancelled && ch.ctx.Err() != nil:
			return ended(ch.ctx, end)
		default:
			return end
		}
	}
}

// ask asks the library how it has ended, once that is known. It is called with mu held.
func (ch *channel) ask(handle C.uintptr_t) {
	if ch.isKnown {
		return
	}
	code := C.int32_t(-1)
	var e *C.ksr_error
	status := C.ksr_go_channel_outcome(handle, &code, &e)
	err, _ := failure(status, e, ch.what).(*Error)
	if err != nil && err.Code == ErrTimeout && err.HTTPStatus == 0 {
		return // of this call, not of the channel
	}
	ch.isKnown, ch.end, ch.exitCode = true, err, int(code)
}

var errNeverOpened = &Error{Code: ErrInvalid, Message: "the channel was never opened", Fatal: true}

// read is io.Reader's Read of one part. What waits does so in Go, so that it costs no thread.
func (o *owned) read(part C.int32_t, p []byte) (int, error) {
	if o == nil {
		return 0, errNeverOpened
	}
	defer runtime.KeepAlive(o)
	ch := o.channel
	if len(p) == 0 {
		return 0, nil
	}
	for {
		var got C.size_t
		status, wake, until, err := ch.poll(func() C.ksr_status {
			return C.ksr_go_channel_read(ch.handle, part, unsafe.Pointer(&p[0]), C.size_t(len(p)), &got)
		})
		switch {
		case err != nil:
			return 0, err
		case status == C.KSR_OK && got == 0:
			return 0, io.EOF
		case status == C.KSR_OK:
			return int(got), nil
		case status != notYet:
			return 0, ch.refused(status, "Read")
		}
		await(wake, until)
	}
}

// notYet is no status of the library's: nothing has come, or nothing fits. ErrTimeout is how the channel has ended.
const notYet C.ksr_status = 1

// settled is the status of ask, which reads or writes without waiting, or notYet; ksr.h says at ksr_channel_read how the
// two are told apart.
func (ch *channel) settled(ask func() C.ksr_status) C.ksr_status {
	status := ask()
	if status != C.KSR_E_TIMEOUT {
		return status
	}
	var known C.uint64_t
	if C.ksr_go_channel_stat(ch.handle, endKnown.c(), &known); known == 0 {
		return notYet
	}
	return ask()
}

var endKnown = cString("end_known")

// poll tells of the events that come before the next byte, and asks the library, in one step: the library holds back
// what follows a gap until its callback has returned.
func (ch *channel) poll(ask func() C.ksr_status) (status C.ksr_status, wake chan struct{}, until time.Time, err error) {
	for {
		ch.mu.Lock()
		if len(ch.events) > 0 {
			events := ch.events
			ch.events = nil
			ch.mu.Unlock()
			for _, event := range events {
				ch.onEvent(event)
			}
			continue
		}
		defer ch.mu.Unlock()
		if !ch.reads.IsZero() && !time.Now().Before(ch.reads) {
			return 0, nil, time.Time{}, os.ErrDeadlineExceeded
		}
		return ch.settled(ask), ch.wake, ch.reads, nil
	}
}

// await returns when something has changed, or the deadline is over.
func await(wake <-chan struct{}, until time.Time) {
	if until.IsZero() {
		<-wake
		return
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-wake:
	case <-timer.C:
	}
}

// refused makes an error of a status that is not about time. Where the channel is over, that is how it has ended.
func (ch *channel) refused(status C.ksr_status, what string) error {
	code := Code(status)
	over := false
	switch code {
	case ErrInvalid, ErrTooLarge, ErrUnsupported, ErrForked, ErrNoMemory, ErrInternal, ErrUnknownKey:
		select {
		case <-ch.ended:
			over = code != ErrTooLarge
		default:
		}
	default:
		over = true
	}
	if over {
		if err := ch.failure(); err != nil {
			return err
		}
	}
	return &Error{Code: code, Message: ch.what + ": " + what + ": " + code.String(), Fatal: true}
}

// write is io.Writer's Write: all of p, or an error.
func (o *owned) write(part C.int32_t, p []byte) (int, error) {
	if o == nil {
		return 0, errNeverOpened
	}
	defer runtime.KeepAlive(o)
	ch := o.channel
	ch.writing.Lock()
	defer ch.writing.Unlock()
	written := 0
	for {
		var from unsafe.Pointer
		if written < len(p) {
			from = unsafe.Pointer(&p[written])
		}
		var taken C.size_t
		ch.mu.Lock()
		wake, until := ch.wake, ch.writes
		ch.mu.Unlock()
		if !until.IsZero() && !time.Now().Before(until) {
			return written, os.ErrDeadlineExceeded
		}
		status := ch.settled(func() C.ksr_status {
			return C.ksr_go_channel_write(ch.handle, part, from, C.size_t(len(p)-written), &taken)
		})
		written += int(taken)
		if status != C.KSR_OK && status != notYet {
			return written, ch.refused(status, "Write")
		}
		if status == C.KSR_OK && written == len(p) {
			return written, nil
		}
		await(wake, until)
	}
}

// setDeadline of reads, of writes, or of both.
func (o *owned) setDeadline(until time.Time, reads, writes bool) error {
	if o == nil {
		return errNeverOpened
	}
	defer runtime.KeepAlive(o)
	ch := o.channel
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if reads {
		ch.reads = until
	}
	if writes {
		ch.writes = until
	}
	ch.changed()
	return nil
}

// changed is called with mu held.
func (ch *channel) changed() {
	close(ch.wake)
	ch.wake = make(chan struct{})
}

// info returns text on the channel as it is now; "" when there is none.
func (o *owned) info(name string) string {
	if o == nil {
		return ""
	}
	defer runtime.KeepAlive(o)
	ch := o.channel
	text := cString(name)
	buffer := make([]byte, 256)
	for {
		size := int(C.ksr_go_channel_info(ch.handle, text.c(), (*C.char)(unsafe.Pointer(&buffer[0])), C.size_t(len(buffer))))
		if size < len(buffer) {
			return string(buffer[:size])
		}
		buffer = make([]byte, size+1)
	}
}

func (o *owned) finish(part C.int32_t) error {
	if o == nil {
		return errNeverOpened
	}
	defer runtime.KeepAlive(o)
	if status := C.ksr_go_channel_finish(o.handle, part); status != C.KSR_OK {
		return o.refused(status, "Close of Stdin")
	}
	return nil
}

func (o *owned) resize(columns, rows C.uint32_t) error {
	if o == nil {
		return errNeverOpened
	}
	defer runtime.KeepAlive(o)
	if status := C.ksr_go_channel_resize(o.handle, columns, rows); status != C.KSR_OK {
		return o.refused(status, "Resize")
	}
	return nil
}

func (o *owned) wait() (int, error) {
	if o == nil {
		return -1, errNeverOpened
	}
	defer runtime.KeepAlive(o)
	if err := o.failure(); err != nil {
		return -1, err
	}
	return o.exitCode, nil
}

func (o *owned) stat(name string) (uint64, error) {
	if o == nil {
		return 0, errNeverOpened
	}
	defer runtime.KeepAlive(o)
	ch := o.channel
	text := cString(name)
	if text == nil {
		return 0, &Error{Code: ErrUnknownKey, Message: "Stat: the name holds a NUL byte", Fatal: true}
	}
	var value C.uint64_t
	status := C.ksr_go_channel_stat(ch.handle, text.c(), &value)
	return uint64(value), failure(status, nil, "Stat: "+name)
}

// told is called on a thread of the library, where nothing may wait.
func (ch *channel) told(kind C.int32_t, e *C.ksr_error, handle C.uintptr_t) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	defer ch.changed()
	switch kind {
	case C.KSR_EVENT_CLOSED:
		ch.ask(handle)
		ch.finish()
		return
	case C.KSR_EVENT_READABLE, C.KSR_EVENT_WRITABLE, C.KSR_EVENT_FINISHED:
		return
	case C.KSR_EVENT_OPEN:
		if !ch.isOpen {
			ch.isOpen = true
			close(ch.opened)
		}
	}
	if ch.onEvent == nil {
		return
	}
	event := Event{Kind: EventKind(kind)}
	if e != nil {
		event.Err = readError(e)
	}
	if len(ch.events) >= keptEvents {
		// Not those that say what the bytes mean.
		oldest := slices.IndexFunc(ch.events, func(event Event) bool { return event.Kind != EventGap && event.Kind != EventRestarted })
		if oldest >= 0 {
			ch.events = slices.Delete(ch.events, oldest, oldest+1)
		}
	}
	ch.events = append(ch.events, event)
}

// finish is called with mu held.
func (ch *channel) finish() {
	if ch.isEnded {
		return
	}
	ch.isEnded = true
	if !ch.isOpen {
		close(ch.opened)
	}
	close(ch.ended)
}

//export ksrGoChannelEvent
func ksrGoChannelEvent(handle, channelHandle C.uintptr_t, kind C.int32_t, e *C.ksr_error) {
	cgo.Handle(handle).Value().(*channel).told(kind, e, channelHandle)
}

//export ksrGoChannelDestroy
func ksrGoChannelDestroy(handle C.uintptr_t) {
	h := cgo.Handle(handle)
	ch := h.Value().(*channel)
	h.Delete()
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !ch.isKnown { // the client was closed first
		ch.isKnown = true
		ch.end = &Error{Code: ErrCancelled, Message: ch.what + ": the client was closed", Fatal: true}
	}
	ch.finish()
	ch.changed()
	close(ch.gone)
}

// buildChannel makes what ksr_channel_open takes.
func (r *Request) buildChannel(kind string) (*C.ksr_params, error) {
	if r.Verb != "" {
		return nil, &Error{Code: ErrInvalid, Message: "the request of a channel has a verb", Fatal: true}
	}
	params, err := r.build(context.Background())
	if err != nil {
		return nil, err
	}
	if err := setParam(params, "kind", kind, false); err != nil {
		C.ksr_params_free(params)
		return nil, err
	}
	return params, nil
}

// clone is a copy that options may change.
func (r *Request) clone() *Request {
	copied := *r
	copied.Params, copied.Query, copied.Header = maps.Clone(r.Params), maps.Clone(r.Query), r.Header.Clone()
	copied.lists = slices.Clone(r.lists)
	return &copied
}

type listParam struct {
	key    string
	values []string
}

// WithContainer is for OpenLog, Exec and Attach: without it the only container, or the one that the pod's annotation
// names. Since 0.2.
func WithContainer(name string) RequestOption { return WithParam("container", name) }

// WithFollow is for OpenLog: until the container ends. Since 0.2.
func WithFollow() RequestOption { return WithParam("follow", "true") }

// WithFollowRestarts is WithFollow, and goes on with the next instances of the container. Since 0.2.
func WithFollowRestarts() RequestOption {
	return func(r *Request) {
		WithFollow()(r)
		WithParam("follow_restarts", "true")(r)
	}
}

// WithPrevious is for OpenLog: of the instance before the one that runs. Since 0.2.
func WithPrevious() RequestOption { return WithParam("previous", "true") }

// WithTimestamps is for OpenLog: each line begins with its time and a blank. Since 0.2.
func WithTimestamps() RequestOption { return WithParam("timestamps", "true") }

// WithTail is for OpenLog: begins with the last n lines. Since 0.2.
func WithTail(n int) RequestOption { return WithParam("tail", strconv.Itoa(n)) }

// WithSince is for OpenLog: begins with the lines of that time or later. Since 0.2.
func WithSince(since time.Time) RequestOption {
	return WithParam("since", since.UTC().Format(time.RFC3339Nano))
}

// WithCursor is for OpenLog: goes on where Log.Cursor was, also in another process. Since 0.2.
func WithCursor(cursor string) RequestOption { return WithParam("from_cursor", cursor) }

// WithStdin is for Exec and Attach: there will be something to write. Since 0.2.
func WithStdin() RequestOption { return WithParam("stdin", "true") }

// WithoutStdout is for Exec and Attach. What is asked for must be read. Since 0.2.
func WithoutStdout() RequestOption { return WithParam("stdout", "false") }

// WithoutStderr is for Exec and Attach. What is asked for must be read. Since 0.2.
func WithoutStderr() RequestOption { return WithParam("stderr", "false") }

// WithTTY is for Exec and Attach: a terminal, whose output is all on Stdout. Since 0.2.
func WithTTY(columns, rows int) RequestOption {
	return func(r *Request) {
		WithParam("tty", "true")(r)
		if columns != 0 || rows != 0 {
			WithParam("columns", strconv.Itoa(columns))(r)
			WithParam("rows", strconv.Itoa(rows))(r)
		}
	}
}

// WithSubprotocols is for OpenWebSocket: offered to the server in that order. Since 0.2.
func WithSubprotocols(names ...string) RequestOption {
	return func(r *Request) { r.lists = append(r.lists, listParam{"subprotocol", names}) }
}

// WithReconnect is for OpenWebSocket: opens it again after each end but Close, after a delay. Since 0.2.
func WithReconnect(delay time.Duration) RequestOption {
	return func(r *Request) {
		WithParam("reconnect", "true")(r)
		WithParam("reconnect_delay", milliseconds(delay))(r)
	}
}

// WithOnEvent has f called with what happens to a channel besides its bytes, by the Read (or ReadMessage) that comes to
// it, on the goroutine that reads: EventGap comes between the bytes before the gap and those behind it. Since 0.2.
func WithOnEvent(f func(Event)) RequestOption { return func(r *Request) { r.onEvent = f } }
