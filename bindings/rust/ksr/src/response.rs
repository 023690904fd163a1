//! The answer to a request.

use std::ffi::CString;
use std::fmt;
use std::ops::Deref;
use std::str::Utf8Error;

use ksr_sys as sys;

use crate::text::{bytes, text};
use crate::Object;

/// The answer of the server to a request, always a 2xx: another one is an [`Error`](crate::Error). It dereferences to
/// the bytes of its body, which are the library's own, not copied: `serde_json::from_slice::<Pod>(&response)`.
///
/// A clone is one more reference, not a copy. It may outlive its client and change threads. Since 0.2.
pub struct Response {
    response: *const sys::ksr_response,
}

// SAFETY: responses are immutable, their count is atomic.
unsafe impl Send for Response {}
// SAFETY: the same.
unsafe impl Sync for Response {}

impl Response {
    /// Takes over a reference.
    ///
    /// # Safety
    /// `response` is a reference of the caller's.
    pub(crate) unsafe fn adopt(response: *const sys::ksr_response) -> Response {
        Response { response }
    }

    /// 200 to 299.
    pub fn http_status(&self) -> u16 {
        // SAFETY: we hold a reference.
        let status = unsafe { sys::ksr_response_http_status(self.response) };
        u16::try_from(status).unwrap_or_default()
    }

    /// The values of a header, joined with `, `. The case of `name` does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        let name = CString::new(name).ok()?;
        // SAFETY: the text belongs to the response.
        let value = unsafe { bytes(|len| sys::ksr_response_header(self.response, name.as_ptr(), len)) }?;
        std::str::from_utf8(value).ok()
    }

    /// The texts with which the server warns, of a deprecated API or an unknown field for example.
    pub fn warnings(&self) -> impl Iterator<Item = &str> + '_ {
        // SAFETY: we hold a reference, to which the texts belong.
        let count = unsafe { sys::ksr_response_warning_count(self.response) };
        (0..count).map(move |i| unsafe { text(|len| sys::ksr_response_warning(self.response, i, len)) })
    }

    /// What came, decompressed.
    pub fn body(&self) -> &[u8] {
        // SAFETY: the bytes belong to the response.
        unsafe { bytes(|len| sys::ksr_response_body(self.response, len).cast()) }.unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(self.body())
    }

    /// The body as an object, when it is a JSON object.
    pub fn object(&self) -> Option<Object<'_>> {
        // SAFETY: the object belongs to the response.
        unsafe { Object::borrowed(sys::ksr_response_object(self.response)) }
    }
}

impl Deref for Response {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.body()
    }
}

impl AsRef<[u8]> for Response {
    fn as_ref(&self) -> &[u8] {
        self.body()
    }
}

impl Clone for Response {
    fn clone(&self) -> Response {
        // SAFETY: we hold a reference.
        Response { response: unsafe { sys::ksr_response_retain(self.response) } }
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { sys::ksr_response_release(self.response) };
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}: {} bytes)", self.http_status(), self.body().len())
    }
}
