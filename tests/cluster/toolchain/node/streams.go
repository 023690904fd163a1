package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"k8s.io/cri-streaming/pkg/streaming"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

const (
	// containerd's internal/cri/server/sandbox_portforward_linux.go
	containerdPatience = time.Second
	dialTimeout        = 5 * time.Second
	stoppedPoll        = 20 * time.Millisecond
)

// streamRuntime is the container runtime behind the streaming server.
type streamRuntime struct {
	containers containerFiles
	containerd bool
}

// startStreams serves on a port of its own on loopback, as containerd and CRI-O do.
func startStreams(idleTimeout time.Duration, runtime streaming.Runtime) (streaming.Server, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return nil, err
	}
	config := streaming.DefaultConfig
	config.Addr = listener.Addr().String()
	config.BaseURL = &url.URL{Scheme: "http", Host: config.Addr, Path: "/"}
	config.StreamIdleTimeout = idleTimeout
	streams, err := streaming.NewServer(config, runtime)
	if err != nil {
		return nil, err
	}
	go http.Serve(listener, streams)
	return streams, nil
}

func (s *streamRuntime) Exec(_ context.Context, _ string, command []string, in io.Reader, out, errs io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize) error {
	if len(command) == 0 {
		return errors.New("no command")
	}
	process := exec.Command(command[0], command[1:]...)
	if tty {
		return exitOf(runInTerminal(process, in, out, resize))
	}
	return exitOf(runWithPipes(process, in, out, errs))
}

func runWithPipes(process *exec.Cmd, in io.Reader, out, errs io.WriteCloser) error {
	// An interface that holds a nil pointer is not nil to os/exec.
	if out != nil {
		process.Stdout = out
	}
	if errs != nil {
		process.Stderr = errs
	}
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var stdin io.WriteCloser
	if in != nil {
		pipe, err := process.StdinPipe()
		if err != nil {
			return err
		}
		stdin = pipe
	}
	if err := start(process); err != nil {
		return err
	}
	if stdin != nil {
		// Not process.Stdin: Wait would wait for the end of `in`, which v4 does not have.
		go func() {
			io.Copy(stdin, in)
			stdin.Close()
		}()
	}
	return process.Wait()
}

// exitOf gives a process that ended by a signal the code that runc gives it.
func exitOf(err error) error {
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		return err
	}
	code := ended.ExitCode()
	if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		code = 128 + int(status.Signal())
	}
	return utilexec.CodeExitError{Err: err, Code: code}
}

// Attach is to a container that writes what it reads and tells each size of its terminal in a line.
func (s *streamRuntime) Attach(_ context.Context, id string, in io.Reader, out, _ io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize) error {
	ended := make(chan error, 1)
	if in != nil {
		go func() {
			if out == nil {
				_, err := io.Copy(io.Discard, in)
				ended <- err
				return
			}
			_, err := io.Copy(out, in)
			ended <- err
		}()
	}
	poll := time.NewTicker(stoppedPoll)
	defer poll.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case size, open := <-resize:
			if !open {
				resize = nil
			} else if tty && out != nil {
				fmt.Fprintf(out, "size %dx%d\r\n", size.Width, size.Height)
			}
		case <-poll.C:
			if s.containers.stopped(id) {
				return nil
			}
		}
	}
}

func (s *streamRuntime) PortForward(_ context.Context, _ string, port int32, stream io.ReadWriteCloser) error {
	address := net.JoinHostPort(loopback, strconv.Itoa(int(port)))
	connection, err := net.DialTimeout("tcp", address, dialTimeout)
	if err != nil {
		return fmt.Errorf("failed to connect to %s: %w", address, err)
	}
	defer connection.Close()
	defer stream.Close()
	ended := make(chan struct{}, 2)
	go func() {
		io.Copy(connection, stream)
		if !s.containerd {
			connection.(*net.TCPConn).CloseWrite()
		}
		ended <- struct{}{}
	}()
	go func() {
		io.Copy(stream, connection)
		if !s.containerd {
			stream.Close()
		}
		ended <- struct{}{}
	}()
	<-ended
	if s.containerd {
		select {
		case <-ended:
		case <-time.After(containerdPatience):
		}
		return nil
	}
	<-ended
	return nil
}
