package main

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net/http"
)

const (
	opcodeClose = 8
	opcodePing  = 9
	finalText   = 0x81
	finalClose  = 0x80 | opcodeClose
	finalPong   = 0x8a
	longestPing = 1 << 16
)

// One text frame for each event, never fragmented, as a kube-apiserver sends them.
var webSocketFrame = framing{head: func(out []byte, size int) []byte { return appendFrameHead(out, finalText, size) }}

func webSocketAnswer(r *http.Request) []byte {
	digest := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(digest[:]) + "\r\n"
	if protocol := r.Header.Get("Sec-WebSocket-Protocol"); protocol != "" {
		answer += "Sec-WebSocket-Protocol: " + protocol + "\r\n"
	}
	return []byte(answer + "\r\n")
}

// Answers a client's pings and its close until it disconnects.
func serveWebSocket(in *bufio.Reader, out *largeWriter, cancel context.CancelFunc) {
	defer cancel()
	for {
		opcode, payload, err := readFrame(in)
		switch {
		case err != nil:
			return
		case opcode == opcodePing:
			err = out.write(append(appendFrameHead(nil, finalPong, len(payload)), payload...))
		case opcode == opcodeClose:
			out.write(append(appendFrameHead(nil, finalClose, len(payload)), payload...))
			return
		}
		if err != nil {
			return
		}
	}
}

func readFrame(in *bufio.Reader) (opcode byte, payload []byte, err error) {
	var head [2]byte
	if _, err = io.ReadFull(in, head[:]); err != nil {
		return 0, nil, err
	}
	size := uint64(head[1] & 0x7f)
	if size >= 126 {
		wide := make([]byte, 8)
		from := 0
		if size == 126 {
			from = 6
		}
		if _, err = io.ReadFull(in, wide[from:]); err != nil {
			return 0, nil, err
		}
		size = binary.BigEndian.Uint64(wide)
	}
	if size > longestPing || head[1]&0x80 == 0 {
		return 0, nil, io.ErrUnexpectedEOF
	}
	masked := make([]byte, 4+size)
	if _, err = io.ReadFull(in, masked); err != nil {
		return 0, nil, err
	}
	payload = masked[4:]
	for at := range payload {
		payload[at] ^= masked[at%4]
	}
	return head[0] & 0x0f, payload, nil
}
