// The runner of the Go binding, see README.md of the scenario. `runner loops` gets its updates in a loop, not in a
// callback.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"ksr.dev/ksr"
)

var (
	streams = map[string]*watched{}
	output  sync.Mutex
)

func say(format string, arguments ...any) {
	output.Lock()
	defer output.Unlock()
	fmt.Printf(format+"\n", arguments...)
}

func open(name string, pours, loops bool, words []string) error {
	config := ksr.Config{}
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		config[key] = value
	}
	w := &watched{name: name, pours: pours}
	options := []ksr.Option{ksr.OnError(w.onError), ksr.OnState(w.onState)}
	if !loops {
		options = append(options, ksr.OnUpdate(w.onUpdate))
	}
	var stream *ksr.Stream
	var err error
	if client, is := config["client"]; is {
		delete(config, "client")
		stream, err = clients[client].Watch(context.Background(), config, options...)
	} else {
		stream, err = ksr.Open(context.Background(), config, options...)
	}
	if err != nil {
		return err
	}
	w.stream = stream
	if loops {
		w.loop.Add(1)
		go func() {
			defer w.loop.Done()
			for snapshot := range stream.Updates() {
				w.onUpdate(stream, snapshot)
			}
		}()
	}
	streams[name] = w
	return nil
}

func latest(stream *ksr.Stream) string {
	snapshot := stream.Latest()
	if snapshot == nil {
		return "none"
	}
	defer snapshot.Release()
	return fmt.Sprint(snapshot.Sequence(), " ", keys(snapshot))
}

func until(counted interface{ Stat(string) (uint64, error) }, name, number string) error {
	wanted, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return err
	}
	for {
		value, err := counted.Stat(name)
		if err != nil || value >= wanted {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func answer(loops bool, verb, name string, words []string) (string, error) {
	if text, err, is := answerOfClient(verb, name, words); is {
		return text, err
	}
	if verb == "open" || verb == "pour" {
		return "ok", open(name, verb == "pour", loops, words)
	}
	w := streams[name]
	if w == nil {
		return "no such stream", nil
	}
	switch verb {
	case "arm":
		w.armed.Store(true)
	case "synced":
		return "ok", w.stream.WaitSynced(context.Background())
	case "latest":
		return latest(w.stream), nil
	case "stat":
		value, err := w.stream.Stat(words[0])
		return fmt.Sprint(value), err
	case "until":
		return "ok", until(w.stream, words[0], words[1])
	case "cancel":
		w.stream.Cancel()
	case "close":
		return "ok", w.close()
	default:
		return "unknown step", nil
	}
	return "ok", nil
}

func main() {
	loops := len(os.Args) == 2 && os.Args[1] == "loops"
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		text, err := answer(loops, words[0], words[1], words[2:])
		var e *ksr.Error
		if errors.As(err, &e) && words[0] == "ask" {
			text = failed(e)
		} else if errors.As(err, &e) {
			text = e.Code.String()
		} else if err != nil {
			text = err.Error()
		}
		say("= %s", text)
	}
}
