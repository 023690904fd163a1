// Command ksr-changes prints what changes in a Kubernetes resource, until Ctrl-C:
//
//	ksr-changes [-n NAMESPACE] [-l SELECTOR] [-set KEY=VALUE]... [-v] RESOURCE
//
// The cluster is found as kubectl finds it; -set takes any key of CONFIGURATION.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"ksr.dev/ksr"
)

func main() {
	config := ksr.Config{}
	key := func(name string) func(string) error {
		return func(value string) error { config[name] = value; return nil }
	}
	flag.Func("n", "only this namespace", key("namespace"))
	flag.Func("l", "only objects with these labels", key("label_selector"))
	flag.Func("set", "any `key=value` of CONFIGURATION.md", func(pair string) error {
		name, value, found := strings.Cut(pair, "=")
		if !found {
			return fmt.Errorf("want key=value")
		}
		config[name] = value
		return nil
	})
	verbose := flag.Bool("v", false, "log what the stream does")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	config["resource"] = flag.Arg(0)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := watch(ctx, config, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func watch(ctx context.Context, config ksr.Config, verbose bool) error {
	options := []ksr.Option{ksr.OnError(func(_ *ksr.Stream, err *ksr.Error) {
		slog.Warn(err.Error(), "code", err.Code.String(), "http", err.HTTPStatus, "retry", err.RetryAfter,
			"fatal", err.Fatal)
	})}
	if verbose {
		options = append(options, ksr.OnLog(func(level slog.Level, line string) { slog.Log(ctx, level, line) }))
	}
	stream, err := ksr.Open(ctx, config, options...)
	if err != nil {
		return err
	}
	defer stream.Close()
	for snapshot := range stream.Updates() {
		for kind, object := range snapshot.Deltas() {
			fmt.Printf("%-8s %-12s %s\n", kind, object.Kind(), nameOf(object))
		}
		fmt.Printf("-- %d objects as of %s\n", snapshot.Len(), snapshot.ResourceVersion())
	}
	if ctx.Err() != nil { // Ctrl-C is no failure
		return nil
	}
	return stream.Err()
}

func nameOf(object ksr.Object) string {
	if namespace := object.Namespace(); namespace != "" {
		return namespace + "/" + object.Name()
	}
	return object.Name()
}
