//! What failed.

use std::fmt;
use std::time::Duration;

use ksr_sys as sys;

use crate::text::text;
use crate::Code;

/// A failure: of a call, or, as information, of something that a stream does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: Code,
    message: String,
    reason: String,
    details: String,
    maybe_done: bool,
    http_status: Option<u16>,
    retry: Option<Duration>,
    cause: Option<Box<Error>>,
}

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Error {
        Error {
            code,
            message: message.into(),
            reason: String::new(),
            details: String::new(),
            maybe_done: false,
            http_status: None,
            retry: None,
            cause: None,
        }
    }

    /// The same error, because of `cause`, which its message repeats.
    pub(crate) fn because_of(mut self, cause: Error) -> Error {
        self.message = format!("{}: {cause}", self.message);
        self.cause = Some(Box::new(cause));
        self
    }

    /// # Safety
    /// `error` is a live `ksr_error`, which stays the caller's.
    pub(crate) unsafe fn read(error: *const sys::ksr_error) -> Error {
        // SAFETY: all of them take a live error; the texts live as long.
        unsafe {
            Error {
                code: Code::from_status(sys::ksr_error_code(error)),
                message: text(|len| sys::ksr_error_message(error, len)).to_owned(),
                reason: text(|len| sys::ksr_error_reason(error, len)).to_owned(),
                details: text(|len| sys::ksr_error_details(error, len)).to_owned(),
                maybe_done: sys::ksr_error_maybe_done(error) == 1,
                http_status: u16::try_from(sys::ksr_error_http_status(error)).ok().filter(|status| *status != 0),
                retry: u64::try_from(sys::ksr_error_retry_ms(error)).ok().map(Duration::from_millis),
                cause: None,
            }
        }
    }

    /// What a call returned; takes over `error`, which may be NULL.
    ///
    /// # Safety
    /// `error` is NULL or a `ksr_error` of the caller's.
    pub(crate) unsafe fn check(
        status: sys::ksr_status,
        error: *mut sys::ksr_error,
        what: impl FnOnce() -> String,
    ) -> Result<(), Error> {
        if status == sys::KSR_OK {
            return Ok(());
        }
        if error.is_null() {
            let code = Code::from_status(status);
            return Err(Error::new(code, format!("{}: {code}", what())));
        }
        // SAFETY: as the caller promises.
        let read = unsafe { Error::read(error) };
        // SAFETY: it was the caller's, which handed it over.
        unsafe { sys::ksr_error_free(error) };
        Err(read)
    }

    /// What kind of failure.
    pub fn code(&self) -> Code {
        self.code
    }

    /// One line for people, without secrets. Its wording may change.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The reason of the API server's Status object, such as `Expired`; empty without one.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The Status object of a refused request as JSON, as the server sent it: its `details` have the causes, such as the
    /// fields in conflict. Empty without one, and for errors of streams. Since 0.2.
    pub fn details(&self) -> &str {
        &self.details
    }

    /// The error ends a request that may have been carried out all the same: it was sent, and no answer came that says
    /// otherwise. Never of a request that only reads. Since 0.2.
    pub fn maybe_done(&self) -> bool {
        self.maybe_done
    }

    pub(crate) fn may_have_been_done(mut self) -> Error {
        self.maybe_done = true;
        self
    }

    /// The status of the HTTP response; 408 when the server was silent for too long, 502 when it could not be reached
    /// or the connection broke, with a [`code`](Error::code) other than [`Code::Server`]; `None` when no request was
    /// involved.
    pub fn http_status(&self) -> Option<u16> {
        self.http_status
    }

    /// The time until the stream tries again by itself, zero when it does so at once or went on already. `None`: it
    /// does not.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Why a wait was in vain: what keeps the stream from being live. It is the
    /// [`source`](std::error::Error::source) too.
    pub fn cause(&self) -> Option<&Error> {
        self.cause.as_deref()
    }

    /// There is no next try; always so of a request.
    pub fn is_fatal(&self) -> bool {
        self.retry.is_none()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.message.is_empty() { self.code.name() } else { &self.message })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause().map(|cause| cause as _)
    }
}
