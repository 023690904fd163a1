//! One Kubernetes object.

use std::ffi::CString;
use std::fmt;
use std::marker::PhantomData;

use ksr_sys as sys;

use crate::text::{bytes, text};
use crate::Snapshot;

/// One version of a Kubernetes object, borrowed from a [`Snapshot`] or an [`OwnedObject`]. Two are equal when they are
/// the same version of the same object in one stream.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Object<'a> {
    object: *const sys::ksr_object,
    lender: PhantomData<&'a Snapshot>,
}

// SAFETY: objects are immutable and may be read on many threads at once.
unsafe impl Send for Object<'_> {}
// SAFETY: the same.
unsafe impl Sync for Object<'_> {}

impl<'a> Object<'a> {
    /// # Safety
    /// `object` is NULL or lives as long as `'a`.
    pub(crate) unsafe fn borrowed(object: *const sys::ksr_object) -> Option<Object<'a>> {
        (!object.is_null()).then_some(Object { object, lender: PhantomData })
    }

    /// The whole object as JSON in UTF-8; `kind` and `apiVersion` are always there. Not copied.
    ///
    /// This crate parses no JSON and brings no parser. With `serde_json` and types of your own, or those of
    /// `k8s-openapi`, it is `serde_json::from_slice::<Pod>(object.json())`, and for one value
    /// `object.get("/status/phase").map(serde_json::from_slice::<String>)`.
    #[must_use]
    pub fn json(self) -> &'a [u8] {
        // SAFETY: the bytes belong to the object.
        unsafe { bytes(|len| sys::ksr_object_field(self.object, sys::KSR_FIELD_JSON, len)) }.unwrap_or_default()
    }

    /// The raw JSON of the value that a JSON pointer (RFC 6901, such as `/status/phase`) names: a string comes with its
    /// quotes and escapes; `/` in a name is `~1`, as in `/metadata/labels/app.kubernetes.io~1name`. A slice of
    /// [`json`](Object::json), not copied. `None` when nothing is there.
    #[must_use]
    pub fn get(self, pointer: &str) -> Option<&'a [u8]> {
        let pointer = CString::new(pointer).ok()?;
        // SAFETY: the bytes belong to the object.
        unsafe { bytes(|len| sys::ksr_object_get(self.object, pointer.as_ptr(), len)) }
    }

    /// `metadata.uid`.
    pub fn uid(self) -> &'a str {
        self.field(sys::KSR_FIELD_UID)
    }

    /// `metadata.namespace`, empty for a cluster-scoped object.
    pub fn namespace(self) -> &'a str {
        self.field(sys::KSR_FIELD_NAMESPACE)
    }

    /// `metadata.name`.
    pub fn name(self) -> &'a str {
        self.field(sys::KSR_FIELD_NAME)
    }

    /// `metadata.resourceVersion`.
    pub fn resource_version(self) -> &'a str {
        self.field(sys::KSR_FIELD_RESOURCE_VERSION)
    }

    /// Such as `Pod`.
    pub fn kind(self) -> &'a str {
        self.field(sys::KSR_FIELD_KIND)
    }

    /// Such as `apps/v1`.
    pub fn api_version(self) -> &'a str {
        self.field(sys::KSR_FIELD_API_VERSION)
    }

    /// `metadata.creationTimestamp`, as the server wrote it.
    pub fn creation_timestamp(self) -> &'a str {
        self.field(sys::KSR_FIELD_CREATION_TIMESTAMP)
    }

    fn field(self, field: sys::ksr_field) -> &'a str {
        // SAFETY: the text belongs to the object.
        unsafe { text(|len| sys::ksr_object_field(self.object, field, len)) }
    }

    /// A reference to the same object that outlives its snapshot and its stream, and keeps nothing else of them.
    #[must_use]
    pub fn retain(self) -> OwnedObject {
        // SAFETY: the object lives as long as 'a.
        OwnedObject { object: unsafe { sys::ksr_object_retain(self.object) } }
    }
}

impl fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({} {}/{} {})", self.kind(), self.namespace(), self.name(), self.resource_version())
    }
}

/// A counted reference to one [`Object`]. A clone is one more reference, not a copy.
pub struct OwnedObject {
    object: *const sys::ksr_object,
}

// SAFETY: objects are immutable, their count is atomic.
unsafe impl Send for OwnedObject {}
// SAFETY: the same.
unsafe impl Sync for OwnedObject {}

impl OwnedObject {
    /// The object, to read it.
    pub fn object(&self) -> Object<'_> {
        Object { object: self.object, lender: PhantomData }
    }
}

impl Clone for OwnedObject {
    fn clone(&self) -> OwnedObject {
        self.object().retain()
    }
}

impl Drop for OwnedObject {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { sys::ksr_object_release(self.object) };
    }
}

impl fmt::Debug for OwnedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object().fmt(f)
    }
}
