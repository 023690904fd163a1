package ksr

import "encoding/json"

// Status is the Status object with which an API server refuses a request (meta/v1). Fields that it has not sent are
// zero: none can be relied on. Since 0.2.
type Status struct {
	Status  string         `json:"status"`
	Message string         `json:"message"`
	Reason  string         `json:"reason"`
	Code    int            `json:"code"`
	Details *StatusDetails `json:"details"`
}

// StatusDetails names the object that was refused, and why. Since 0.2.
type StatusDetails struct {
	Name   string        `json:"name"`
	Group  string        `json:"group"`
	Kind   string        `json:"kind"`
	UID    string        `json:"uid"`
	Causes []StatusCause `json:"causes"`
	// RetryAfterSeconds is in seconds.
	RetryAfterSeconds int `json:"retryAfterSeconds"`
}

// StatusCause is one cause, such as a field in conflict: reason "FieldManagerConflict", field ".data.k". Since 0.2.
type StatusCause struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Field   string `json:"field"`
}

// Status decodes Details, anew at each call; nil without a Status object. Since 0.2.
func (e *Error) Status() *Status {
	if e == nil || e.Details == "" {
		return nil
	}
	status := new(Status)
	if json.Unmarshal([]byte(e.Details), status) != nil {
		return nil
	}
	return status
}
