//! The methods of a stream, usable on any thread.

use std::any::Any;
use std::fmt;
use std::os::raw::{c_int, c_void};
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use ksr_sys as sys;

use crate::link::Link;
use crate::text::to_c;
use crate::{Code, Error, Snapshot, State};

/// Refers to a stream without keeping it open: for callbacks, other threads, and signal handling.
/// [`Stream`](crate::Stream), [`Updates`](crate::Updates) and [`UpdateStream`](crate::UpdateStream) dereference to
/// theirs.
///
/// Once the stream is closed, [`stat`](Handle::stat) and [`wait_synced`](Handle::wait_synced) fail with
/// [`Code::Invalid`], [`latest`](Handle::latest) is `None`, [`state`](Handle::state) is [`State::Closed`], and the rest
/// does nothing. In a child of `fork()` the same, with [`Code::Forked`].
#[derive(Clone)]
pub struct Handle {
    link: Arc<Link>,
}

impl Handle {
    pub(crate) fn new(link: Arc<Link>) -> Handle {
        Handle { link }
    }

    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// Ends the stream's work. Never blocks, may be called anywhere, any number of times. Once it has returned, no
    /// `on_update` and no `on_error` starts; one that runs already runs to its end.
    pub fn cancel(&self) {
        self.link.cancel();
    }

    /// Ends the stream and waits for a callback that is running, never for the network. Once it has returned `Ok`, no
    /// callback runs or ever will, and all they had captured is dropped. May be called any number of times, by several
    /// threads at once. Inside a callback of the same stream it fails with [`Code::WouldDeadlock`], and nothing
    /// happens.
    pub fn close(&self) -> Result<(), Error> {
        // SAFETY: takes numbers of streams that are gone.
        match unsafe { sys::ksr_close(self.link.stream()) } {
            sys::KSR_OK | sys::KSR_E_INVALID => Ok(()), // the latter: it is closed already
            sys::KSR_E_WOULD_DEADLOCK => {
                let message = "close: called inside a callback of the stream; use cancel or close_async";
                Err(Error::new(Code::WouldDeadlock, message))
            }
            // SAFETY: there is no error object.
            status => unsafe { Error::check(status, ptr::null_mut(), || "close".to_owned()) },
        }
    }

    /// Ends the stream without waiting: the way to close inside a callback. What the callbacks had captured is dropped
    /// once the last of them has returned.
    pub fn close_async(&self) {
        // SAFETY: takes numbers of streams that are gone.
        unsafe { sys::ksr_close_async(self.link.stream()) };
    }

    /// Waits until the first complete snapshot is there, so that [`latest`](Handle::latest) returns it;
    /// without a timeout as long as it takes. Fails with [`Code::Timeout`], or with [`Code::Cancelled`] when the stream
    /// ended before; [`Error::cause`], which the message repeats, says what it failed with. May be called inside
    /// callbacks.
    pub fn wait_synced(&self, timeout: Option<Duration>) -> Result<(), Error> {
        // SAFETY: takes numbers of streams that are gone.
        let status = unsafe { sys::ksr_wait_synced(self.link.stream(), limit_of(timeout)) };
        // SAFETY: there is no error object.
        let waited = unsafe { Error::check(status, ptr::null_mut(), || "wait_synced".to_owned()) };
        waited.map_err(|error| self.with_cause(error))
    }

    /// The error of a wait in vain, with what kept it from its end.
    fn with_cause(&self, error: Error) -> Error {
        match error.code() {
            Code::Timeout | Code::Cancelled => match self.last_error() {
                Some(cause) => error.because_of(cause),
                None => error,
            },
            _ => error,
        }
    }

