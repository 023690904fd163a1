package ksr

// #include "bridge.h"
import "C"

import (
	"context"
	"io"
	"net"
	"runtime"
	"strconv"
	"time"
	"unsafe"
)

// PortForward is one TCP connection to a port of a pod: a net.Conn. There is no half-close: the protocol cannot say it.
// Since 0.2.
type PortForward struct {
	o      *owned
	remote portAddr
}

var _ net.Conn = (*PortForward)(nil)

type portAddr struct{ text string }

func (portAddr) Network() string  { return "portforward" }
func (a portAddr) String() string { return a.text }

// PortForward opens a connection to a port of a pod. It returns when the server has accepted it, which is before the port
// has: a port that refuses is an error of Read. The connection ends when ctx is done.
func (c *Client) PortForward(ctx context.Context, namespace, pod string, port int, options ...RequestOption) (*PortForward, error) {
	request := &Request{Namespace: namespace, Name: pod, Params: map[string]string{"port": strconv.Itoa(port)}}
	o, err := c.openedChannel(ctx, "PortForward", "portforward", request, options)
	if err != nil {
		return nil, err
	}
	return &PortForward{o, portAddr{namespace + "/" + pod + ":" + strconv.Itoa(port)}}, nil
}

func (p *PortForward) own() *owned {
	if p == nil {
		return nil
	}
	return p.o
}

// Read waits for bytes; io.EOF once the other side has closed in order.
func (p *PortForward) Read(b []byte) (int, error) { return p.own().read(partData, b) }

// Write waits until all is on its way.
func (p *PortForward) Write(b []byte) (int, error) { return p.own().write(partData, b) }

// Close ends both directions. What was written and is not sent yet may be lost. It may be called any number of times.
func (p *PortForward) Close() error { return p.own().close() }

// LocalAddr and RemoteAddr are names: "namespace/pod:port".
func (p *PortForward) LocalAddr() net.Addr { return portAddr{"libksr"} }

func (p *PortForward) RemoteAddr() net.Addr {
	if p == nil {
		return portAddr{}
	}
	return p.remote
}

// SetDeadline and the like are those of net.Conn: beyond it Read and Write fail with os.ErrDeadlineExceeded, and may go on
// with a later one.
func (p *PortForward) SetDeadline(t time.Time) error { return p.deadline(t, true, true) }

func (p *PortForward) SetReadDeadline(t time.Time) error { return p.deadline(t, true, false) }

func (p *PortForward) SetWriteDeadline(t time.Time) error { return p.deadline(t, false, true) }

func (p *PortForward) deadline(t time.Time, reads, writes bool) error {
	return p.own().setDeadline(t, reads, writes)
}

// Stat returns a statistic that CONFIGURATION.md lists under "Channels".
func (p *PortForward) Stat(name string) (uint64, error) { return p.own().stat(name) }

// MessageType says of a WebSocket's message whether it is text. Since 0.2.
type MessageType int32

const (
	TextMessage   MessageType = C.KSR_PART_TEXT
	BinaryMessage MessageType = C.KSR_PART_BINARY
)

// WebSocket is any WebSocket of the API server, of a proxied service for example. Since 0.2.
type WebSocket struct{ o *owned }

// OpenWebSocket opens the WebSocket at request's Path, or at a Resource with its Subresource. It returns when the server
// has accepted it; with WithReconnect that may take as long as ctx lets it. It ends when ctx is done.
func (c *Client) OpenWebSocket(ctx context.Context, request *Request, options ...RequestOption) (*WebSocket, error) {
	if request == nil {
		return nil, &Error{Code: ErrInvalid, Message: "OpenWebSocket: the request is nil", Fatal: true}
	}
	o, err := c.openedChannel(ctx, "OpenWebSocket", "websocket", request.clone(), options)
	if err != nil {
		return nil, err
	}
	return &WebSocket{o: o}, nil
}

func (w *WebSocket) own() *owned {
	if w == nil {
		return nil
	}
	return w.o
}

