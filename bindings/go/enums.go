package ksr

// #include "bridge.h"
import "C"

import "fmt"

// State is what a stream is doing. Later libraries may know more states than are named here.
type State int32

const (
	Connecting State = C.KSR_STATE_CONNECTING // opening a connection
	Listing    State = C.KSR_STATE_LISTING    // reading the list
	Live       State = C.KSR_STATE_LIVE       // the view is current, and an open watch keeps it current
	Waiting    State = C.KSR_STATE_WAITING    // something failed; the stream tries again by itself
	Closed     State = C.KSR_STATE_CLOSED     // cancelled, closed or failed for good
)

func (s State) String() string {
	switch s {
	case Connecting:
		return "connecting"
	case Listing:
		return "listing"
	case Live:
		return "live"
	case Waiting:
		return "waiting"
	case Closed:
		return "closed"
	}
	return fmt.Sprintf("state %d", int32(s))
}

// DeltaKind says how an object has changed.
type DeltaKind int32

const (
	Added    DeltaKind = C.KSR_DELTA_ADDED
	Modified DeltaKind = C.KSR_DELTA_MODIFIED
	Deleted  DeltaKind = C.KSR_DELTA_DELETED
)

func (k DeltaKind) String() string {
	switch k {
	case Added:
		return "added"
	case Modified:
		return "modified"
	case Deleted:
		return "deleted"
	}
	return fmt.Sprintf("delta %d", int32(k))
}
