package main

import (
	"flag"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A line of a given round trip and rate. What waits for it in one direction of a connection is bounded, and the sender is
// held back by TCP, as by a router with a queue that drops nothing. TCP's slow start is not simulated.
const (
	segmentBytes = 8 << 10
	queuedBytes  = 512 << 10 // above what is under way in 50 ms at 50 Mbit/s
)

// One direction, shared by all connections.
type direction struct {
	rate  float64 // bytes a second
	delay time.Duration

	mutex sync.Mutex
	free  time.Time // when the last byte accepted so far has been sent
	bytes atomic.Int64
}

// When `count` bytes that were ready at `ready` arrive at the other end.
func (d *direction) send(count int, ready time.Time) time.Time {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.free.Before(ready) {
		d.free = ready
	}
	d.free = d.free.Add(time.Duration(float64(count) / d.rate * float64(time.Second)))
	return d.free.Add(d.delay)
}

type segment struct {
	bytes   []byte
	arrives time.Time
}

// What is under way, bounded by its bytes: a server may write a few at a time.
type queue struct {
	segments chan segment
	mutex    sync.Mutex
	left     *sync.Cond
	bytes    int
}

func newQueue() *queue {
	made := &queue{segments: make(chan segment, queuedBytes/64)}
	made.left = sync.NewCond(&made.mutex)
	return made
}

func (q *queue) put(each segment) {
	q.mutex.Lock()
	for q.bytes+len(each.bytes) > queuedBytes {
		q.left.Wait()
	}
	q.bytes += len(each.bytes)
	q.mutex.Unlock()
	q.segments <- each
}

func (q *queue) taken(count int) {
	q.mutex.Lock()
	q.bytes -= count
	q.mutex.Unlock()
	q.left.Signal()
}

// Carries one direction of a connection, which is set up at `open`, until its end.
func (d *direction) carry(from, to *net.TCPConn, open time.Time) {
	under := newQueue()
	go func() {
		defer close(under.segments)
		for {
			bytes := make([]byte, segmentBytes)
			count, err := from.Read(bytes)
			if count > 0 {
				ready := time.Now()
				if ready.Before(open) {
					ready = open
				}
				under.put(segment{bytes[:count:count], d.send(count, ready)})
			}
			if err != nil {
				return
			}
		}
	}()
	failed := false
	for each := range under.segments {
		time.Sleep(time.Until(each.arrives))
		if under.taken(len(each.bytes)); failed {
			continue
		}
		d.bytes.Add(int64(len(each.bytes)))
		if _, err := to.Write(each.bytes); err != nil {
			failed = true
			from.CloseRead()
		}
	}
	to.CloseWrite()
}

func runLine(arguments []string) error {
	flags := flag.NewFlagSet("line", flag.ExitOnError)
	to := flags.String("to", "", "HOST:PORT of the server")
	roundTrip := flags.Duration("round_trip", 50*time.Millisecond, "to the server and back")
	rate := flags.Float64("rate", 50e6, "bits a second, in each direction")
	flags.Parse(arguments)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	up := &direction{rate: *rate / 8, delay: *roundTrip / 2}
	down := &direction{rate: *rate / 8, delay: *roundTrip / 2}
	var connections atomic.Int64
	go func() {
		for {
			accepted, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go connect(accepted.(*net.TCPConn), *to, *roundTrip, up, down)
		}
	}()
	if err = say(map[string]any{"address": listener.Addr().String()}); err != nil {
		return err
	}
	return serve(func(string) (any, error) {
		return map[string]any{"received_bytes": down.bytes.Load(), "sent_bytes": up.bytes.Load(),
			"connections": connections.Load()}, nil
	})
}

// The client's connection is accepted at once; that it takes a round trip is made up for before its first byte.
func connect(client *net.TCPConn, address string, roundTrip time.Duration, up, down *direction) {
	defer client.Close()
	open := time.Now().Add(roundTrip)
	dialled, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	server := dialled.(*net.TCPConn)
	defer server.Close()
	both := sync.WaitGroup{}
	both.Go(func() { up.carry(client, server, open) })
	both.Go(func() { down.carry(server, client, open) })
	both.Wait()
}
