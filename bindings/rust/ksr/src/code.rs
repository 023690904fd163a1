//! The library's numbers as enums. A later library may know more of each.

use std::ffi::CStr;
use std::fmt;

use ksr_sys as sys;

/// What kind of failure an [`Error`](crate::Error) is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// An argument or a value that is not valid; a stream or client that is closed.
    Invalid,
    /// Out of memory.
    NoMemory,
    /// A defect of the library, or of a system call, such as one for a descriptor or a thread.
    Internal,
    /// No such key, or no such statistic.
    UnknownKey,
    /// [`Handle::close`](crate::Handle::close) inside a callback of the same stream.
    WouldDeadlock,
    /// In a child of `fork()`, where no stream works.
    Forked,
    /// The stream, client or request was cancelled or closed.
    Cancelled,
    /// The time limit was exceeded.
    Timeout,
    /// The protocol that was agreed on with the server cannot do it. Since 0.2.
    Unsupported,
    /// The server could not be reached, or the connection broke.
    Transport,
    /// The handshake failed: a certificate, a name, a version.
    Tls,
    /// The server does not speak HTTP, WebSocket, JSON or the Kubernetes API as it should.
    Protocol,
    /// An object above `max_object_size`, or the answer to a request above `max_body`.
    TooLarge,
    /// It ended without saying how. Since 0.2.
    Lost,
    /// 401.
    Auth,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 410: the resourceVersion is too old; the stream lists again.
    Gone,
    /// 429.
    Throttled,
    /// Any other HTTP status that is an error.
    Server,
    /// 409, of a request. Since 0.2.
    Conflict,
    /// 400, 405, 406, 413, 415, 422, of a request: the server does not take it. Since 0.2.
    Rejected,
    /// A callback of the program panicked. Of this crate; the library knows no such status.
    Panic,
    /// A status of a later library.
    Other(i32),
}

const CODES: [(Code, sys::ksr_status); 22] = [
    (Code::Invalid, sys::KSR_E_INVALID),
    (Code::NoMemory, sys::KSR_E_NOMEM),
    (Code::Internal, sys::KSR_E_INTERNAL),
    (Code::UnknownKey, sys::KSR_E_UNKNOWN_KEY),
    (Code::WouldDeadlock, sys::KSR_E_WOULD_DEADLOCK),
    (Code::Forked, sys::KSR_E_FORKED),
    (Code::Cancelled, sys::KSR_E_CANCELLED),
    (Code::Timeout, sys::KSR_E_TIMEOUT),
    (Code::Unsupported, sys::KSR_E_UNSUPPORTED),
    (Code::Transport, sys::KSR_E_TRANSPORT),
    (Code::Tls, sys::KSR_E_TLS),
    (Code::Protocol, sys::KSR_E_PROTOCOL),
    (Code::TooLarge, sys::KSR_E_TOO_LARGE),
    (Code::Lost, sys::KSR_E_LOST),
    (Code::Auth, sys::KSR_E_AUTH),
    (Code::Forbidden, sys::KSR_E_FORBIDDEN),
    (Code::NotFound, sys::KSR_E_NOT_FOUND),
    (Code::Gone, sys::KSR_E_GONE),
    (Code::Throttled, sys::KSR_E_THROTTLED),
    (Code::Server, sys::KSR_E_SERVER),
    (Code::Conflict, sys::KSR_E_CONFLICT),
    (Code::Rejected, sys::KSR_E_REJECTED),
];

impl Code {
    pub(crate) fn from_status(status: sys::ksr_status) -> Code {
        CODES.iter().find(|(_, number)| *number == status).map_or(Code::Other(status), |(code, _)| *code)
    }

