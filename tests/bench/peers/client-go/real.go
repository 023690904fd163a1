package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/cache"
)

// Reads each change, as libksr's host does.
type counter struct {
	objects int64
	listed  chan time.Time
	added   int64
	changes atomic.Int64
	newest  uint64
}

func (c *counter) OnAdd(object any, _ bool) {
	c.read(object)
	if c.added++; c.added == c.objects {
		c.listed <- time.Now()
	}
}

func (c *counter) OnUpdate(_, object any) { c.read(object) }
func (c *counter) OnDelete(object any)    { c.read(object) }

func (c *counter) read(object any) {
	c.newest = max(c.newest, versionOf(object))
	c.changes.Add(1)
}

func versionOf(object any) uint64 {
	held, err := meta.Accessor(object)
	if err != nil {
		return 0
	}
	version, _ := strconv.ParseUint(held.GetResourceVersion(), 10, 64)
	return version
}

// On a real API server: until the handler has all objects; then each line of standard input is answered by a line of JSON.
func measureReal(report map[string]any) error {
	begin, cpu := time.Now(), cpuSeconds()
	informer, err := newInformer(*mode, *server, *certificate)
	if err != nil {
		return err
	}
	seen := &counter{objects: int64(*objects), listed: make(chan time.Time, 1)}
	if _, err = informer.AddEventHandler(seen); err != nil {
		return err
	}
	go informer.RunWithContext(context.Background())
	report["list_seconds"] = (<-seen.listed).Sub(begin).Seconds()
	report["list_cpu_seconds"] = cpuSeconds() - cpu
	if err = json.NewEncoder(os.Stdout).Encode(report); err != nil {
		return err
	}
	return answerQuestions(informer, seen, report)
}

func answerQuestions(informer cache.SharedIndexInformer, seen *counter, report map[string]any) error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		answer := map[string]any{}
		switch lines.Text() {
		case "cpu":
			answer["cpu_seconds"], answer["changes"] = cpuSeconds(), seen.changes.Load()
		case "memory":
			answer["peak_bytes"] = memory("VmHWM")
			collect()
			answer["resident_bytes"] = memory("VmRSS")
			debug.FreeOSMemory()
			answer["resident_freed_bytes"] = memory("VmRSS") // the minimum for Go
		case "held":
			sum, held := uint64(0), informer.GetStore().List()
			for _, object := range held {
				sum += versionOf(object)
			}
			answer["objects"], answer["version_sum"] = len(held), sum
		default:
			return fmt.Errorf("cannot answer %q", lines.Text())
		}
		if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
			return err
		}
	}
	clear(report) // all has been said
	return lines.Err()
}
