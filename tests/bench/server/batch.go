package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
)

// crypto/tls writes each record of 16 KB with a separate system call; between `hold` and `release` they are written
// together. Bytes of a plain connection pass through.
type batchConn struct {
	net.Conn
	mutex   sync.Mutex
	holding bool
	held    []byte
}

func (c *batchConn) Write(text []byte) (int, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if !c.holding {
		return c.Conn.Write(text)
	}
	c.held = append(c.held, text...)
	return len(text), nil
}

func (c *batchConn) hold() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.holding = true
}

func (c *batchConn) release() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.holding = false
	_, err := c.Conn.Write(c.held)
	c.held = c.held[:0]
	if cap(c.held) > 2*writeSize {
		c.held = nil
	}
	return err
}

type batchListener struct{ net.Listener }

func (l batchListener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &batchConn{Conn: accepted}, nil
}

type batchKey struct{}

func rememberBatch(ctx context.Context, connection net.Conn) context.Context {
	if layered, ok := connection.(interface{ NetConn() net.Conn }); ok {
		if batch, ok := layered.NetConn().(*batchConn); ok {
			return context.WithValue(ctx, batchKey{}, batch)
		}
	}
	return ctx
}

// nil for a connection without TLS.
func batchOf(r *http.Request) *batchConn {
	batch, _ := r.Context().Value(batchKey{}).(*batchConn)
	return batch
}

var buffers = sync.Pool{New: func() any { return make([]byte, 0, writeSize+64<<10) }}

// Writes large buffers, each by one system call, also through TLS. Buffers are held only while something is written.
type largeWriter struct {
	out        io.Writer
	connection *batchConn
	mutex      sync.Mutex // a WebSocket is written to by two goroutines
	buffer     []byte
}

func (w *largeWriter) begin() []byte {
	w.buffer = buffers.Get().([]byte)
	return w.buffer[:0]
}

func (w *largeWriter) close() {
	buffers.Put(w.buffer) //nolint:staticcheck // a slice header is cheap compared with half a megabyte
	w.buffer = nil
}

func (w *largeWriter) write(text []byte) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.connection == nil {
		_, err := w.out.Write(text)
		return err
	}
	w.connection.hold()
	_, err := w.out.Write(text)
	if released := w.connection.release(); err == nil {
		err = released
	}
	return err
}
