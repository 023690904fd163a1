package ksr

import "sync"

// journalLimit is the number of errors that the library itself keeps while a callback blocks.
const journalLimit = 64

// journal keeps the last errors for loops that begin late or are slow, and never makes the stream wait. A fatal error
// is the last one of a stream, so it is never among those that are dropped.
type journal struct {
	mu      sync.Mutex
	entries []*Error
	dropped int
	more    chan struct{}
}

func newJournal() *journal { return &journal{more: make(chan struct{})} }

func (j *journal) add(err *Error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.entries) == journalLimit {
		j.entries = j.entries[1:]
		j.dropped++
	}
	j.entries = append(j.entries, err)
	close(j.more)
	j.more = make(chan struct{})
}

// since returns the first entry at or after place, the place to go on from, and what is closed when there is more.
func (j *journal) since(place int) (*Error, int, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	index := max(place-j.dropped, 0)
	if index >= len(j.entries) {
		return nil, place, j.more
	}
	return j.entries[index], j.dropped + index + 1, j.more
}
