package ksr

import (
	"context"
	"iter"
	"slices"
)

// subscriber is one loop over the updates. Nothing is queued for it: the library merges what comes while it is busy.
type subscriber struct {
	next chan *Snapshot
	gone chan struct{}
}

// Updates runs over the snapshots, each lent until the loop's body ends. The first of a loop is the complete view,
// every object in its Deltas Added, at once when there is one already; each that follows brings what has changed since
// the one before. Changes that come while the body runs are merged. Several loops may run at once: each gets every
// snapshot, at the pace of the slowest. The loop ends with the stream; see Err.
//
// While the body runs, errors and states wait once the next snapshot is ready.
func (s *Stream) Updates() iter.Seq[*Snapshot] {
	return func(yield func(*Snapshot) bool) {
		s.run(context.Background(), func(snapshot *Snapshot) bool {
			defer snapshot.Release()
			return yield(snapshot)
		})
	}
}

// Channel is Updates as a channel, for select. It is closed when ctx is done and when the stream ends. The receiver
// releases the snapshots.
func (s *Stream) Channel(ctx context.Context) <-chan *Snapshot {
	channel := make(chan *Snapshot)
	if s.neverOpened() {
		close(channel)
		return channel
	}
	ctx = orBackground(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over() {
		close(channel)
		return channel
	}
	s.loops.Add(1)
	go func() {
		defer s.loops.Done()
		defer close(channel)
		s.run(ctx, func(snapshot *Snapshot) bool {
			select {
			case channel <- snapshot:
				return true
			case <-ctx.Done():
			case <-s.ended:
			}
			snapshot.Release()
			return false
		})
	}()
	return channel
}

// Errors runs over the errors, from the oldest that is kept: the last 64 are. Errors are information: the stream
// retries by itself, unless one is Fatal. The loop ends with the stream.
func (s *Stream) Errors() iter.Seq[*Error] {
	return func(yield func(*Error) bool) {
		if s.neverOpened() {
			return
		}
		place := 0
		for {
			over := s.over()
			err, next, more := s.journal.since(place)
			place = next
			switch {
			case err != nil:
				if !yield(err) {
					return
				}
			case over:
				return
			default:
				select {
				case <-more:
				case <-s.ended:
				}
			}
		}
	}
}

// run passes one snapshot after the other to take, which owns it, until take returns false.
func (s *Stream) run(ctx context.Context, take func(*Snapshot) bool) {
	if s.neverOpened() {
		return
	}
	sub, first := s.subscribe()
	defer s.unsubscribe(sub)
	if first != nil && !take(first) {
		return
	}
	for !s.over() && ctx.Err() == nil {
		select {
		case snapshot := <-sub.next:
			if !take(snapshot) {
				return
			}
		case <-s.ended:
		case <-ctx.Done():
		}
	}
}

// subscribe returns, in one step, the current snapshot and the place where all later ones arrive.
func (s *Stream) subscribe() (*subscriber, *Snapshot) {
	sub := &subscriber{next: make(chan *Snapshot), gone: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers = append(s.subscribers, sub)
	if s.over() || s.current == nil {
		return sub, nil
	}
	first := s.current.Retain()
	first.whole = true
	return sub, first
}

func (s *Stream) unsubscribe(sub *subscriber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers = slices.DeleteFunc(s.subscribers, func(other *subscriber) bool { return other == sub })
	close(sub.gone)
}

// deliver takes over the snapshot and waits until the callback and every loop have taken it.
func (s *Stream) deliver(snapshot *Snapshot) {
	s.mu.Lock()
	if s.over() {
		s.mu.Unlock()
		snapshot.Release()
		return
	}
	before := s.current
	s.current = snapshot
	subscribers := slices.Clone(s.subscribers)
	lent := snapshot.Retain() // the current one may be released at any time from here on
	s.mu.Unlock()
	defer lent.Release()
	if before == nil {
		close(s.synced)
	}
	before.Release()

	if s.callbacks.update != nil {
		own := lent.Retain()
		s.call(onUpdate, func() { s.callbacks.update(s, own) })
		own.Release()
	}
	for _, sub := range subscribers {
		s.hand(sub, lent)
	}
}

func (s *Stream) hand(sub *subscriber, lent *Snapshot) {
	kept := lent.Retain()
	select {
	case sub.next <- kept:
		return
	case <-sub.gone:
	case <-s.ended:
	}
	kept.Release()
}
