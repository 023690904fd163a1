package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
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
	case "run":
		return run(client, pairs(words)), nil, true
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

// run opens a channel and reads it to its end.
func run(client *ksr.Client, keys map[string]string) string {
	ctx := context.Background()
	kind, namespace, name, written := keys["kind"], keys["namespace"], keys["name"], keys["in"]
	var options []ksr.RequestOption
	for key, value := range keys {
		switch key {
		case "kind", "namespace", "name", "in", "command":
		case "port":
			if kind != "portforward" {
				options = append(options, ksr.WithParam(key, value))
			}
		default:
			options = append(options, ksr.WithParam(key, value))
		}
	}
	var out, errors string
	code := "-"
	var err error
	read := func(from io.Reader) string {
		if from == nil {
			return ""
		}
		all, failed := io.ReadAll(from)
		err = cmp.Or(err, failed)
		return strings.ReplaceAll(string(all), "\n", "|")
	}
	switch kind {
	case "exec":
		var command *ksr.Exec
		if command, err = client.Exec(ctx, namespace, name, []string{keys["command"]}, options...); err != nil {
			break
		}
		defer command.Close()
		if written != "" {
			command.Stdin.Write([]byte(written))
			command.Stdin.Close()
		}
		out, errors = read(command.Stdout), read(command.Stderr)
		number, failed := command.Wait()
		if (err == nil) != (failed == nil) {
			say("broken %s %v %v", kind, err, failed)
		}
		if err = failed; err == nil {
			code = fmt.Sprint(number)
		}
	case "portforward":
		port, _ := strconv.Atoi(keys["port"])
		var conn *ksr.PortForward
		if conn, err = client.PortForward(ctx, namespace, name, port, options...); err != nil {
			break
		}
		defer conn.Close()
		conn.Write([]byte(written))
		out = read(conn)
	case "log":
		var log *ksr.Log
		if log, err = client.OpenLog(ctx, namespace, name, options...); err != nil {
			break
		}
		defer log.Close()
		out = read(log)
	}
	if e, is := err.(*ksr.Error); is {
		return fmt.Sprintf("%s out=%s err=%s", failed(e), out, errors)
	}
	return fmt.Sprintf("code=%s out=%s err=%s", code, out, errors)
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
