package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

type startRequest struct {
	process *exec.Cmd
	done    chan error
}

var starting = make(chan startRequest)

// Pdeathsig follows the thread that forked, so one thread that lives as long as this program forks them all.
func init() {
	go func() {
		runtime.LockOSThread()
		for request := range starting {
			request.done <- request.process.Start()
		}
	}()
}

func start(process *exec.Cmd) error {
	done := make(chan error)
	starting <- startRequest{process, done}
	return <-done
}

// openTerminal returns both ends of a new pseudo-terminal, see pts(4).
func openTerminal() (leader, follower *os.File, err error) {
	leader, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			leader.Close()
		}
	}()
	// Fd() would make it blocking, and a blocked Read is not ended by Close.
	raw, err := leader.SyscallConn()
	if err != nil {
		return nil, nil, err
	}
	number, failure := 0, error(nil)
	err = raw.Control(func(fd uintptr) {
		if failure = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); failure == nil {
			number, failure = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err = errors.Join(err, failure); err != nil {
		return nil, nil, err
	}
	follower, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	return leader, follower, err
}

func setSize(terminal *os.File, size remotecommand.TerminalSize) {
	raw, err := terminal.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Col: size.Width, Row: size.Height})
	})
}

func runInTerminal(process *exec.Cmd, in io.Reader, out io.Writer, resize <-chan remotecommand.TerminalSize) error {
	leader, follower, err := openTerminal()
	if err != nil {
		return fmt.Errorf("opening a terminal: %w", err)
	}
	defer leader.Close()
	process.Stdin, process.Stdout, process.Stderr = follower, follower, follower
	process.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	err = start(process)
	follower.Close()
	if err != nil {
		return err
	}
	go func() {
		for size := range resize {
			setSize(leader, size)
		}
	}()
	if in != nil {
		go io.Copy(leader, in)
	}
	// It ends with EIO once no process has the terminal open.
	if out == nil {
		io.Copy(io.Discard, leader)
	} else {
		io.Copy(out, leader)
	}
	// A client that is gone must not stop the process at a full terminal.
	io.Copy(io.Discard, leader)
	return process.Wait()
}
