package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const bookmarkPeriod = 50 * time.Second

// How the events of one watch are put on the wire: what is written before and after an event of that size.
type framing struct {
	head func(out []byte, size int) []byte
	tail string
}

// A chunk for each event, as net/http makes of each event that a kube-apiserver flushes.
var chunked = framing{func(out []byte, size int) []byte {
	return append(strconv.AppendInt(out, int64(size), 16), "\r\n"...)
}, "\r\n"}

func (f framing) frame(event []byte) []byte {
	return append(append(f.head(nil, len(event)), event...), f.tail...)
}

// The head of a frame that holds `size` bytes.
func appendFrameHead(out []byte, first byte, size int) []byte {
	if size < 126 {
		return append(out, first, byte(size))
	}
	if size < 1<<16 {
		return append(out, first, 126, byte(size>>8), byte(size))
	}
	out = append(out, first, 127)
	for shift := 56; shift >= 0; shift -= 8 {
		out = append(out, byte(uint64(size)>>shift))
	}
	return out
}

func (s *server) watch(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		refuseInitialEvents(w)
		return
	}
	first, err := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	if err != nil || first < firstVersion {
		first = s.history.version()
	}
	connection, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer connection.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out := &largeWriter{out: connection, connection: batchOf(r)}
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		if out.write(webSocketAnswer(r)) == nil {
			go serveWebSocket(buffered.Reader, out, cancel)
			s.events(ctx, out, mediaJSON, webSocketFrame, first)
		}
		return
	}
	go waitForEnd(buffered.Reader, cancel)
	media, contentType := mediaJSON, mediaJSON
	if strings.HasPrefix(r.Header.Get("Accept"), mediaProtobuf) {
		media, contentType = mediaProtobuf, mediaProtobuf+mediaWatchSuffix
	}
	head := "HTTP/1.1 200 OK\r\nCache-Control: no-cache, private\r\nContent-Type: " + contentType +
		"\r\nDate: " + time.Now().UTC().Format(http.TimeFormat) + "\r\nTransfer-Encoding: chunked\r\n\r\n"
	if out.write([]byte(head)) == nil {
		s.events(ctx, out, media, chunked, first)
	}
}

func waitForEnd(in *bufio.Reader, cancel context.CancelFunc) {
	io.Copy(io.Discard, in)
	cancel()
}

// Writes events as they happen, from the one after resourceVersion `after` on, until the client disconnects.
func (s *server) events(ctx context.Context, out *largeWriter, media string, frame framing, after int) {
	s.watchers.Add(1)
	defer s.watchers.Add(-1)
	author := newAuthor(s.history.objects)
	for done := after - firstVersion; ctx.Err() == nil; {
		happened := s.history.wait(ctx, done, bookmarkPeriod)
		if happened == done {
			bookmark, err := encodeBookmark(media, strconv.Itoa(firstVersion+done))
			if err != nil || out.write(frame.frame(bookmark)) != nil {
				return
			}
			continue
		}
		if s.writeEvents(out, media, frame, author, done, happened) != nil {
			return
		}
		done = happened
	}
}

func (s *server) writeEvents(out *largeWriter, media string, frame framing, author *author, begin, end int) error {
	defer out.close()
	buffer, templates := out.begin(), &s.encoded[media].events
	for k := begin; k < end; k++ {
		object := s.history.object(k)
		own := author.describe(object, firstVersion+k+1, s.stamp())
		event := templates[object%shapes]
		buffer = event.appendTo(frame.head(buffer, len(event.text)), own)
		buffer = append(buffer, frame.tail...)
		if len(buffer) >= writeSize || k+1 == end {
			if err := out.write(buffer); err != nil {
				return err
			}
			buffer = buffer[:0]
		}
	}
	return nil
}

// Only paced events carry the time at which they were sent: reading the clock costs too much otherwise.
func (s *server) stamp() int64 {
	if s.paced.Load() {
		return time.Now().UnixNano()
	}
	return 0
}
