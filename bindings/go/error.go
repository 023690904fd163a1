package ksr

// #include "bridge.h"
import "C"

import (
	"fmt"
	"time"
)

// Error is a failure that the library reports. errors.As finds it, and errors.Is finds its Code.
type Error struct {
	Code Code
	// Message is one line for people, without secrets. Its wording may change.
	Message string
	// HTTPStatus is the status of the response; 408 when the server was silent for too long, 502 when it could not be
	// reached or the connection broke, with a Code other than ErrServer; 0 when no request was involved.
	HTTPStatus int
	// Reason is that of the API server's Status object, such as "Expired"; "" without one.
	Reason string
	// Details is the Status object of a refused request as JSON, as the server sent it; "" without one. Status decodes
	// it. Since 0.2.
	Details string
	// MaybeDone: the request may have been carried out all the same: it was sent, and no answer came that says
	// otherwise. Never of what only reads. Since 0.2.
	MaybeDone bool
	// RetryAfter is the time until the stream tries again by itself; 0: at once, or it went on already.
	RetryAfter time.Duration
	// Fatal: there is no next try, and the stream ends. Always of a request, and of what a call returns.
	Fatal bool
}

func (e *Error) Error() string {
	if e.Message == "" {
		return "ksr: " + e.Code.String()
	}
	return "ksr: " + e.Message
}

// Unwrap returns the Code.
func (e *Error) Unwrap() error { return e.Code }

// PanicError ends a stream or client one of whose callbacks panicked.
type PanicError struct {
	// Callback is the option that set it, such as "OnUpdate".
	Callback string
	// Value is what recover returned; nil when the callback called runtime.Goexit.
	Value any
	// Stack is that of the panic.
	Stack []byte
}

func (e *PanicError) Error() string {
	if e.Value == nil {
		return fmt.Sprintf("ksr: the %s callback called runtime.Goexit", e.Callback)
	}
	return fmt.Sprintf("ksr: the %s callback panicked: %v", e.Callback, e.Value)
}

// Unwrap returns Value when it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

func readError(e *C.ksr_error) *Error {
	retry := int64(C.ksr_error_retry_ms(e))
	return &Error{
		Code:       Code(C.ksr_error_code(e)),
		Message:    string(view(C.ksr_go_error_message(e))),
		HTTPStatus: int(C.ksr_error_http_status(e)),
		Reason:     string(view(C.ksr_go_error_reason(e))),
		Details:    string(view(C.ksr_go_error_details(e))),
		MaybeDone:  C.ksr_error_maybe_done(e) == 1,
		RetryAfter: time.Duration(max(retry, 0)) * time.Millisecond,
		Fatal:      retry < 0,
	}
}

// failure makes a Go error of what a call returned, and frees e.
func failure(status C.ksr_status, e *C.ksr_error, what string) error {
	if status == C.KSR_OK {
		return nil
	}
	if e == nil {
		return &Error{Code: Code(status), Message: what + ": " + Code(status).String(), Fatal: true}
	}
	defer C.ksr_error_free(e)
	return readError(e)
}
