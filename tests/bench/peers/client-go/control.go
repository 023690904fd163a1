package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

type serverState struct {
	Objects    int    `json:"objects"`
	Goal       uint64 `json:"goal"`
	VersionSum uint64 `json:"version_sum"`
	Watchers   int    `json:"watchers"`
}

// Requests to the replay server; /control/go starts events.
func ask(control, path string) (state serverState, err error) {
	answer, err := http.Get(control + "/control/" + path)
	if err != nil {
		return state, err
	}
	defer answer.Body.Close()
	return state, json.NewDecoder(answer.Body).Decode(&state)
}

func waitForWatch(control string) error {
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if state, err := ask(control, "state"); err != nil || state.Watchers > 0 {
			return err
		}
	}
	return fmt.Errorf("no watch was opened within 2 minutes")
}
