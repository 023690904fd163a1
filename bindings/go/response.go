package ksr

// #include "bridge.h"
import "C"

import (
	"encoding/json"
	"fmt"
)

// Response is the answer of the server to a request, always a 2xx: another one is an *Error. It belongs to the caller
// and may outlive its client. Release ends its life, as does the garbage collector, later: release what has a large
// body. Any number of goroutines may read it at once. To use it after its release panics, as a nil or zero one does.
// Since 0.2.
type Response struct {
	c   *C.ksr_response
	ref *ref
}

func adoptResponse(c *C.ksr_response) *Response {
	return &Response{c: c, ref: newRef(func() { C.ksr_response_release(c) })}
}

// Release ends the life of the response, of its Object, and of their bytes. It may be called again, and on nil.
func (r *Response) Release() {
	if r != nil {
		r.ref.release()
	}
}

func (r *Response) enter() *ref {
	if r == nil || r.ref == nil {
		panic("ksr: use of a Response that no request has brought")
	}
	r.ref.enter()
	return r.ref
}

// StatusCode is the HTTP status, 200 to 299.
func (r *Response) StatusCode() int {
	defer r.enter().leave()
	return int(C.ksr_response_http_status(r.c))
}

// Header returns the values of a header, joined with ", "; "" when there is none. The case of name does not matter.
func (r *Response) Header(name string) string {
	defer r.enter().leave()
	text := cString(name)
	if text == nil {
		return ""
	}
	return string(view(C.ksr_go_response_header(r.c, text.c())))
}

// Warnings are the texts with which the server warns, of a deprecated API or an unknown field for example.
func (r *Response) Warnings() []string {
	defer r.enter().leave()
	var warnings []string
	for i := range C.ksr_response_warning_count(r.c) {
		warnings = append(warnings, string(view(C.ksr_go_response_warning(r.c, i))))
	}
	return warnings
}

// Body is what came, decompressed. The bytes are the library's own, not copied: they must not be written, and must not
// be used after the response's release, so keep the response reachable while they are in use (a deferred Release does).
func (r *Response) Body() []byte {
	defer r.enter().leave()
	return view(C.ksr_go_response_body(r.c))
}

// Object is the body as an object, lent until the response's release, and whether it is one: a JSON object.
func (r *Response) Object() (Object, bool) {
	defer r.enter().leave()
	c := C.ksr_response_object(r.c)
	if c == nil {
		return Object{}, false
	}
	return Object{c: c, ref: r.ref}, true
}

// Decode unmarshals the body, which must be JSON, into what the pointer `into` leads to, such as a *corev1.Pod. The
// result is a copy.
func (r *Response) Decode(into any) error {
	defer r.enter().leave()
	if err := json.Unmarshal(view(C.ksr_go_response_body(r.c)), into); err != nil {
		return fmt.Errorf("ksr: the body of the response into %T: %w", into, err)
	}
	return nil
}
