// What client-go's informers need for the same work as libksr: one line of JSON with the measurements.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/cache"
)

var (
	server      = flag.String("server", "", "URL of the API server")
	control     = flag.String("control", "", "URL of the replay server's control")
	certificate = flag.String("ca_file", "", "the CA of an https server")
	mode        = flag.String("mode", "protobuf", "protobuf, json or dynamic; calls: gets of one object")
	events      = flag.Int("events", 200_000, "how many events to watch")
	rate        = flag.Int("rate", 0, "events a second, to measure delays; 0: as fast as they come")
	token       = flag.String("token", "", "bearer token")
	resource    = flag.String("resource", "v1/pods", "what to watch, in the mode dynamic")
	objects     = flag.Int("objects", 0, "of a real API server, which has no control: how many objects it has")
	pod         = flag.String("pod", "default/pod", "of which pod there are gets, in the mode calls")
	settle      = flag.Float64("settle", 2, "seconds to wait before memory counts as settled")
)

func main() {
	flag.Parse()
	report := map[string]any{}
	work := measure
	if *mode == "calls" {
		work = measureCalls
	} else if *control == "" {
		work = measureReal
	}
	if err := work(report); err != nil {
		log.Fatal("client-go ", *mode, ": ", err)
	}
	if len(report) > 0 {
		json.NewEncoder(os.Stdout).Encode(report)
	}
}

func measure(report map[string]any) error {
	state, err := ask(*control, "state")
	if err != nil {
		return err
	}
	informer, err := newInformer(*mode, *server, *certificate)
	if err != nil {
		return err
	}
	seen := newProgress(state.Objects)
	if _, err = informer.AddEventHandler(seen); err != nil {
		return err
	}
	begin, cpu := time.Now(), cpuSeconds()
	go informer.RunWithContext(context.Background())
	report["list_seconds"] = (<-seen.listed).Sub(begin).Seconds()
	report["list_cpu_seconds"] = cpuSeconds() - cpu
	if err = waitForWatch(*control); err != nil {
		return err
	}
	report["objects"] = state.Objects
	report["peak_list_bytes"] = memory("VmHWM")
	report["resident_list_bytes"] = settled()
	if err = watchEvents(seen, report); err != nil {
		return err
	}
	report["peak_watch_bytes"] = memory("VmHWM")
	report["resident_watch_bytes"] = settled()
	debug.FreeOSMemory()
	report["resident_freed_bytes"] = memory("VmRSS") // the minimum for Go
	return addCorrect(informer, report)
}

// Garbage is collected, but memory that the runtime then retains stays with the process, as it does in programs.
func settled() uint64 {
	time.Sleep(time.Duration(*settle * float64(time.Second)))
	collect()
	return memory("VmRSS")
}

func watchEvents(seen *progress, report map[string]any) error {
	if *rate > 0 {
		seen.delays = make([]int64, 0, *events)
	}
	resetPeak()
	begin, cpu := time.Now(), cpuSeconds()
	asked, err := ask(*control, fmt.Sprintf("go?events=%d&rate=%d", *events, *rate))
	if err != nil {
		return err
	}
	seen.goal <- asked.Goal
	<-seen.reached
	report["events"] = *events
	report["events_per_second"] = float64(*events) / time.Since(begin).Seconds()
	report["cpu_us_per_event"] = (cpuSeconds() - cpu) / float64(*events) * 1e6
	if *rate > 0 {
		slices.Sort(seen.delays)
		for name, part := range map[string]float64{"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1} {
			at := min(int(part*float64(len(seen.delays))), len(seen.delays)-1)
			report["delay_"+name+"_us"] = float64(seen.delays[at]) / 1e3
		}
		report["delays_us"] = spread(seen.delays)
	}
	return nil
}

// A few hundred of all delays, in order: enough to draw their distribution.
func spread(sorted []int64) (some []float64) {
	for i := range 200 {
		some = append(some, float64(sorted[i*(len(sorted)-1)/199])/1e3)
	}
	return some
}

func addCorrect(informer cache.SharedIndexInformer, report map[string]any) error {
	state, err := ask(*control, "state")
	if err != nil {
		return err
	}
	sum := uint64(0)
	held := informer.GetStore().List()
	for _, object := range held {
		pod, err := meta.Accessor(object)
		if err != nil {
			return err
		}
		version, _ := strconv.ParseUint(pod.GetResourceVersion(), 10, 64)
		sum += version
	}
	report["correct"] = sum == state.VersionSum && len(held) == state.Objects
	return nil
}
