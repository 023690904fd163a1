package ksr

// #include "bridge.h"
import "C"

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// Request is what Client.Do asks for: a verb on a resource, or a method and a path.
//
//	&ksr.Request{Verb: "create", Resource: "v1/pods", Namespace: ns, Name: pod, Subresource: "eviction", Body: eviction}
//	&ksr.Request{Path: "/openapi/v3"}
//
// It is read, and its body copied, before Do sends anything; it may serve any number of requests. Since 0.2.
type Request struct {
	// Verb is get, list, create, update, patch, apply, delete or deletecollection; "" with a Path.
	Verb string
	// Method and Path are a raw request; "" is GET. The path is percent-encoded, with or without a query.
	Method, Path string
	// Resource is as in Config, such as "v1/pods", "apps/v1/deployments" or "deploy".
	Resource, Namespace, Name, Subresource string
	// Body is JSON, unless the header Content-Type says otherwise.
	Body []byte
	// Query has more parameters of the URL.
	Query url.Values
	// Header has more headers, Accept and Content-Type included, but none that frames a message or holds credentials.
	Header http.Header
	// Params has any other key that CONFIGURATION.md lists under "Requests", such as "dry_run": "true"; of a channel, under
	// "Channels".
	Params map[string]string

	lists   []listParam // of a channel
	onEvent func(Event)
}

// RequestOption is for Get and the other verbs of a Client, and for its channels; see WithParam. Since 0.2.
type RequestOption func(*Request)

// WithParam sets any key that CONFIGURATION.md lists under "Requests" or "Channels", such as "accept" or "max_body".
func WithParam(key, value string) RequestOption {
	return func(r *Request) {
		if r.Params == nil {
			r.Params = map[string]string{}
		}
		r.Params[key] = value
	}
}

// WithSubresource is for "status", "scale" and the like.
func WithSubresource(name string) RequestOption { return func(r *Request) { r.Subresource = name } }

// WithHeader sets a header.
func WithHeader(name, value string) RequestOption {
	return func(r *Request) {
		if r.Header == nil {
			r.Header = http.Header{}
		}
		r.Header.Set(name, value)
	}
}

// WithQuery adds a parameter of the URL.
func WithQuery(name, value string) RequestOption {
	return func(r *Request) {
		if r.Query == nil {
			r.Query = url.Values{}
		}
		r.Query.Add(name, value)
	}
}

// WithLabelSelector is for List and DeleteCollection, as kubectl's -l.
func WithLabelSelector(selector string) RequestOption { return WithParam("label_selector", selector) }

// WithFieldSelector is for List and DeleteCollection.
func WithFieldSelector(selector string) RequestOption { return WithParam("field_selector", selector) }

// WithFieldManager names who writes.
func WithFieldManager(name string) RequestOption { return WithParam("field_manager", name) }

// WithForce is for Apply: it takes fields over from other managers.
func WithForce() RequestOption { return WithParam("force", "true") }

// WithDryRun has a write checked by the server, not stored.
func WithDryRun() RequestOption { return WithParam("dry_run", "true") }

// WithFieldValidation is "Ignore", "Warn" or "Strict".
func WithFieldValidation(how string) RequestOption { return WithParam("field_validation", how) }

// WithPropagation is for Delete and DeleteCollection: "Orphan", "Background" or "Foreground".
func WithPropagation(policy string) RequestOption { return WithParam("propagation", policy) }

// WithGracePeriod is for Delete and DeleteCollection; whole seconds, rounded up.
func WithGracePeriod(period time.Duration) RequestOption {
	seconds := (min(period, longestGrace) + time.Second - 1) / time.Second
	return WithParam("grace_period", strconv.FormatInt(int64(seconds), 10))
}

// WithPreconditionUID is for Delete: only the object with this uid is deleted.
func WithPreconditionUID(uid string) RequestOption { return WithParam("precondition_uid", uid) }

// WithTimeout bounds the whole request with its retries, 30 s otherwise; 0: without a limit; a hundred years is the
// longest, also of deadlines. A context's deadline that comes earlier counts.
func WithTimeout(timeout time.Duration) RequestOption {
	return WithParam("timeout", milliseconds(timeout))
}