    /// Waits until something is true of the view: calls `test` on this thread, first with the view as it is, then
    /// whenever it has changed, until it returns true; without a timeout as long as it takes. Changes that come while
    /// the test runs are merged. Nothing needs to be delivered for it, and it may be called inside callbacks. Fails as
    /// [`wait_synced`](Handle::wait_synced) does; a panic of the test goes on from here. Since 0.2.
    pub fn wait_until<F>(&self, timeout: Option<Duration>, test: F) -> Result<(), Error>
    where
        F: FnMut(&Snapshot) -> bool,
    {
        let mut waiting = Waiting { test, panic: None };
        // SAFETY: takes numbers of streams that are gone; `waiting` outlives the call, and is used by it alone.
        let status = unsafe {
            let user_data = ptr::addr_of_mut!(waiting).cast();
            sys::ksr_wait_until(self.link.stream(), Some(run_test::<F>), user_data, limit_of(timeout))
        };
        if let Some(panic) = waiting.panic {
            resume_unwind(panic);
        }
        // SAFETY: there is no error object.
        let waited = unsafe { Error::check(status, ptr::null_mut(), || "wait_until".to_owned()) };
        waited.map_err(|error| self.with_cause(error))
    }

    /// What keeps the stream from being live, until it is; `None` when nothing is wrong now.
    #[must_use]
    pub fn last_error(&self) -> Option<Error> {
        // SAFETY: takes numbers of streams that are gone; the error is ours.
        unsafe {
            let error = sys::ksr_last_error(self.link.stream());
            if error.is_null() {
                return None;
            }
            let read = Error::read(error);
            sys::ksr_error_free(error);
            Some(read)
        }
    }

    /// The newest complete snapshot, which may be one that no callback and no iterator has brought yet; `None` before
    /// the first, and after the end.
    #[must_use]
    pub fn latest(&self) -> Option<Snapshot> {
        // SAFETY: takes numbers of streams that are gone; the reference is ours.
        unsafe { Snapshot::adopt(sys::ksr_latest(self.link.stream())) }
    }

    /// What the stream is doing.
    #[must_use]
    pub fn state(&self) -> State {
        let number = self.stat("state").ok().and_then(|number| i32::try_from(number).ok());
        number.map_or(State::Closed, State::from_number)
    }

    /// The current value of a statistic that CONFIGURATION.md lists, such as `objects`, `events` or `fresh_ms`. Fails
    /// with [`Code::UnknownKey`] for another name.
    pub fn stat(&self, name: &str) -> Result<u64, Error> {
        let text = to_c(name, "a statistic", Code::UnknownKey)?;
        let mut value = 0;
        // SAFETY: takes numbers of streams that are gone; `value` outlives the call.
        let status = unsafe { sys::ksr_stat(self.link.stream(), text.as_ptr(), &mut value) };
        // SAFETY: there is no error object.
        unsafe { Error::check(status, ptr::null_mut(), || format!("stat {name}"))? };
        Ok(value)
    }

    /// Why the stream has ended by itself: a fatal error, or one with [`Code::Panic`]. `None` while it runs, and when
    /// the program ended it.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        self.link.failure()
    }
}

fn limit_of(timeout: Option<Duration>) -> i64 {
    timeout.map_or(-1, |time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}

struct Waiting<F> {
    test: F,
    panic: Option<Box<dyn Any + Send>>,
}

/// # Safety
/// `user_data` points to a `Waiting<F>` that nothing else uses meanwhile; `snapshot` lives until this returns.
unsafe extern "C" fn run_test<F>(snapshot: *const sys::ksr_snapshot, user_data: *mut c_void) -> c_int
where
    F: FnMut(&Snapshot) -> bool,
{
    // SAFETY: as the caller promises.
    let (waiting, test) = unsafe {
        let waiting = &mut *user_data.cast::<Waiting<F>>();
        let test = &mut waiting.test;
        let run = AssertUnwindSafe(|| Snapshot::lend(snapshot, |snapshot| test(snapshot)));
        let outcome = catch_unwind(run);
        (waiting, outcome)
    };
    match test {
        Ok(passed) => c_int::from(passed),
        Err(panic) => {
            waiting.panic = Some(panic);
            1
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("state", &self.state()).finish()
    }
}
