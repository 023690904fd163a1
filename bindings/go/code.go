package ksr

// #include "bridge.h"
import "C"

// Code is a status of the library. It is an error itself, so that errors.Is(err, ksr.ErrNotFound) works on every error
// of this package. Each code has one name here, which is that of ksr.h: ErrGone is KSR_E_GONE. Later libraries may know
// more codes than are named here.
type Code int32

const (
	ErrInvalid       Code = C.KSR_E_INVALID        // an argument or a value that is not valid; a stream or client that is closed
	ErrNoMemory      Code = C.KSR_E_NOMEM          // out of memory, descriptors or threads
	ErrInternal      Code = C.KSR_E_INTERNAL       // a defect of the library
	ErrUnknownKey    Code = C.KSR_E_UNKNOWN_KEY    // no such key, or no such statistic
	ErrWouldDeadlock Code = C.KSR_E_WOULD_DEADLOCK // Close inside a callback of the same stream or client
	ErrForked        Code = C.KSR_E_FORKED         // called in a child of fork()
	ErrCancelled     Code = C.KSR_E_CANCELLED      // the stream, client or request was cancelled or closed
	ErrTimeout       Code = C.KSR_E_TIMEOUT        // the time limit was exceeded
	ErrUnsupported   Code = C.KSR_E_UNSUPPORTED    // the protocol that was agreed on with the server cannot do it
	ErrTransport     Code = C.KSR_E_TRANSPORT      // the server could not be reached, or the connection broke
	ErrTLS           Code = C.KSR_E_TLS            // the handshake failed: a certificate, a name, a version
	ErrProtocol      Code = C.KSR_E_PROTOCOL       // the server does not speak as it should
	ErrTooLarge      Code = C.KSR_E_TOO_LARGE      // an object above max_object_size, or an answer above max_body
	ErrLost          Code = C.KSR_E_LOST           // it ended without saying how
	ErrAuth          Code = C.KSR_E_AUTH           // 401
	ErrForbidden     Code = C.KSR_E_FORBIDDEN      // 403
	ErrNotFound      Code = C.KSR_E_NOT_FOUND      // 404
	ErrGone          Code = C.KSR_E_GONE           // 410: the resourceVersion is too old
	ErrThrottled     Code = C.KSR_E_THROTTLED      // 429
	ErrServer        Code = C.KSR_E_SERVER         // any other HTTP status that is an error
	ErrConflict      Code = C.KSR_E_CONFLICT       // 409, of a request
	ErrRejected      Code = C.KSR_E_REJECTED       // 400, 405, 406, 413, 415, 422, of a request: the server does not take it
)

// String is the name in ksr.h, such as "KSR_E_GONE".
func (c Code) String() string { return C.GoString(C.ksr_status_name(C.ksr_status(c))) }

// Error is the same as String.
func (c Code) Error() string { return c.String() }
