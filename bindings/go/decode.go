package ksr

import (
	"encoding/json"
	"fmt"
)

// Decode unmarshals an object into a T, such as a corev1.Pod or a struct with the few fields that matter. The result is
// a copy and needs no Retain.
func Decode[T any](object Object) (T, error) {
	return decode[T](object, "", Object.JSON)
}

// DecodeAt unmarshals the value that a JSON pointer (RFC 6901, such as "/spec/containers") names. Without one the error
// is ErrNotFound.
func DecodeAt[T any](object Object, pointer string) (T, error) {
	return decode[T](object, pointer, func(o Object) []byte { return o.Get(pointer) })
}

func decode[T any](object Object, pointer string, bytes func(Object) []byte) (T, error) {
	var value T
	if object.ref == nil {
		return value, &Error{Code: ErrInvalid, Message: "Decode: the object is the zero Object", Fatal: true}
	}
	object.ref.enter()
	defer object.ref.leave()
	text := bytes(object)
	if text == nil {
		what := fmt.Sprintf("Decode: %s/%s has no %s", object.Namespace(), object.Name(), pointer)
		return value, &Error{Code: ErrNotFound, Message: what, Fatal: true}
	}
	if err := json.Unmarshal(text, &value); err != nil {
		what := fmt.Sprintf("%s/%s %s", object.Namespace(), object.Name(), pointer)
		return value, fmt.Errorf("ksr: Decode: %s into %T: %w", what, value, err)
	}
	return value, nil
}
