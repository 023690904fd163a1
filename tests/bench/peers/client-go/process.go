package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// User and system time of the process.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	seconds := func(time syscall.Timeval) float64 { return float64(time.Sec) + float64(time.Usec)*1e-6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

// A line of /proc/self/status in bytes, such as VmRSS or VmHWM.
func memory(name string) (bytes uint64) {
	status, _ := os.ReadFile("/proc/self/status")
	if _, rest, found := strings.Cut(string(status), name+":"); found {
		fmt.Sscan(rest, &bytes)
	}
	return bytes * 1024
}

func resetPeak() { os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

func collect() {
	runtime.GC()
	runtime.GC()
}