// ReadMessage waits for a whole message; empty ones are left out. The bytes are those that came: a TextMessage of a server
// that breaks RFC 6455 may be no UTF-8. io.EOF once the server has closed in order, else the
// error says why; CloseCode tells more.
func (w *WebSocket) ReadMessage() (MessageType, []byte, error) {
	o := w.own()
	if o == nil {
		return 0, nil, errNeverOpened
	}
	defer runtime.KeepAlive(o)
	message := make([]byte, 4096)
	for {
		var kind MessageType
		var got C.size_t
		status, wake, until, err := o.poll(func() C.ksr_status {
			for {
				var part C.uint64_t
				if C.ksr_go_channel_stat(o.handle, nextPart.c(), &part) == C.KSR_OK && part != 0 {
					kind = MessageType(part)
					return C.ksr_go_channel_read(o.handle, C.int32_t(part), unsafe.Pointer(&message[0]), C.size_t(len(message)), &got)
				}
				// Nothing is there: why? A message that has come meanwhile does not fit, and stays.
				over := C.ksr_go_channel_read(o.handle, partBinary, nil, 0, &got)
				got = 0
				if over == C.KSR_E_TIMEOUT {
					return over
				}
				C.ksr_go_channel_stat(o.handle, nextPart.c(), &part)
				if over != C.KSR_E_TOO_LARGE && part == 0 {
					return over
				}
			}
		})
		switch {
		case err != nil:
			return 0, nil, err
		case status == C.KSR_E_TOO_LARGE:
			message = make([]byte, got)
			continue
		case status == C.KSR_OK && got > 0:
			return kind, message[:got], nil
		case status == C.KSR_OK:
			return 0, nil, io.EOF
		case status != notYet:
			return 0, nil, o.refused(status, "ReadMessage")
		}
		await(wake, until)
	}
}

var nextPart = cString("next_part")

// WriteMessage waits until the message is on its way. A TextMessage must be UTF-8 (ErrInvalid); one above max_message is
// ErrTooLarge.
func (w *WebSocket) WriteMessage(kind MessageType, message []byte) error {
	if kind != TextMessage && kind != BinaryMessage {
		return &Error{Code: ErrInvalid, Message: "WriteMessage: expected TextMessage or BinaryMessage", Fatal: true}
	}
	_, err := w.own().write(C.int32_t(kind), message)
	return err
}

// CloseCode is that of the server's close frame and its reason; 0 without one.
func (w *WebSocket) CloseCode() (int, string) {
	code, _ := strconv.Atoi(w.own().info("close_code"))
	return code, w.own().info("close_reason")
}

// Subprotocol is the one that the server chose; "" for none.
func (w *WebSocket) Subprotocol() string { return w.own().info("protocol") }

// SetDeadline is for ReadMessage and WriteMessage, as that of net.Conn.
func (w *WebSocket) SetDeadline(t time.Time) error { return w.own().setDeadline(t, true, true) }

// Stat returns a statistic that CONFIGURATION.md lists under "Channels".
func (w *WebSocket) Stat(name string) (uint64, error) { return w.own().stat(name) }

// Close closes the WebSocket with 1000, without waiting for the server. It may be called any number of times, anywhere.
func (w *WebSocket) Close() error { return w.own().close() }

// Body is the body of one response as it comes, of any length: an io.ReadCloser. Since 0.2.
type Body struct{ o *owned }

// OpenHTTP makes a raw request, or reads a resource, and returns once the response has begun; one that is no 2xx is an
// *Error. For a response that is not to be held in memory as a whole, or has no end. It ends when ctx is done.
func (c *Client) OpenHTTP(ctx context.Context, request *Request, options ...RequestOption) (*Body, error) {
	if request == nil {
		return nil, &Error{Code: ErrInvalid, Message: "OpenHTTP: the request is nil", Fatal: true}
	}
	o, err := c.openedChannel(ctx, "OpenHTTP", "http", request.clone(), options)
	if err != nil {
		return nil, err
	}
	return &Body{o}, nil
}

func (b *Body) own() *owned {
	if b == nil {
		return nil
	}
	return b.o
}

// Read waits for bytes; io.EOF at the end of the body, and an error for one that was cut.
func (b *Body) Read(p []byte) (int, error) { return b.own().read(partStdout, p) }

// StatusCode is the HTTP status, 200 to 299.
func (b *Body) StatusCode() int {
	status, _ := strconv.Atoi(b.own().info("http_status"))
	return status
}

// Stat returns a statistic that CONFIGURATION.md lists under "Channels".
func (b *Body) Stat(name string) (uint64, error) { return b.own().stat(name) }

// Close ends it. It may be called any number of times, anywhere.
func (b *Body) Close() error { return b.own().close() }
