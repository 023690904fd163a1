//! The callbacks of a stream.

use std::fmt;

use crate::{Error, Handle, LogLevel, Snapshot, State};

type OnUpdate = Box<dyn FnMut(&Handle, &Snapshot) + Send>;
type OnError = Box<dyn FnMut(&Handle, &Error) + Send>;
type OnState = Box<dyn FnMut(&Handle, State) + Send>;
type OnLog = Box<dyn FnMut(LogLevel, &str) + Send>;

/// The closures that a stream calls. Those of one stream never overlap; they may be called before opening has
/// returned, and are dropped after the last call.
///
/// ```
/// use std::sync::mpsc;
///
/// let (sender, errors) = mpsc::channel();
/// let config = ksr::Config::new("v1/pods").server("http://127.0.0.1:1");
/// let stream = config.open(ksr::Callbacks::new().on_error(move |_, error| {
///     let _ = sender.send(error.clone());
/// }))?;
/// let error = errors.recv().unwrap();
/// assert_eq!((error.code(), error.http_status()), (ksr::Code::Transport, Some(502)));
/// assert!(!error.is_fatal());
/// stream.close()?;
/// # Ok::<(), ksr::Error>(())
/// ```
#[derive(Default)]
#[must_use = "callbacks are called once a stream is opened with them"]
pub struct Callbacks {
    pub(crate) update: Option<OnUpdate>,
    pub(crate) error: Option<OnError>,
    pub(crate) state: Option<OnState>,
    pub(crate) log: Option<OnLog>,
}

impl Callbacks {
    /// No callbacks.
    pub fn new() -> Callbacks {
        Callbacks::default()
    }

    /// The view has changed; the first call brings the complete list. Clone the snapshot to keep it. What changes while
    /// the closure runs is merged.
    pub fn on_update(mut self, callback: impl FnMut(&Handle, &Snapshot) + Send + 'static) -> Callbacks {
        self.update = Some(Box::new(callback));
        self
    }

    /// Something failed. The stream retries by itself, unless the error [is fatal](Error::is_fatal).
    pub fn on_error(mut self, callback: impl FnMut(&Handle, &Error) + Send + 'static) -> Callbacks {
        self.error = Some(Box::new(callback));
        self
    }

    /// The state has changed. [`State::Closed`] comes once, as the last callback.
    pub fn on_state(mut self, callback: impl FnMut(&Handle, State) + Send + 'static) -> Callbacks {
        self.state = Some(Box::new(callback));
        self
    }

    /// One line of what the stream does, without secrets.
    pub fn on_log(mut self, callback: impl FnMut(LogLevel, &str) + Send + 'static) -> Callbacks {
        self.log = Some(Box::new(callback));
        self
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks")
            .field("update", &self.update.is_some())
            .field("error", &self.error.is_some())
            .field("state", &self.state.is_some())
            .field("log", &self.log.is_some())
            .finish()
    }
}
