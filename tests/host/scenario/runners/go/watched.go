package main

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"ksr.dev/ksr"
)

const flowing = 3

// watched is a stream of the scenario, and reports what it does.
type watched struct {
	name   string
	stream *ksr.Stream
	pours  bool
	last   uint64 // only updates touch these two, and they never overlap
	poured int
	armed  atomic.Bool
	closed atomic.Bool
	loop   sync.WaitGroup
}

func (w *watched) report(kind, format string, arguments ...any) {
	if w.closed.Load() {
		say("broken %s %s after close", w.name, kind)
	}
	say(kind+" "+w.name+format, arguments...)
}

func (w *watched) onUpdate(stream *ksr.Stream, snapshot *ksr.Snapshot) {
	armed := w.armed.Load() // before the report, which may be answered with the next step
	// A loop may begin with a later one than the first.
	if w.last != 0 && snapshot.Sequence() != w.last+1 {
		say("broken %s sequence %d after %d", w.name, snapshot.Sequence(), w.last)
	}
	w.last = snapshot.Sequence()
	if w.pours {
		if w.poured++; w.poured == flowing {
			w.report("flowing", "")
		}
		return
	}
	w.report("update", " %d count=%d keys=%s deltas=%s", w.last, snapshot.Len(), keys(snapshot), deltas(snapshot))
	if armed {
		stream.Cancel()
	}
}

func (w *watched) onError(_ *ksr.Stream, err *ksr.Error) {
	fatal := "retry"
	if err.Fatal {
		fatal = "fatal"
	}
	w.report("error", " %v http=%d reason=%s %s", err.Code, err.HTTPStatus, err.Reason, fatal)
}

func (w *watched) onState(_ *ksr.Stream, state ksr.State) {
	w.report("state", " %s", strings.ToUpper(state.String()))
}

func (w *watched) close() error {
	err := w.stream.Close()
	w.loop.Wait()
	w.closed.Store(true)
	return err
}

func keys(snapshot *ksr.Snapshot) string {
	var all []string
	for object := range snapshot.Objects() {
		all = append(all, object.Namespace()+"/"+object.Name())
	}
	return strings.Join(all, ",")
}

func deltas(snapshot *ksr.Snapshot) string {
	marks := map[ksr.DeltaKind]string{ksr.Added: "+", ksr.Modified: "~", ksr.Deleted: "-"}
	var all []string
	for kind, object := range snapshot.Deltas() {
		labels := string(object.Get("/metadata/labels"))
		all = append(all, fmt.Sprint(marks[kind], object.Namespace(), "/", object.Name(), labels))
	}
	return strings.Join(all, ",")
}
