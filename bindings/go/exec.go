package ksr

// #include "bridge.h"
import "C"

import (
	"context"
	"fmt"
	"io"
)

// Exec is a command that runs in a container, or (Attach) the process of the container itself. Since 0.2.
type Exec struct {
	// Stdin is nil without WithStdin. Its Close ends the standard input of the command, as far as the protocol can say so
	// (ErrUnsupported: it cannot; without a terminal the library asks for one that can). Write returns when what it was
	// given is on its way, not when the command has read it.
	Stdin io.WriteCloser
	// Stdout and Stderr are what the command writes; nil where it is not asked for. Both must be read, at the same time,
	// or the command waits.
	Stdout, Stderr io.Reader

	o *owned
}

// Exec runs a command in a container. It returns when the server has accepted it; a failure is an *Error, whose MaybeDone
// says whether the command may run all the same. It is never run twice. The command goes on when ctx is done, or Close
// was called, before it has ended: with its standard streams closed.
//
//	run, err := client.Exec(ctx, "default", "web-0", []string{"sh", "-c", "cat /etc/os-release"}, ksr.WithoutStderr())
//	if err != nil {
//		return err
//	}
//	defer run.Close()
//	output, err := io.ReadAll(run.Stdout)
//	...
//	code, err := run.Wait()
func (c *Client) Exec(ctx context.Context, namespace, pod string, command []string, options ...RequestOption) (*Exec, error) {
	request := &Request{Namespace: namespace, Name: pod, lists: []listParam{{"command", command}}}
	return c.session(ctx, "Exec", "exec", request, options)
}

// Attach connects to the process of a container that runs already. Its Wait has no exit code.
func (c *Client) Attach(ctx context.Context, namespace, pod string, options ...RequestOption) (*Exec, error) {
	return c.session(ctx, "Attach", "attach", &Request{Namespace: namespace, Name: pod}, options)
}

func (c *Client) session(ctx context.Context, what, kind string, request *Request, options []RequestOption) (*Exec, error) {
	o, err := c.openedChannel(ctx, what, kind, request, options)
	if err != nil {
		return nil, err
	}
	e := &Exec{o: o}
	if request.Params["stdin"] == "true" {
		e.Stdin = &execWriter{o}
	}
	if request.Params["stdout"] != "false" {
		e.Stdout = &execReader{o, partStdout}
	}
	if request.Params["stderr"] != "false" && request.Params["tty"] != "true" {
		e.Stderr = &execReader{o, partStderr}
	}
	return e, nil
}

type execReader struct {
	o    *owned
	part C.int32_t
}

func (r *execReader) Read(p []byte) (int, error) { return r.o.read(r.part, p) }

type execWriter struct{ o *owned }

func (w *execWriter) Write(p []byte) (int, error) { return w.o.write(partStdin, p) }

func (w *execWriter) Close() error { return w.o.finish(partStdin) }

func (e *Exec) own() *owned {
	if e == nil {
		return nil
	}
	return e.o
}

// Resize says how large the terminal is, 1 to 65535 each; ErrInvalid without WithTTY.
func (e *Exec) Resize(columns, rows int) error {
	if columns < 1 || rows < 1 || columns > 0xffff || rows > 0xffff {
		return &Error{Code: ErrInvalid, Message: fmt.Sprintf("Resize: %d columns, %d rows: expected 1 to 65535", columns, rows), Fatal: true}
	}
	return e.own().resize(C.uint32_t(columns), C.uint32_t(rows))
}

// Wait waits for the end and returns the exit code of the command, any number, with a nil error. Without a code, which is
// then -1, the error says why: ErrLost when it is not known how the command ended, never a success. Of Attach the code
// is -1 always, also without an error. What the command has written may be read after Wait; but one that writes more than
// the library holds waits for its reader.
func (e *Exec) Wait() (int, error) { return e.own().wait() }

// ExitVerified says, after Wait, whether the exit code is the runtime's own word. It is not for a code of 0 over
// v5.channel.k8s.io, with which a server also ends a command that it has lost sight of.
func (e *Exec) ExitVerified() bool {
	verified, err := e.Stat("exit_verified")
	return err == nil && verified == 1
}

// Protocol is the subprotocol that was agreed on, such as "v4.channel.k8s.io".
func (e *Exec) Protocol() string { return e.own().info("protocol") }

// Stat returns a statistic that CONFIGURATION.md lists under "Channels".
func (e *Exec) Stat(name string) (uint64, error) { return e.own().stat(name) }

// Close ends it, and every Read, Write and Wait. A command that has not ended goes on without its standard streams. It
// may be called any number of times, anywhere.
func (e *Exec) Close() error { return e.own().close() }
