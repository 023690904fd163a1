package ksr

import (
	"context"
	"strconv"
)

// Log is the log of a container: an io.ReadCloser. After a failure it goes on by itself, without a line lost or repeated,
// or with EventGap where lines are lost. Since 0.2.
type Log struct{ o *owned }

// OpenLog opens the log of a container. It does not wait for the server: what fails, Read returns. The log ends when ctx
// is done, when the container ends, and with Close.
//
//	log, err := client.OpenLog(ctx, "default", "web-0", ksr.WithFollow(), ksr.WithTail(100))
//	if err != nil {
//		return err
//	}
//	defer log.Close()
//	_, err = io.Copy(os.Stdout, log)
func (c *Client) OpenLog(ctx context.Context, namespace, pod string, options ...RequestOption) (*Log, error) {
	o, err := c.openChannel(ctx, "OpenLog", "log", &Request{Namespace: namespace, Name: pod}, options)
	if err != nil {
		return nil, err
	}
	return &Log{o}, nil
}

func (l *Log) own() *owned {
	if l == nil {
		return nil
	}
	return l.o
}

// Read waits for bytes of the log, which are never decoded and end anywhere. io.EOF is an end in order; else the error
// says why, and errors.Is finds its Code and the context's error. Bytes that are not read make the server wait.
func (l *Log) Read(p []byte) (int, error) { return l.own().read(partStdout, p) }

// Cursor says where the log goes on behind the last whole line that Read has returned, for WithCursor; "" before
// there is one. With a bufio.Reader, that is what it has read, not what it has returned: see CursorAt.
func (l *Log) Cursor() string { return l.own().info("cursor") }

// CursorAt is Cursor as of the first n bytes that Read has returned, for what reads ahead of what it uses: with a
// bufio.Reader these are as many as it has returned. "" when a line ends between them and the last 64 KiB that Read has
// returned.
func (l *Log) CursorAt(n uint64) string {
	return l.own().info("cursor:" + strconv.FormatUint(n, 10))
}

// Container is the name of the container that is read; "" until it is known.
func (l *Log) Container() string { return l.own().info("container") }

// Stat returns a statistic that CONFIGURATION.md lists under "Channels", such as "gaps" or "stalled_ms".
func (l *Log) Stat(name string) (uint64, error) { return l.own().stat(name) }

// Close ends it, and every Read. It may be called any number of times, anywhere.
func (l *Log) Close() error { return l.own().close() }
