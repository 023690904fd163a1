//! The functions that the library calls. No panic leaves them.

use std::any::Any;
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::sync::{Arc, Mutex};

use ksr_sys as sys;

use crate::client::{Inner, Inside};
use crate::link::{lock, Link};
use crate::text::text;
use crate::{Callbacks, Code, Config, Error, Handle, LogLevel, Snapshot, State, Stream};

/// What `user_data` points to, from `ksr_open` to `destroy`.
struct Host {
    handle: Handle,
    callbacks: Mutex<Callbacks>,
    /// The client that it is a stream of, as a number; 0: none.
    client: usize,
}

pub(crate) enum Delivery {
    Thread,
    Manual,
    /// In the delivery of a client, over its connection.
    Client(Arc<Inner>, *mut sys::ksr_client),
}

pub(crate) fn open(config: &Config, callbacks: Callbacks, delivery: Delivery) -> Result<Stream, Error> {
    let raw = config.build()?;
    let link = Arc::new(Link::default());
    let handle = Handle::new(Arc::clone(&link));
    // SAFETY: `raw` lives to the end of this function; what `host` points to lives until `on_destroy`, which the
    // library calls once, also when it fails.
    unsafe {
        if let Delivery::Manual = delivery {
            raw.set("delivery", "manual")?;
        }
        sys::ksr_config_on_update(raw.get(), if callbacks.update.is_some() { Some(on_update) } else { None });
        sys::ksr_config_on_log(raw.get(), if callbacks.log.is_some() { Some(on_log) } else { None });
        sys::ksr_config_on_error(raw.get(), Some(on_error));
        sys::ksr_config_on_state(raw.get(), Some(on_state));
        let client = match delivery {
            Delivery::Client(_, client) => client as usize,
            _ => 0,
        };
        let host = Box::into_raw(Box::new(Host { handle: handle.clone(), callbacks: Mutex::new(callbacks), client }));
        let (mut stream, mut error) = (ptr::null_mut(), ptr::null_mut());
        let status = match &delivery {
            Delivery::Client(_, client) => {
                sys::ksr_client_stream(*client, raw.get(), host.cast(), Some(on_destroy), &mut stream, &mut error)
            }
            _ => sys::ksr_open(raw.get(), host.cast(), Some(on_destroy), &mut stream, &mut error),
        };
        Error::check(status, error, || "ksr_open".to_owned())?;
        link.belongs_to(stream);
    }
    let client = match delivery {
        Delivery::Client(client, _) => Some(client),
        _ => None,
    };
    Ok(Stream::new(handle, client))
}

unsafe extern "C" fn on_update(
    stream: *mut sys::ksr_stream,
    snapshot: *const sys::ksr_snapshot,
    user_data: *mut c_void,
) {
    // SAFETY: the library hands back what `open` gave it, and `snapshot` lives until this returns.
    unsafe {
        call(user_data, Some(stream), "on_update", |handle, callbacks| {
            if let Some(callback) = &mut callbacks.update {
                Snapshot::lend(snapshot, |snapshot| callback(handle, snapshot));
            }
        });
    }
}

unsafe extern "C" fn on_error(stream: *mut sys::ksr_stream, error: *const sys::ksr_error, user_data: *mut c_void) {
    // SAFETY: as above.
    unsafe {
        call(user_data, Some(stream), "on_error", |handle, callbacks| {
            let error = Error::read(error);
            if error.is_fatal() {
                handle.link().fail(error.clone());
            }
            if let Some(callback) = &mut callbacks.error {
                callback(handle, &error);
            }
        });
    }
}

unsafe extern "C" fn on_state(stream: *mut sys::ksr_stream, state: sys::ksr_state, user_data: *mut c_void) {
    // SAFETY: as above.
    unsafe {
        call(user_data, Some(stream), "on_state", |handle, callbacks| {
            let state = State::from_number(state);
            handle.link().saw(state);
            if let Some(callback) = &mut callbacks.state {
                callback(handle, state);
            }
        });
    }
}

unsafe extern "C" fn on_log(level: i32, message: *const c_char, size: usize, user_data: *mut c_void) {
    // SAFETY: as above; the message lives until this returns.
    unsafe {
        let line = text(|len| {
            *len = size;
            message
        });
        call(user_data, None, "on_log", |_, callbacks| {
            if let Some(callback) = &mut callbacks.log {
                callback(LogLevel::from_number(level), line);
            }
        });
    }
}

unsafe extern "C" fn on_destroy(user_data: *mut c_void) {
    // SAFETY: the library gives back what `open` gave it, once, after everything else.
    let Host { handle, callbacks, .. } = *unsafe { Box::from_raw(user_data.cast::<Host>()) };
    // What the closures hold may panic when it is dropped.
    guard(handle.link(), "drop of a", move || drop(callbacks));
}

/// # Safety
/// `user_data` points to a live Host, whose callbacks do not overlap.
unsafe fn call(
    user_data: *mut c_void,
    stream: Option<*mut sys::ksr_stream>,
    name: &str,
    callback: impl FnOnce(&Handle, &mut Callbacks),
) {
    // SAFETY: as the caller promises.
    let host = unsafe { &*user_data.cast::<Host>() };
    let link = host.handle.link();
    if let Some(stream) = stream {
        link.belongs_to(stream);
    }
    let mut callbacks = lock(&host.callbacks);
    let _inside = Inside::new(host.client);
    guard(link, name, || callback(&host.handle, &mut callbacks));
}

/// Runs code of the program. Its panic ends the stream.
fn guard(link: &Link, name: &str, code: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(code)) {
        link.fail(Error::new(Code::Panic, format!("{name} callback panicked: {}", said(&*panic))));
        link.cancel();
        // The value itself may panic when it is dropped.
        if let Err(again) = catch_unwind(AssertUnwindSafe(move || drop(panic))) {
            std::mem::forget(again);
        }
    }
}

pub(crate) fn said(panic: &(dyn Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&'static str>().copied();
    literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a value that is no text")
}
