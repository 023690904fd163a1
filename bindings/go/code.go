package ksr

// #include "bridge.h"
import "C"

// Code is a status of the library. It is an error itself, so that errors.Is(err, ksr.NotFound) works on every error of
// this package. Later libraries may know more codes than are named here.
type Code int32

const (
	Invalid       Code = C.KSR_E_INVALID        // an argument or a value that is not valid; a stream that is closed
	NoMemory      Code = C.KSR_E_NOMEM          // out of memory
	Internal      Code = C.KSR_E_INTERNAL       // a defect of the library
	UnknownKey    Code = C.KSR_E_UNKNOWN_KEY    // no such config key, or no such statistic
	WouldDeadlock Code = C.KSR_E_WOULD_DEADLOCK // Close inside a callback of the same stream
	Forked        Code = C.KSR_E_FORKED         // called in a child of fork()
	Cancelled     Code = C.KSR_E_CANCELLED      // the stream was cancelled or closed
	Timeout       Code = C.KSR_E_TIMEOUT        // the time limit was exceeded
	Transport     Code = C.KSR_E_TRANSPORT      // the server could not be reached, or the connection broke
	TLS           Code = C.KSR_E_TLS            // the handshake failed: a certificate, a name, a version
	Protocol      Code = C.KSR_E_PROTOCOL       // the server does not speak as it should
	TooLarge      Code = C.KSR_E_TOO_LARGE      // an object above max_object_size
	Auth          Code = C.KSR_E_AUTH           // 401
	Forbidden     Code = C.KSR_E_FORBIDDEN      // 403
	NotFound      Code = C.KSR_E_NOT_FOUND      // 404
	Gone          Code = C.KSR_E_GONE           // 410: the resourceVersion is too old
	Throttled     Code = C.KSR_E_THROTTLED      // 429
	Server        Code = C.KSR_E_SERVER         // any other HTTP status that is an error
)

// String is the name in ksr.h, such as "KSR_E_GONE".
func (c Code) String() string { return C.GoString(C.ksr_status_name(C.ksr_status(c))) }

// Error is the same as String.
func (c Code) Error() string { return c.String() }
