package ksr

import "log/slog"

// Option is for Open.
type Option func(*callbacks)

type callbacks struct {
	update func(*Stream, *Snapshot)
	err    func(*Stream, *Error)
	state  func(*Stream, State)
	log    func(slog.Level, string)
}

// The options' names, for PanicError.
const (
	onUpdate = "OnUpdate"
	onError  = "OnError"
	onState  = "OnState"
	onLog    = "OnLog"
)

// OnUpdate has f called when the view has changed; the first call brings the complete list. The snapshot is lent until
// f returns. f may be called before Open returns.
func OnUpdate(f func(*Stream, *Snapshot)) Option { return func(c *callbacks) { c.update = f } }

// OnError has f called when something failed; see Stream.Errors for the same as a loop. f may be called before Open
// returns.
func OnError(f func(*Stream, *Error)) Option { return func(c *callbacks) { c.err = f } }

// OnState has f called when the state changes. Closed comes once, as the last callback. f may be called before Open
// returns.
func OnState(f func(*Stream, State)) Option { return func(c *callbacks) { c.state = f } }

// OnLog has f called with lines about what the stream does; no secrets are in them. f may be called before Open
// returns.
func OnLog(f func(slog.Level, string)) Option { return func(c *callbacks) { c.log = f } }

// levelOf maps syslog's levels to those of slog, "notice" to one between info and warning.
func levelOf(syslog int32) slog.Level {
	switch {
	case syslog <= 3:
		return slog.LevelError
	case syslog == 4:
		return slog.LevelWarn
	case syslog == 5:
		return slog.LevelInfo + 2
	case syslog == 6:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
