//! Conversion of strings to and from C.

use std::ffi::CString;
use std::os::raw::c_char;

use crate::{Code, Error};

/// A string as the library takes it: without a NUL byte.
pub(crate) fn to_c(text: &str, what: &str, code: Code) -> Result<CString, Error> {
    CString::new(text).map_err(|_| Error::new(code, format!("{what}: holds a NUL byte")))
}

/// The bytes that a function of the library returns through a pointer and a length.
///
/// # Safety
/// `ask` returns NULL, or as many bytes as it says, which live as long as `'a`.
pub(crate) unsafe fn bytes<'a>(ask: impl FnOnce(*mut usize) -> *const c_char) -> Option<&'a [u8]> {
    let mut len = 0;
    let start = ask(&mut len);
    if start.is_null() {
        return None;
    }
    // SAFETY: as the caller promises.
    Some(unsafe { std::slice::from_raw_parts(start.cast(), len) })
}

/// The same as a string. The library promises UTF-8; of a text that is none, what stands before the first invalid byte.
///
/// # Safety
/// As for `bytes`.
pub(crate) unsafe fn text<'a>(ask: impl FnOnce(*mut usize) -> *const c_char) -> &'a str {
    // SAFETY: as the caller promises.
    let bytes = unsafe { bytes(ask) }.unwrap_or_default();
    std::str::from_utf8(bytes)
        .unwrap_or_else(|error| std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default())
}
