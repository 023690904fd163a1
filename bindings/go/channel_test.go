package ksr_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"ksr.dev/ksr"
)

// noneLeft checks that nothing of a channel is left.
func noneLeft(t *testing.T, client *ksr.Client) {
	t.Helper()
	if got := statOf(t, client, "open_channels"); got != 0 {
		t.Errorf("%d channels are open", got)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	settled(t)
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	all, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return string(all)
}

func TestExec(t *testing.T) {
	script(t, "create pods $NS/web", `stream exec $NS/web out=hello err="oops\n" exit=7`)
	client := onServer(t)
	run, err := client.Exec(inTime(t), namespaceOf(t), "web", []string{"ls", "-l"})
	if err != nil {
		t.Fatal(err)
	}
	if run.Stdin != nil {
		t.Error("a standard input that was not asked for")
	}
	if got := readAll(t, run.Stdout); got != "hello" {
		t.Errorf("stdout: %q", got)
	}
	if got := readAll(t, run.Stderr); got != "oops\n" {
		t.Errorf("stderr: %q", got)
	}
	if code, err := run.Wait(); code != 7 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
	if !run.ExitVerified() || run.Protocol() != "v4.channel.k8s.io" {
		t.Errorf("verified %v, %q", run.ExitVerified(), run.Protocol())
	}
	if got, err := run.Stat("bytes_received"); got != 10 || err != nil {
		t.Errorf("%d bytes received, %v", got, err)
	}
	for range 2 {
		if err := run.Close(); err != nil {
			t.Error(err)
		}
	}
	if code, err := run.Wait(); code != 7 || err != nil {
		t.Errorf("after Close: %d, %v", code, err)
	}
	noneLeft(t, client)
}

func TestWaitNeedsNothingToBeRead(t *testing.T) {
	script(t, "create pods $NS/web", "stream exec $NS/web out=unread err=unread exit=3")
	client := onServer(t)
	run, err := client.Exec(inTime(t), namespaceOf(t), "web", []string{"ls"})
	if err != nil {
		t.Fatal(err)
	}
	if code, err := run.Wait(); code != 3 || err != nil {
		t.Errorf("%d, %v", code, err)
	}
	if got := readAll(t, run.Stdout) + readAll(t, run.Stderr); got != "unreadunread" {
		t.Errorf("after Wait: %q", got)
	}
	run.Close()
	script(t, "stream exec $NS/web err=unread sleep=50ms cut")
	run, err = client.Exec(inTime(t), namespaceOf(t), "web", []string{"ls"})
	if err != nil {
		t.Fatal(err)
	}
	// It waits when the connection is cut, and Stderr is not read.
	if _, err := run.Stdout.Read(make([]byte, 1)); !errors.Is(err, ksr.ErrLost) {
		t.Errorf("Read: %v", err)
	}
	if code, err := run.Wait(); code != -1 || !errors.Is(err, ksr.ErrLost) {
		t.Errorf("Wait: %d, %v", code, err)
	}
	run.Close()
	noneLeft(t, client)
}

func TestExecEchoesWhatIsWritten(t *testing.T) {
	size := 8 << 20
	script(t, "create pods $NS/web", "stream exec $NS/web echo wait-eof exit=0")
	client := onServer(t)
	run, err := client.Exec(inTime(t), namespaceOf(t), "web", []string{"cat"}, ksr.WithStdin(), ksr.WithoutStderr())
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	if run.Stderr != nil {
		t.Error("a standard error that was not asked for")
	}
	sent := make([]byte, size)
	for i := range sent {
		sent[i] = byte(i * 31 >> 3) // any bytes, no UTF-8
	}
	var writer sync.WaitGroup
	spawn(&writer, func() {
		if n, err := run.Stdin.Write(sent); n != size || err != nil {
			t.Errorf("%d written, %v", n, err)
		}
		if n, err := run.Stdin.Write(nil); n != 0 || err != nil {
			t.Errorf("nothing: %d, %v", n, err)
		}
		if err := run.Stdin.Close(); err != nil {
			t.Error(err)
		}
	})
	if got := readAll(t, run.Stdout); got != string(sent) {
		t.Errorf("%d bytes came back, not the same", len(got))
	}
	writer.Wait()
	if code, err := run.Wait(); code != 0 || err != nil || run.ExitVerified() {
		t.Errorf("%d, %v, verified %v", code, err, run.ExitVerified())
	}
	if _, err := run.Stdin.Write([]byte("x")); err == nil {
		t.Error("written after the end")
	}
}

func TestExecThatIsLostHasNoExitCode(t *testing.T) {
	for _, end := range []string{"cut", "reset", "close=1000", "close=1011:broken"} {
		script(t, "create pods $NS/web", "stream exec $NS/web out=half "+end)
		client := onServer(t)
		run, err := client.Exec(inTime(t), namespaceOf(t), "web", []string{"ls"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(run.Stdout)
		if string(got) != "half" && end != "reset" {
			t.Errorf("%s: stdout %q, %v", end, got, err)
		}
		if !errors.Is(err, ksr.ErrLost) {
			t.Errorf("%s: read: %v", end, err)
		}
		var e *ksr.Error
		if code, err := run.Wait(); code != -1 || !errors.Is(err, ksr.ErrLost) || !errors.As(err, &e) || !strings.Contains(err.Error(), "exec") {
			t.Errorf("%s: %d, %v", end, code, err)
		}
		run.Close()
		noneLeft(t, client)
		script(t, "delete pods $NS/web")
	}
}

func TestExecThatIsRefused(t *testing.T) {
	script(t, "create pods $NS/web", "fault stream /api/v1/namespaces/$NS/ answer 403 body={}")
	client := onServer(t)
	_, err := client.Exec(inTime(t), namespaceOf(t), "web", []string{"ls"})
	var e *ksr.Error
	if !errors.As(err, &e) || e.Code != ksr.ErrForbidden || e.HTTPStatus != 403 || e.MaybeDone {
		t.Errorf("%v, %+v", err, e)
	}
	noneLeft(t, client)
}

func TestAttachAndResize(t *testing.T) {
	script(t, "create pods $NS/web", "stream attach $NS/web out=hello wait-resize=2 out=resized exit=0")
	client := onServer(t)
	run, err := client.Attach(inTime(t), namespaceOf(t), "web", ksr.WithStdin(), ksr.WithTTY(80, 24))
	if err != nil {
		t.Fatal(err)
	}
	if run.Stderr != nil {
		t.Error("a terminal has a standard error")
	}
	for _, bad := range [][2]int{{0, 1}, {1, 0}, {-1, 5}, {65536, 1}, {1 << 40, 1}} {
		if err := run.Resize(bad[0], bad[1]); !errors.Is(err, ksr.ErrInvalid) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	p := make([]byte, 5)
	if _, err := io.ReadFull(run.Stdout, p); err != nil {
		t.Fatal(err)
	}
	if err := run.Resize(65535, 1); err != nil {
		t.Error(err)
	}
	if got := readAll(t, run.Stdout); got != "resized" {
		t.Errorf("%q", got)
	}
	if code, err := run.Wait(); code != -1 && code != 0 || err != nil {
		t.Errorf("%d, %v", code, err)
	}
	run.Close()
	if err := run.Resize(80, 24); !errors.Is(err, ksr.ErrInvalid) && err == nil {
		t.Error("resized after Close")
	}
	noneLeft(t, client)
}

func TestContextEndsAChannel(t *testing.T) {
	script(t, "create pods $NS/web")
	client := onServer(t)
	why := errors.New("the user has left")
	ctx, cancel := context.WithCancelCause(inTime(t))
	run, err := client.Exec(ctx, namespaceOf(t), "web", []string{"sh"}, ksr.WithStdin())
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	spawn(&all, func() {
		_, err := run.Stdout.Read(make([]byte, 9))
		if !errors.Is(err, context.Canceled) || !errors.Is(err, why) || !errors.Is(err, ksr.ErrCancelled) {
			t.Errorf("Read: %v", err)
		}
	})
	spawn(&all, func() {
		if code, err := run.Wait(); code != -1 || !errors.Is(err, context.Canceled) {
			t.Errorf("Wait: %d, %v", code, err)
		}
	})
	cancel(why)
	all.Wait()
	if _, err := run.Stdin.Write([]byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("Write: %v", err)
	}
	if _, err := client.Exec(ctx, namespaceOf(t), "web", []string{"sh"}); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is done: %v", err)
	}
	run.Close()
	// While it is being opened.
	script(t, "fault stream /api/v1/namespaces/$NS/ stall bytes=0 times=forever")
	short, cancelShort := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancelShort()
	if _, err := client.PortForward(short, namespaceOf(t), "web", 80); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	script(t, "clear")
	noneLeft(t, client)
}

func TestCloseEndsReadsAndWrites(t *testing.T) {
	script(t, "create pods $NS/web", "stream portforward $NS/web deaf")
	client := onServer(t)
	conn, err := client.PortForward(inTime(t), namespaceOf(t), "web", 80)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 3 {
		spawn(&all, func() {
			if _, err := conn.Read(make([]byte, 9)); !errors.Is(err, ksr.ErrCancelled) {
				t.Errorf("Read: %v", err)
			}
		})
		spawn(&all, func() {
			if _, err := conn.Write(make([]byte, 64<<20)); !errors.Is(err, ksr.ErrCancelled) {
				t.Errorf("Write: %v", err)
			}
		})
	}
	until(t, "the send buffer to be full", func() bool { queued, _ := conn.Stat("queued_bytes"); return queued > 200<<10 })
	for range 4 {
		spawn(&all, func() {
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if _, err := conn.Read(make([]byte, 9)); err == nil {
		t.Error("read after Close")
	}
	if n, err := conn.Read(nil); n != 0 || err != nil {
		t.Errorf("nothing is read: %d, %v", n, err)
	}
	noneLeft(t, client)
}

func TestPortForwardIsAConnection(t *testing.T) {
	script(t, "create pods $NS/web")
	client := onServer(t)
	var conn net.Conn
	conn, err := client.PortForward(inTime(t), namespaceOf(t), "web", 8080)
	if err != nil {
		t.Fatal(err)
	}
	if got := conn.RemoteAddr().String(); got != namespaceOf(t)+"/web:8080" {
		t.Errorf("%q", got)
	}
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	_, err = conn.Read(make([]byte, 9))
	var timeout net.Error
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("beyond the deadline: %v", err)
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	blocked := make(chan error)
	go func() {
		_, err := conn.Read(make([]byte, 9))
		blocked <- err
	}()
	conn.SetReadDeadline(time.Now().Add(-time.Second))
	if err := <-blocked; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a Read that waits: %v", err)
	}
	conn.SetReadDeadline(time.Time{})
	conn.SetWriteDeadline(time.Now().Add(-time.Second))
	if _, err := conn.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a late Write: %v", err)
	}
	conn.SetWriteDeadline(time.Time{})
	message := []byte("\xff\x00 no UTF-8")
	if _, err := conn.Write(message); err != nil {
		t.Fatal(err)
	}
	back := make([]byte, len(message))
	if _, err := io.ReadFull(conn, back); err != nil || !bytes.Equal(back, message) {
		t.Errorf("%q, %v", back, err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	script(t, `stream portforward $NS/web err="connection refused" close=1000`)
	conn, err = client.PortForward(inTime(t), namespaceOf(t), "web", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(back); err == nil || err == io.EOF || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("a port that refuses: %v", err)
	}
	conn.Close()
	noneLeft(t, client)
}

func TestLogGoesOnAfterACut(t *testing.T) {
	script(t, "create pods $NS/web", "log $NS/web line=one line=two")
	client := onServer(t)
	var events []ksr.Event
	log, err := client.OpenLog(inTime(t), namespaceOf(t), "web", ksr.WithFollow(), ksr.WithOnEvent(func(event ksr.Event) { events = append(events, event) }))
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(log)
	expect := func(want string) {
		t.Helper()
		if line, err := lines.ReadString('\n'); line != want+"\n" || err != nil {
			t.Fatalf("%q, %v; expected %q", line, err, want)
		}
	}
	expect("one")
	expect("two")
	script(t, "log $NS/web cut", "log $NS/web line=three")
	expect("three")
	script(t, "log $NS/web line=\xff\xfe")
	expect("\xff\xfe")
	cursor := log.Cursor()
	if cursor == "" {
		t.Error("no cursor")
	}
	behindTwo, err := client.OpenLog(inTime(t), namespaceOf(t), "web", ksr.WithCursor(log.CursorAt(8)))
	if err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(behindTwo); string(rest) != "three\n\xff\xfe\n" || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	behindTwo.Close()
	gaps := func() int {
		count := 0
		for _, event := range events {
			if event.Kind == ksr.EventGap {
				count++
			}
		}
		return count
	}
	if gaps() != 0 {
		t.Errorf("%v", events)
	}
	if !slices.ContainsFunc(events, func(event ksr.Event) bool { return event.Kind == ksr.EventOpen }) {
		t.Errorf("not open: %v", events)
	}
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	if _, err := log.Read(make([]byte, 1)); !errors.Is(err, ksr.ErrCancelled) {
		t.Errorf("after Close: %v", err)
	}
	script(t, "log $NS/web line=four")
	log, err = client.OpenLog(inTime(t), namespaceOf(t), "web", ksr.WithFollow(), ksr.WithCursor(cursor))
	if err != nil {
		t.Fatal(err)
	}
	lines = bufio.NewReader(log)
	for line := ""; line != "four\n"; {
		if line, err = lines.ReadString('\n'); err != nil || strings.Contains("one\ntwo\nthree\n", line) {
			t.Fatalf("%q, %v", line, err)
		}
	}
	log.Close()
	noneLeft(t, client)
}

// TestGapsComeWhereLinesAreMissing: the event stands between the lines before the gap and those behind it, however the
// goroutines run.
func TestGapsComeWhereLinesAreMissing(t *testing.T) {
	script(t, "create pods $NS/web", "log $NS/web line=old")
	client := onServer(t)
	seen := ""
	var log *ksr.Log
	log, err := client.OpenLog(inTime(t), namespaceOf(t), "web", ksr.WithFollow(), ksr.WithOnEvent(func(event ksr.Event) {
		if event.Kind == ksr.EventGap {
			seen += "GAP "
			if _, err := log.Stat("gaps"); err != nil { // a call inside the callback
				t.Error(err)
			}
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(log)
	next := func() string {
		t.Helper()
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		seen += strings.TrimSpace(line) + " "
		return line
	}
	next()
	for range 5 {
		script(t, "log $NS/web rotate", "log $NS/web line=new", "log $NS/web cut")
		// The line came either before the cut or, as the first one of another file, behind a gap.
		for next() != "new\n" {
		}
		script(t, "log $NS/web rotate", "log $NS/web cut", "log $NS/web line=lost", "log $NS/web rotate line=far")
		for next() != "far\n" {
		}
	}
	gaps, err := log.Stat("gaps")
	if err != nil || int(gaps) != strings.Count(seen, "GAP") {
		t.Errorf("%d gaps, %v: %s", gaps, err, seen)
	}
	t.Log(seen)
	log.Close()
	noneLeft(t, client)
}

func TestLogThatEnds(t *testing.T) {
	script(t, "create pods $NS/web", "log $NS/web line=one line=two")
	client := onServer(t)
	log, err := client.OpenLog(inTime(t), namespaceOf(t), "web", ksr.WithTail(1))
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, log); got != "two\n" {
		t.Errorf("%q", got)
	}
	log.Close()
	log, err = client.OpenLog(inTime(t), namespaceOf(t), "none")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Read(make([]byte, 1)); !errors.Is(err, ksr.ErrNotFound) {
		t.Errorf("no such pod: %v", err)
	}
	log.Close()
	noneLeft(t, client)
}

func TestWebSocket(t *testing.T) {
	script(t, "create pods $NS/web", "stream proxy $NS/web echo wait-bytes=70015 text=bye close=4321:enough")
	client := onServer(t)
	request := &ksr.Request{Path: "/api/v1/namespaces/" + namespaceOf(t) + "/pods/web/proxy"}
	socket, err := client.OpenWebSocket(inTime(t), request)
	if err != nil {
		t.Fatal(err)
	}
	large := bytes.Repeat([]byte{0xff, 7}, 35_000)
	for _, message := range []struct {
		kind ksr.MessageType
		text []byte
	}{{ksr.TextMessage, []byte("grüße")}, {ksr.BinaryMessage, large}, {ksr.BinaryMessage, []byte("twelve")}} {
		if err := socket.WriteMessage(message.kind, message.text); err != nil {
			t.Fatal(err)
		}
		kind, got, err := socket.ReadMessage()
		if kind != message.kind || !bytes.Equal(got, message.text) || err != nil {
			t.Errorf("%d: %d bytes, %v", kind, len(got), err)
		}
	}
	if err := socket.WriteMessage(ksr.TextMessage, []byte{0xff}); !errors.Is(err, ksr.ErrInvalid) {
		t.Errorf("a text that is no UTF-8: %v", err)
	}
	if err := socket.WriteMessage(1, nil); !errors.Is(err, ksr.ErrInvalid) {
		t.Errorf("no kind of message: %v", err)
	}
	if err := socket.WriteMessage(ksr.BinaryMessage, make([]byte, 17<<20)); !errors.Is(err, ksr.ErrTooLarge) {
		t.Errorf("above max_message: %v", err)
	}
	if err := socket.WriteMessage(ksr.BinaryMessage, []byte("ab")); err != nil {
		t.Error(err)
	}
	var last string
	for {
		_, message, err := socket.ReadMessage()
		if err != nil {
			if code, reason := socket.CloseCode(); code != 4321 || reason != "enough" {
				t.Errorf("%d %q, %v", code, reason, err)
			}
			break
		}
		last = string(message)
	}
	if last != "bye" {
		t.Errorf("%q", last)
	}
	if request.Params != nil {
		t.Error("the caller's request was changed")
	}
	if err := socket.Close(); err != nil {
		t.Error(err)
	}
	noneLeft(t, client)
}

// The library passes a text on as it came; Go's strings may hold it.
func TestTextThatIsNoUTF8(t *testing.T) {
	script(t, "create pods $NS/web", "stream proxy $NS/web text=a\xffb text=\xed\xa0\x80 text=fine close=1000:\xff")
	client := onServer(t)
	request := &ksr.Request{Path: "/api/v1/namespaces/" + namespaceOf(t) + "/pods/web/proxy"}
	socket, err := client.OpenWebSocket(inTime(t), request)
	if err != nil {
		t.Fatal(err)
	}
	for _, wanted := range []string{"a\xffb", "\xed\xa0\x80", "fine"} {
		kind, got, err := socket.ReadMessage()
		if kind != ksr.TextMessage || string(got) != wanted || err != nil {
			t.Errorf("%d: %q instead of %q, %v", kind, got, wanted, err)
		}
	}
	if _, _, err := socket.ReadMessage(); err != io.EOF {
		t.Error(err)
	}
	if code, reason := socket.CloseCode(); code != 1000 || !utf8.ValidString(reason) {
		t.Errorf("%d %q", code, reason)
	}
	socket.Close()
	noneLeft(t, client)
}

func TestChannelThatHasEndedWithATimeout(t *testing.T) {
	script(t, "create pods $NS/web", "stream proxy $NS/web text=one binary=two no-pong")
	client := onServer(t)
	request := &ksr.Request{Path: "/api/v1/namespaces/" + namespaceOf(t) + "/pods/web/proxy"}
	socket, err := client.OpenWebSocket(inTime(t), request,
		ksr.WithParam("ping_interval", "50ms"), ksr.WithParam("pong_timeout", "50ms"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "two"} {
		if _, got, err := socket.ReadMessage(); string(got) != want || err != nil {
			t.Errorf("%q, %v, not %q", got, err, want)
		}
	}
	for range 2 {
		_, _, read := socket.ReadMessage()
		for what, err := range map[string]error{"ReadMessage": read, "WriteMessage": socket.WriteMessage(ksr.TextMessage, []byte("x"))} {
			var e *ksr.Error
			if !errors.Is(err, ksr.ErrTimeout) || !errors.As(err, &e) || e.HTTPStatus != 408 {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	if err := socket.Close(); err != nil {
		t.Error(err)
	}
	noneLeft(t, client)
}

func TestBodyOfAResponse(t *testing.T) {
	client := onServer(t)
	body, err := client.OpenHTTP(inTime(t), &ksr.Request{Path: "/api/v1/namespaces/default/configmaps"})
	if err != nil {
		t.Fatal(err)
	}
	if body.StatusCode() != 200 {
		t.Errorf("%d", body.StatusCode())
	}
	if got := readAll(t, body); !strings.Contains(got, "ConfigMapList") {
		t.Errorf("%q", got)
	}
	body.Close()
	if _, err = client.OpenHTTP(inTime(t), &ksr.Request{Path: "/nothing/here"}); !errors.Is(err, ksr.ErrNotFound) {
		t.Errorf("%v", err)
	}
	noneLeft(t, client)
}

func TestWhatAChannelRefuses(t *testing.T) {
	client, ctx := newClient(t, unreachable(nil)), inTime(t)
	exec := func(command []string, options ...ksr.RequestOption) error {
		_, err := client.Exec(ctx, "default", "web", command, options...)
		return err
	}
	log := func(pod string, options ...ksr.RequestOption) error {
		_, err := client.OpenLog(ctx, "default", pod, options...)
		return err
	}
	port := func(port int) error {
		_, err := client.PortForward(ctx, "default", "web", port)
		return err
	}
	webSocket := func(request *ksr.Request, options ...ksr.RequestOption) error {
		_, err := client.OpenWebSocket(ctx, request, options...)
		return err
	}
	for what, err := range map[string]error{
		"no command":              exec(nil),
		"an empty command":        exec([]string{""}),
		"NUL in a command":        exec([]string{"a\x00b"}),
		"no UTF-8 in a command":   exec([]string{"a", "\xff"}),
		"a terminal with stderr":  exec([]string{"a"}, ksr.WithTTY(0, 0), ksr.WithParam("stderr", "true")),
		"one side of a terminal":  exec([]string{"a"}, ksr.WithTTY(80, 0)),
		"a terminal too large":    exec([]string{"a"}, ksr.WithTTY(65536, 24)),
		"a size and no terminal":  exec([]string{"a"}, ksr.WithParam("columns", "80"), ksr.WithParam("rows", "24")),
		"nothing asked for":       exec([]string{"a"}, ksr.WithoutStdout(), ksr.WithoutStderr()),
		"a container that is bad": exec([]string{"a"}, ksr.WithContainer("Not/A/Name")),
		"stdin for a log":         log("web", ksr.WithStdin()),
		"a negative tail":         log("web", ksr.WithTail(-1)),
		"a log of no pod":         log(""),
		"a bad cursor":            log("web", ksr.WithCursor("a\nb")),
		"port 0":                  port(0),
		"port 65536":              port(65536),
		"port -1":                 port(-1),
		"a request of nil":        webSocket(nil),
		"a verb":                  webSocket(&ksr.Request{Verb: "get", Resource: "v1/pods"}),
		"neither path":            webSocket(&ksr.Request{}),
		"a bad subprotocol":       webSocket(&ksr.Request{Path: "/"}, ksr.WithSubprotocols("a b")),
		"a key of requests":       webSocket(&ksr.Request{Path: "/", Params: map[string]string{"dry_run": "true"}}),
		"a key of logs":           webSocket(&ksr.Request{Path: "/"}, ksr.WithFollow()),
	} {
		var e *ksr.Error
		if !errors.As(err, &e) || e.Code != ksr.ErrInvalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := client.Do(ctx, &ksr.Request{Path: "/", Params: map[string]string{"follow": "true"}}); !errors.Is(err, ksr.ErrInvalid) {
		t.Errorf("a request that follows: %v", err)
	}
	log1, err := client.OpenLog(ctx, "default", "web", ksr.WithParam("resume", "false"))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := log1.Read(nil); n != 0 || err != nil {
		t.Errorf("a Read of 0 bytes: %d, %v", n, err)
	}
	if _, err := log1.Read(make([]byte, 1)); !errors.Is(err, ksr.ErrTransport) {
		t.Errorf("an unreachable server: %v", err)
	}
	if _, err := log1.Stat("colour"); !errors.Is(err, ksr.ErrUnknownKey) {
		t.Errorf("%v", err)
	}
	if _, err := log1.Stat("a\x00"); !errors.Is(err, ksr.ErrUnknownKey) {
		t.Errorf("%v", err)
	}
	log1.Close()
	var closing *ksr.Log
	closing, err = client.OpenLog(ctx, "default", "web", ksr.WithOnEvent(func(ksr.Event) { closing.Close() }))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := closing.Read(make([]byte, 1)); !errors.Is(err, ksr.ErrCancelled) {
		t.Errorf("closed by its own callback: %v", err)
	}
	noneLeft(t, client)
	if err := exec([]string{"a"}); !errors.Is(err, ksr.ErrInvalid) {
		t.Errorf("a closed client: %v", err)
	}
}

func TestAChannelThatWasNeverOpened(t *testing.T) {
	for _, log := range []*ksr.Log{nil, {}} {
		if _, err := log.Read(make([]byte, 1)); !errors.Is(err, ksr.ErrInvalid) || log.Cursor() != "" || log.Close() != nil {
			t.Errorf("%v", err)
		}
	}
	for _, run := range []*ksr.Exec{nil, {}} {
		if code, err := run.Wait(); code != -1 || !errors.Is(err, ksr.ErrInvalid) || run.Close() != nil || run.ExitVerified() {
			t.Errorf("%d, %v", code, err)
		}
		if err := run.Resize(1, 1); !errors.Is(err, ksr.ErrInvalid) {
			t.Errorf("%v", err)
		}
	}
	for _, conn := range []*ksr.PortForward{nil, {}} {
		if _, err := conn.Write([]byte("x")); !errors.Is(err, ksr.ErrInvalid) || conn.Close() != nil {
			t.Errorf("%v", err)
		}
		if err := conn.SetDeadline(time.Now()); !errors.Is(err, ksr.ErrInvalid) || conn.RemoteAddr() == nil {
			t.Errorf("%v", err)
		}
	}
	for _, socket := range []*ksr.WebSocket{nil, {}} {
		if _, _, err := socket.ReadMessage(); !errors.Is(err, ksr.ErrInvalid) || socket.Close() != nil {
			t.Errorf("%v", err)
		}
	}
}

func TestCloseOfTheClientEndsItsChannels(t *testing.T) {
	script(t, "create pods $NS/web")
	client := onServer(t)
	var all sync.WaitGroup
	for range 10 {
		run, err := client.Exec(inTime(t), namespaceOf(t), "web", []string{"sh"}, ksr.WithStdin())
		if err != nil {
			t.Fatal(err)
		}
		spawn(&all, func() {
			if _, err := run.Stdout.Read(make([]byte, 1)); !errors.Is(err, ksr.ErrCancelled) {
				t.Errorf("%v", err)
			}
			run.Close()
		})
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
	settled(t)
}

func TestChannelsThatAreDroppedAreClosed(t *testing.T) {
	script(t, "create pods $NS/web")
	client := onServer(t)
	open := func() {
		run, err := client.Exec(inTime(t), namespaceOf(t), "web", []string{"sh"}, ksr.WithStdin())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run.Stdin.Write([]byte("x")); err != nil {
			t.Error(err)
		}
	}
	for range 5 {
		open()
	}
	until(t, "the collector to close them", func() bool { runtime.GC(); return statOf(t, client, "open_channels") <= 1 })
}

func TestCONFIGURATIONNamesEveryStatisticOfChannels(t *testing.T) {
	text, err := os.ReadFile("../../CONFIGURATION.md")
	if err != nil {
		t.Skip(err)
	}
	client := newClient(t, unreachable(nil))
	log, err := client.OpenLog(inTime(t), "default", "web")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	_, section, _ := strings.Cut(string(text), "`ksr_channel_stat` knows:")
	section, _, _ = strings.Cut(section, "\n## ")
	names := regexp.MustCompile("(?m)^\\| `([a-z_]+)`").FindAllStringSubmatch(section, -1)
	if len(names) != 15 {
		t.Errorf("%d statistics", len(names))
	}
	for _, name := range names {
		if _, err := log.Stat(name[1]); err != nil {
			t.Error(err)
		}
	}
}
