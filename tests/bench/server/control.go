package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Starts events: `events` of them, at once or at `rate` a second, on every pod in turn or on the `newest` ones.
func (s *server) goOn(w http.ResponseWriter, r *http.Request) {
	number := func(name string) int {
		value, _ := strconv.Atoi(r.URL.Query().Get(name))
		return value
	}
	events, rate, newest := number("events"), number("rate"), number("newest")
	if newest > s.history.objects || events < 0 || rate < 0 {
		http.Error(w, "newest is more than there are", http.StatusBadRequest)
		return
	}
	s.paced.Store(rate > 0)
	if rate == 0 {
		s.history.advance(events, newest)
	} else {
		go s.pace(events, rate, newest)
	}
	s.writeState(w, firstVersion+s.goal(events))
}

// The number of events that will have happened.
func (s *server) goal(events int) int {
	if s.paced.Load() {
		return s.history.version() - firstVersion + events
	}
	return s.history.version() - firstVersion
}

func (s *server) pace(events, rate, newest int) {
	begin := time.Now()
	for i := range events {
		time.Sleep(time.Until(begin.Add(time.Second * time.Duration(i) / time.Duration(rate))))
		s.history.advance(1, newest)
	}
}

func (s *server) state(w http.ResponseWriter, _ *http.Request) {
	s.writeState(w, s.history.version())
}

// version_sum, over all pods, is what a client that missed nothing holds.
func (s *server) writeState(w http.ResponseWriter, goal int) {
	w.Header().Set("Content-Type", mediaJSON)
	json.NewEncoder(w).Encode(map[string]any{"objects": s.history.objects, "resource_version": s.history.version(),
		"goal": goal, "version_sum": s.history.versionSum(), "watchers": s.watchers.Load()})
}
