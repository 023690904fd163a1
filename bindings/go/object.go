package ksr

// #include "bridge.h"
import "C"

import (
	"iter"
	"time"
	"unsafe"
)

// Object is one Kubernetes object. It is lent by a Snapshot and lives as long, or, once retained, until its own
// Release. The zero Object has no fields.
type Object struct {
	c     *C.ksr_object
	ref   *ref
	owned bool
}

// Retain returns a reference that outlives the snapshot and keeps nothing else of it. Release ends it.
func (o Object) Retain() Object {
	if o.ref == nil {
		return o
	}
	o.ref.enter()
	defer o.ref.leave()
	c := C.ksr_object_retain(o.c)
	return Object{c: c, ref: newRef(func() { C.ksr_object_release(c) }), owned: true}
}

// Release releases a retained object and its bytes. It may be called again. It does nothing to an object that is lent.
func (o Object) Release() {
	if o.owned {
		o.ref.release()
	}
}

// JSON is the whole object; "kind" and "apiVersion" are always there. The bytes are the library's: read only, and only
// until the release of the snapshot or object.
func (o Object) JSON() []byte {
	if o.ref == nil {
		return nil
	}
	o.ref.enter()
	defer o.ref.leave()
	return view(C.ksr_go_field(o.c, C.KSR_FIELD_JSON))
}

// Get is the raw JSON of the value that a JSON pointer (RFC 6901, such as "/status/phase") names; nil when there is
// none. In a name / is written ~1, as in "/metadata/labels/app.kubernetes.io~1name". A string comes with its quotes and
// escapes. The bytes are the library's, see JSON.
func (o Object) Get(pointer string) []byte {
	text := cString(pointer)
	if o.ref == nil || text == nil {
		return nil
	}
	o.ref.enter()
	defer o.ref.leave()
	return view(C.ksr_go_get(o.c, text.c()))
}

// GetString is the string that a JSON pointer names, decoded, and whether there is one. Since 0.2.
func (o Object) GetString(pointer string) (string, bool) {
	return o.decoded(pointer, func(at *C.char, to *C.char, size C.size_t) C.int64_t {
		return C.ksr_object_get_string(o.c, at, to, size)
	})
}

// GetInt is the integer that a JSON pointer names, and whether there is one that fits. Since 0.2.
func (o Object) GetInt(pointer string) (int64, bool) {
	var value C.int64_t
	found := o.ask(pointer, func(at *C.char) bool { return C.ksr_object_get_int64(o.c, at, &value) == 1 })
	return int64(value), found
}

// GetFloat is the number that a JSON pointer names, and whether there is one. Since 0.2.
func (o Object) GetFloat(pointer string) (float64, bool) {
	var value C.double
	found := o.ask(pointer, func(at *C.char) bool { return C.ksr_object_get_double(o.c, at, &value) == 1 })
	return float64(value), found
}

// GetBool is the true or false that a JSON pointer names, and whether there is one. Since 0.2.
func (o Object) GetBool(pointer string) (value, found bool) {
	var number C.int
	found = o.ask(pointer, func(at *C.char) bool { return C.ksr_object_get_bool(o.c, at, &number) == 1 })
	return number == 1, found
}

// GetTime is the RFC 3339 time that a JSON pointer names, in whole milliseconds and UTC, and whether there is one. Since
// 0.2.
func (o Object) GetTime(pointer string) (time.Time, bool) {
	var value C.int64_t
	if !o.ask(pointer, func(at *C.char) bool { return C.ksr_object_get_time(o.c, at, &value) == 1 }) {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(value)).UTC(), true
}

// SizeOf is how many elements the array, or members the object, has that a JSON pointer names; -1 when neither is there.
// Since 0.2.
func (o Object) SizeOf(pointer string) int {
	size := C.int64_t(-1)
	o.ask(pointer, func(at *C.char) bool { size = C.ksr_object_size(o.c, at); return true })
	return int(size)
}

// KeysOf runs over the decoded names of the members of the object that a JSON pointer names, in the order of the text.
// Since 0.2.
func (o Object) KeysOf(pointer string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := C.size_t(0); ; i++ {
			key, is := o.decoded(pointer, func(at *C.char, to *C.char, size C.size_t) C.int64_t {
				return C.ksr_object_key(o.c, at, i, to, size)
			})
			if !is || !yield(key) {
				return
			}
		}
	}
}

// Column is the text of a column of the config key "columns", from 0, as it was read when the object was stored: a string
// decoded, of anything else its JSON, "" where there is nothing. False: the stream has no such column. Since 0.2.
func (o Object) Column(i int) (string, bool) {
	if o.ref == nil || i < 0 {
		return "", false
	}
	o.ref.enter()
	defer o.ref.leave()
	text := C.ksr_go_column(o.c, C.size_t(i))
	return string(view(text)), text.data != nil
}

// Columns are all columns of the object. Since 0.2.
func (o Object) Columns() []string {
	var all []string
	for i := 0; ; i++ {
		text, is := o.Column(i)
		if !is {
			return all
		}
		all = append(all, text)
	}
}

// ask calls f with the pointer, while the object is held; false for the zero Object and a pointer with a NUL byte.
func (o Object) ask(pointer string, f func(*C.char) bool) bool {
	text := cString(pointer)
	if o.ref == nil || text == nil {
		return false
	}
	o.ref.enter()
	defer o.ref.leave()
	return f(text.c())
}

// decoded is the text that write writes into so much room, and whose whole length it returns; -1: there is none.
func (o Object) decoded(pointer string, write func(at, to *C.char, size C.size_t) C.int64_t) (string, bool) {
	var text []byte
	found := o.ask(pointer, func(at *C.char) bool {
		size := write(at, nil, 0)
		if size >= 0 {
			text = make([]byte, size+1)
			write(at, (*C.char)(unsafe.Pointer(&text[0])), C.size_t(len(text)))
		}
		return size >= 0
	})
	if !found {
		return "", false
	}
	return string(text[:len(text)-1]), true
}

// UID is metadata.uid.
func (o Object) UID() string { return o.text(C.KSR_FIELD_UID) }

// Namespace is metadata.namespace, "" for a cluster-scoped object.
func (o Object) Namespace() string { return o.text(C.KSR_FIELD_NAMESPACE) }

// Name is metadata.name.
func (o Object) Name() string { return o.text(C.KSR_FIELD_NAME) }

// ResourceVersion is metadata.resourceVersion.
func (o Object) ResourceVersion() string { return o.text(C.KSR_FIELD_RESOURCE_VERSION) }

// Kind is such as "Pod".
func (o Object) Kind() string { return o.text(C.KSR_FIELD_KIND) }

// APIVersion is such as "apps/v1".
func (o Object) APIVersion() string { return o.text(C.KSR_FIELD_API_VERSION) }

// CreationTimestamp is metadata.creationTimestamp, as the server wrote it.
func (o Object) CreationTimestamp() string { return o.text(C.KSR_FIELD_CREATION_TIMESTAMP) }

func (o Object) text(field C.ksr_field) string {
	if o.ref == nil {
		return ""
	}
	o.ref.enter()
	defer o.ref.leave()
	return string(view(C.ksr_go_field(o.c, field)))
}
