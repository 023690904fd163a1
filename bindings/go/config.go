package ksr

// #include "bridge.h"
import "C"

import (
	"maps"
	"slices"
)

// Config says what to watch, on which server, with which credentials: the keys of CONFIGURATION.md, such as
//
//	ksr.Config{"resource": "apps/v1/deployments", "namespace": "default", "limit": "100"}
//
// "resource" is required. Without "server" and "kubeconfig" the cluster is found as kubectl finds it. "delivery" must
// not be set: the binding sets it.
type Config map[string]string

// build makes what ksr_open takes. Keys go in order, so that of several bad ones always the same is named.
func (c Config) build() (*C.ksr_config, error) {
	var config *C.ksr_config
	if status := C.ksr_config_new(&config); status != C.KSR_OK {
		return nil, failure(status, nil, "ksr_config_new")
	}
	for _, key := range slices.Sorted(maps.Keys(c)) {
		if err := set(config, key, c[key]); err != nil {
			C.ksr_config_free(config)
			return nil, err
		}
	}
	return config, nil
}

func set(config *C.ksr_config, key, value string) error {
	if key == "delivery" {
		return &Error{Code: ErrInvalid, Message: "delivery: cannot be set through the Go binding", Fatal: true}
	}
	name := cString(key)
	if name == nil {
		return &Error{Code: ErrUnknownKey, Message: "a config key holds a NUL byte", Fatal: true}
	}
	text := cString(value)
	if text == nil {
		return &Error{Code: ErrInvalid, Message: key + ": the value holds a NUL byte", Fatal: true}
	}
	var e *C.ksr_error
	return failure(C.ksr_config_set(config, name.c(), text.c(), &e), e, key)
}
