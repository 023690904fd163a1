package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"ksr.dev/ksr"
)

var (
	clients  = map[string]*ksr.Client{}
	requests = map[string]*asked{}
)

// asked is a request of the scenario that was begun.
type asked struct {
	cancel  context.CancelFunc
	givenUp atomic.Bool
	done    chan struct{}
}

// answerOfClient says whether the step is one on a client or request.
func answerOfClient(verb, name string, words []string) (string, error, bool) {
	switch verb {
	case "client":
		client, err := ksr.NewClient(ksr.Config(pairs(words)))
		if err == nil {
			clients[name] = client
		}
		return "ok", err, true
	case "give-up":
		requests[name].givenUp.Store(true)
		requests[name].cancel()
		<-requests[name].done
		return "ok", nil, true
	}
	client := clients[name]
	if client == nil {
		return "", nil, false
	}
	switch verb {
	case "ask":
		response, err := client.Do(context.Background(), request(words))
		if err != nil {
			return "", err, true
		}
		defer response.Release()
		return came(response), nil, true
	case "begin":
		begin(client, words[0], words[1:])
	case "drained":
		for {
			open, err := client.Stat("open_requests")
			if err != nil || open == 0 {
				return "ok", err, true
			}
			time.Sleep(5 * time.Millisecond)
		}
	case "stat":
		value, err := client.Stat(words[0])
		return fmt.Sprint(value), err, true
	case "until":
		return "ok", until(client, words[0], words[1]), true
	case "close":
		return "ok", client.Close(), true
	default:
		return "unknown step", nil, true
	}
	return "ok", nil, true
}

func pairs(words []string) map[string]string {
	keys := map[string]string{}
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		keys[key] = value
	}
	return keys
}

func request(words []string) *ksr.Request {
	keys := pairs(words)
	body := []byte(keys["body"])
	delete(keys, "body")
	return &ksr.Request{Params: keys, Body: body}
}

func begin(client *ksr.Client, name string, words []string) {
	ctx, cancel := context.WithCancel(context.Background())
	one := &asked{cancel: cancel, done: make(chan struct{})}
	requests[name] = one
	go func() {
		defer close(one.done)
		defer cancel()
		response, err := client.Do(ctx, request(words))
		defer response.Release()
		var e *ksr.Error
		switch {
		case one.givenUp.Load() && errors.Is(err, context.Canceled) && errors.Is(err, ksr.ErrCancelled):
		case one.givenUp.Load():
			say("broken %s %v after it was given up", name, err)
		case errors.As(err, &e):
			say("answer %s %s", name, failed(e))
		case err != nil:
			say("broken %s %v", name, err)
		default:
			say("answer %s %s", name, came(response))
		}
	}()
}

func came(response *ksr.Response) string {
	kind, name, data, warning := "-", "-", "", "-"
	if object, is := response.Object(); is {
		kind, name, data = object.Kind(), object.Name(), string(object.Get("/data"))
	}
	warnings := response.Warnings()
	if len(warnings) > 0 {
		warning = warnings[0]
	}
	return fmt.Sprintf("%d %s %s data=%s type=%s warnings=%d %s", response.StatusCode(), kind, name, data,
		response.Header("CONTENT-type"), len(warnings), warning)
}

func failed(e *ksr.Error) string {
	done := 0
	if e.MaybeDone {
		done = 1
	}
	return fmt.Sprintf("%v http=%d reason=%s maybe_done=%d details=%s", e.Code, e.HTTPStatus, e.Reason, done, e.Details)
}