// What the library takes at most.
const (
	longestDuration = 36_600 * 24 * time.Hour
	longestGrace    = 0x7fffffff * time.Second
)

// milliseconds is rounded up: a limit of nothing would mean none.
func milliseconds(duration time.Duration) string {
	rounded := (min(max(duration, 0), longestDuration) + time.Millisecond - 1) / time.Millisecond
	return strconv.FormatInt(int64(rounded), 10) + "ms"
}

// PatchType is how Client.Patch changes an object. Since 0.2.
type PatchType string

const (
	JSONPatch      PatchType = "json"      // RFC 6902
	MergePatch     PatchType = "merge"     // RFC 7386
	StrategicPatch PatchType = "strategic" // Kubernetes' own; not for custom resources
)

// bodyOf is what the verbs take as a body: bytes and strings as they are, all else as json.Marshal writes it.
func bodyOf(value any) ([]byte, error) {
	switch body := value.(type) {
	case nil:
		return nil, nil
	case []byte:
		return body, nil
	case json.RawMessage:
		return body, nil
	case string:
		return []byte(body), nil
	case Object:
		return body.JSON(), nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("ksr: the body of the request: %w", err)
	}
	return text, nil
}

// build makes what ksr_request_open takes, with the time that ctx leaves.
func (r *Request) build(ctx context.Context) (*C.ksr_params, error) {
	var params *C.ksr_params
	if status := C.ksr_params_new(&params); status != C.KSR_OK {
		return nil, failure(status, nil, "ksr_params_new")
	}
	if err := r.fill(params, ctx); err != nil {
		C.ksr_params_free(params)
		return nil, err
	}
	return params, nil
}

func (r *Request) fill(params *C.ksr_params, ctx context.Context) error {
	named := []struct{ key, value string }{
		{"verb", r.Verb}, {"method", r.Method}, {"path", r.Path}, {"resource", r.Resource},
		{"namespace", r.Namespace}, {"name", r.Name}, {"subresource", r.Subresource},
	}
	for _, field := range named {
		if field.value == "" {
			continue
		}
		if err := setParam(params, field.key, field.value, false); err != nil {
			return err
		}
	}
	// In order, so that of several bad ones always the same is named.
	for _, key := range slices.Sorted(maps.Keys(r.Params)) {
		if err := setParam(params, key, r.Params[key], false); err != nil {
			return err
		}
	}
	for _, list := range r.lists {
		for _, value := range list.values {
			if err := setParam(params, list.key, value, true); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Query)) {
		for _, value := range r.Query[name] {
			if err := setParam(params, "query."+name, value, true); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if err := setParam(params, "header."+name, strings.Join(r.Header[name], ", "), false); err != nil {
			return err
		}
	}
	if deadline, is := ctx.Deadline(); is {
		if timeout := earlier(time.Until(deadline), r.Params["timeout"]); timeout != "" {
			if err := setParam(params, "timeout", timeout, false); err != nil {
				return err
			}
		}
	}
	if len(r.Body) == 0 {
		return nil
	}
	var e *C.ksr_error
	return failure(C.ksr_params_body(params, unsafe.Pointer(&r.Body[0]), C.size_t(len(r.Body)), &e), e, "the body")
}

// earlier is the timeout that a deadline means; "" when the request's own is shorter.
func earlier(left time.Duration, own string) string {
	if limit, err := time.ParseDuration(own); err == nil && limit > 0 && limit < left {
		return ""
	}
	return milliseconds(max(left, time.Millisecond))
}

func setParam(params *C.ksr_params, key, value string, add bool) error {
	name := cString(key)
	if name == nil {
		return &Error{Code: ErrUnknownKey, Message: "a key of the request holds a NUL byte", Fatal: true}
	}
	text := cString(value)
	if text == nil {
		return &Error{Code: ErrInvalid, Message: key + ": the value holds a NUL byte", Fatal: true}
	}
	var e *C.ksr_error
	if add {
		return failure(C.ksr_params_add(params, name.c(), text.c(), &e), e, key)
	}
	return failure(C.ksr_params_set(params, name.c(), text.c(), &e), e, key)
}