    /// The name in `ksr.h`, such as `KSR_E_GONE`; `KSR_E_UNKNOWN` for a number that the loaded library does not know.
    pub fn name(self) -> &'static str {
        let status = match self {
            Code::Panic => return "panic",
            Code::Other(status) => status,
            known => CODES.iter().find(|(code, _)| *code == known).map_or(sys::KSR_OK, |(_, number)| *number),
        };
        // SAFETY: takes any number; the text is static.
        let name = unsafe { CStr::from_ptr(sys::ksr_status_name(status)) };
        name.to_str().unwrap_or_default()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a stream is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Opening a connection.
    Connecting,
    /// Reading the list.
    Listing,
    /// The view is current, and an open watch keeps it current.
    Live,
    /// Something failed; the stream tries again by itself.
    Waiting,
    /// Cancelled, closed or failed for good.
    Closed,
    /// A state of a later library.
    Other(i32),
}

impl State {
    pub(crate) fn from_number(number: sys::ksr_state) -> State {
        match number {
            sys::KSR_STATE_CONNECTING => State::Connecting,
            sys::KSR_STATE_LISTING => State::Listing,
            sys::KSR_STATE_LIVE => State::Live,
            sys::KSR_STATE_WAITING => State::Waiting,
            sys::KSR_STATE_CLOSED => State::Closed,
            other => State::Other(other),
        }
    }
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeltaKind {
    /// It is new.
    Added,
    /// It has changed.
    Modified,
    /// It is gone.
    Deleted,
    /// A kind of a later library.
    Other(i32),
}

impl DeltaKind {
    pub(crate) fn from_number(number: sys::ksr_delta) -> DeltaKind {
        match number {
            sys::KSR_DELTA_ADDED => DeltaKind::Added,
            sys::KSR_DELTA_MODIFIED => DeltaKind::Modified,
            sys::KSR_DELTA_DELETED => DeltaKind::Deleted,
            other => DeltaKind::Other(other),
        }
    }
}

/// What happens to a [`Channel`](crate::Channel) besides its bytes. Since 0.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A try begins.
    Connecting,
    /// The server has accepted it.
    Open,
    /// Lines of the log are missing here.
    Gap,
    /// What follows is the log of the container's next instance.
    Restarted,
    /// The error says why, and when the next try is.
    Interrupted,
    /// An event of a later library.
    Other(i32),
}

impl EventKind {
    pub(crate) fn from_number(number: sys::ksr_event) -> EventKind {
        match number {
            sys::KSR_EVENT_CONNECTING => EventKind::Connecting,
            sys::KSR_EVENT_OPEN => EventKind::Open,
            sys::KSR_EVENT_GAP => EventKind::Gap,
            sys::KSR_EVENT_RESTARTED => EventKind::Restarted,
            sys::KSR_EVENT_INTERRUPTED => EventKind::Interrupted,
            other => EventKind::Other(other),
        }
    }
}

/// What of a [`Channel`](crate::Channel) is read or written. Since 0.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Of a forwarded port, both ways.
    Data,
    /// Written: of exec and attach.
    Stdin,
    /// Read: of exec and attach, with a terminal both outputs; a log; the body of a response.
    Stdout,
    /// Read: of exec and attach.
    Stderr,
}

impl Part {
    pub(crate) fn number(self) -> sys::ksr_part {
        match self {
            Part::Data => sys::KSR_PART_DATA,
            Part::Stdin => sys::KSR_PART_STDIN,
            Part::Stdout => sys::KSR_PART_STDOUT,
            Part::Stderr => sys::KSR_PART_STDERR,
        }
    }
}

/// How much a log line matters: syslog's levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LogLevel {
    /// 3 and more severe.
    Error,
    /// 4.
    Warning,
    /// 5.
    Notice,
    /// 6.
    Info,
    /// 7 and less severe.
    Debug,
}

impl LogLevel {
    pub(crate) fn from_number(number: i32) -> LogLevel {
        match number {
            i32::MIN..=3 => LogLevel::Error,
            4 => LogLevel::Warning,
            5 => LogLevel::Notice,
            6 => LogLevel::Info,
            _ => LogLevel::Debug,
        }
    }
}
