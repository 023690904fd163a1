package main

import (
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
)

const annotationSent = "bench.ksr.test/sent"

func newProgress(objects int) *progress {
	return &progress{objects: objects, listed: make(chan time.Time, 1), goal: make(chan uint64, 1),
		reached: make(chan struct{}, 1)}
}

func (p *progress) OnAdd(any, bool) {
	if p.added++; p.added == p.objects {
		p.listed <- time.Now()
	}
}

func (p *progress) OnUpdate(_, object any) {
	pod, err := meta.Accessor(object)
	if err != nil {
		return
	}
	if p.wanted == 0 {
		p.wanted = <-p.goal
	}
	if p.delays != nil {
		sent, _ := strconv.ParseInt(pod.GetAnnotations()[annotationSent], 10, 64)
		p.delays = append(p.delays, time.Now().UnixNano()-sent)
	}
	if version, _ := strconv.ParseUint(pod.GetResourceVersion(), 10, 64); version >= p.wanted {
		p.wanted = 0
		p.reached <- struct{}{}
	}
}

func (p *progress) OnDelete(any) {}
