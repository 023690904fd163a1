// Command objects writes objects and lists in protobuf, each with the JSON that an API server sends for it, for
// tests/protobuf/compare.cpp.
//
//	objects testdata K8S_IO_API_DIR FILE    those that k8s.io/api is tested with, of this release and the ones before
//	objects random SEED ROUNDS FILE         random ones of every kind
//	objects encode JSON_FILE FILE           one object in protobuf alone, such as tests/bench/protobuf/pod.pb
//
// A record is a line "OUTCOME PROTOBUF_SIZE JSON_SIZE NAME", the two encodings, and a line end.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
)

// What has to become of the protobuf.
const (
	same        = "same"    // the JSON, byte for byte
	unknown     = "unknown" // nothing: the table does not know it, and says so
	sameIfKnown = "either"  // one of both
)

type writer struct {
	out   *bufio.Writer
	count int
}

func (w *writer) record(outcome, name string, protobuf, json []byte) {
	fmt.Fprintf(w.out, "%s %d %d %s\n%s%s\n", outcome, len(protobuf), len(json), name, protobuf, json)
	w.count++
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "objects: "+format+"\n", args...)
	os.Exit(1)
}

func must(err error, what string) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	must(err, text)
	return value
}

func main() {
	args := os.Args[1:]
	if len(args) < 3 {
		fail("usage: objects testdata DIR FILE | objects random SEED ROUNDS FILE | objects encode JSON_FILE FILE")
	}
	file, err := os.Create(args[len(args)-1])
	must(err, "create")
	w := &writer{out: bufio.NewWriter(file)}
	switch {
	case args[0] == "testdata" && len(args) == 3:
		w.testdata(args[1])
	case args[0] == "random" && len(args) == 4:
		w.random(number(args[1]), int(number(args[2])))
	case args[0] == "encode" && len(args) == 3:
		w.encode(args[1])
	default:
		fail("what is %v?", args)
	}
	must(w.out.Flush(), "write")
	must(file.Close(), "close")
	fmt.Printf("objects: %d records\n", w.count)
}
