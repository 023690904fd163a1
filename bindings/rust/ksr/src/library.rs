//! The loaded library: its version, its features, and where a thread is in it.

use std::ffi::{CStr, CString};

use ksr_sys as sys;

/// The version of the loaded library as `0xMMmmpp`, such as `0x000200` for 0.2.0.
pub fn version() -> u32 {
    // SAFETY: needs nothing.
    unsafe { sys::ksr_version() }
}

/// The version of the loaded library as text, such as `0.2.0`.
pub fn version_string() -> &'static str {
    // SAFETY: the text is static.
    unsafe { CStr::from_ptr(sys::ksr_version_string()) }.to_str().unwrap_or_default()
}

/// How the library was built, as one JSON object, for bug reports.
pub fn build_info() -> &'static str {
    // SAFETY: the text is static.
    unsafe { CStr::from_ptr(sys::ksr_build_info()) }.to_str().unwrap_or_default()
}

/// Whether the library has a feature, such as `websocket`, `gzip` or `http_proxy`.
///
/// ```
/// assert!(ksr::has_feature("tls"));
/// assert!(!ksr::has_feature("teleport"));
/// ```
#[must_use]
pub fn has_feature(name: &str) -> bool {
    // SAFETY: the name is a C string.
    CString::new(name).map_or(false, |name| unsafe { sys::ksr_has_feature(name.as_ptr()) == 1 })
}

/// Whether the calling thread is inside a callback of any stream, where [`Handle::close`](crate::Handle::close) of that
/// stream would fail with [`Code::WouldDeadlock`](crate::Code::WouldDeadlock).
///
/// ```
/// assert!(!ksr::in_callback());
/// ```
#[must_use]
pub fn in_callback() -> bool {
    // SAFETY: needs nothing.
    unsafe { sys::ksr_in_callback() == 1 }
}
