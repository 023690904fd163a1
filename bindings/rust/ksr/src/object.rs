//! One Kubernetes object.

use std::borrow::Cow;
use std::ffi::CString;
use std::fmt;
use std::marker::PhantomData;
use std::os::raw::c_char;
use std::ptr;
use std::str;
use std::time::{Duration, SystemTime};

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

    /// The string that a JSON pointer names, decoded. Since 0.2.
    #[must_use]
    pub fn get_string(self, pointer: &str) -> Option<String> {
        let pointer = CString::new(pointer).ok()?;
        // SAFETY: the object lives as long as 'a; as much is written as there is room for.
        decoded(|to, size| unsafe { sys::ksr_object_get_string(self.object, pointer.as_ptr(), to, size) })
    }

    /// The string that a JSON pointer names, such as `pod.str("/status/phase")`; borrowed from the object unless it has
    /// escapes to decode. Since 0.2.
    #[must_use]
    pub fn str(self, pointer: &str) -> Option<Cow<'a, str>> {
        let raw = self.get(pointer)?.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        if raw.contains(&b'\\') {
            return self.get_string(pointer).map(Cow::Owned);
        }
        str::from_utf8(raw).ok().map(Cow::Borrowed)
    }

    /// The integer that a JSON pointer names, when it is one that fits. Since 0.2.
    #[must_use]
    pub fn get_i64(self, pointer: &str) -> Option<i64> {
        let (pointer, mut value) = (CString::new(pointer).ok()?, 0);
        // SAFETY: the object lives as long as 'a; `value` outlives the call.
        let found = unsafe { sys::ksr_object_get_int64(self.object, pointer.as_ptr(), &mut value) };
        (found == 1).then_some(value)
    }

    /// The number that a JSON pointer names. Since 0.2.
    #[must_use]
    pub fn get_f64(self, pointer: &str) -> Option<f64> {
        let (pointer, mut value) = (CString::new(pointer).ok()?, 0.0);
        // SAFETY: as above.
        let found = unsafe { sys::ksr_object_get_double(self.object, pointer.as_ptr(), &mut value) };
        (found == 1).then_some(value)
    }

    /// The `true` or `false` that a JSON pointer names. Since 0.2.
    #[must_use]
    pub fn get_bool(self, pointer: &str) -> Option<bool> {
        let (pointer, mut value) = (CString::new(pointer).ok()?, 0);
        // SAFETY: as above.
        let found = unsafe { sys::ksr_object_get_bool(self.object, pointer.as_ptr(), &mut value) };
        (found == 1).then_some(value == 1)
    }

    /// The RFC 3339 time that a JSON pointer names, in whole milliseconds. Since 0.2.
    #[must_use]
    pub fn get_time(self, pointer: &str) -> Option<SystemTime> {
        let (pointer, mut value) = (CString::new(pointer).ok()?, 0);
        // SAFETY: as above.
        if unsafe { sys::ksr_object_get_time(self.object, pointer.as_ptr(), &mut value) } != 1 {
            return None;
        }
        let apart = Duration::from_millis(value.unsigned_abs());
        if value < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(apart)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(apart)
        }
    }

    /// How many elements the array, or members the object, has that a JSON pointer names. Since 0.2.
    #[must_use]
    pub fn size_of(self, pointer: &str) -> Option<usize> {
        let pointer = CString::new(pointer).ok()?;
        // SAFETY: the object lives as long as 'a.
        usize::try_from(unsafe { sys::ksr_object_size(self.object, pointer.as_ptr()) }).ok()
    }

    /// The decoded names of the members of the object that a JSON pointer names, in the order of the text; none where no
    /// object is. Since 0.2.
    #[must_use]
    pub fn keys_of(self, pointer: &str) -> Vec<String> {
        let pointer = match CString::new(pointer) {
            Ok(pointer) => pointer,
            Err(_) => return Vec::new(),
        };
        // SAFETY: the object lives as long as 'a; as much is written as there is room for.
        let key = |i| decoded(|to, size| unsafe { sys::ksr_object_key(self.object, pointer.as_ptr(), i, to, size) });
        (0..).map_while(key).collect()
    }

    /// The text of a column of the key `columns`, from 0, as it was read when the object was stored: a string decoded,
    /// of anything else its JSON, empty where there is nothing. Not copied. `None` when the stream has no such column.
    /// Since 0.2.
    #[must_use]
    pub fn column(self, place: usize) -> Option<&'a str> {
        // SAFETY: the text belongs to the object.
        let found = unsafe { bytes(|len| sys::ksr_object_column(self.object, place, len)) }?;
        str::from_utf8(found).ok()
    }

    /// All columns of the object. Since 0.2.
    pub fn columns(self) -> impl Iterator<Item = &'a str> {
        (0..).map_while(move |place| self.column(place))
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

/// The text that `write` writes into so much room, and whose whole length it returns; -1: there is none.
fn decoded(write: impl Fn(*mut c_char, usize) -> i64) -> Option<String> {
    let size = usize::try_from(write(ptr::null_mut(), 0)).ok()?;
    let mut text = vec![0_u8; size + 1];
    write(text.as_mut_ptr().cast(), text.len());
    text.truncate(size);
    String::from_utf8(text).ok()
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
