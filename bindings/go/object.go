package ksr

// #include "bridge.h"
import "C"

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
