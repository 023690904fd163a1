//! A stream as an iterator.

use std::fmt;
use std::io::Write;
use std::ops::Deref;
use std::os::unix::io::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use ksr_sys as sys;

use crate::boundary::{self, Delivery};
use crate::descriptor::Descriptor;
use crate::link::lock;
use crate::waiting::Waiting;
use crate::{Callbacks, Code, Config, Error, Handle, Snapshot, Stream, UpdateStream};

type Inbox = Arc<Mutex<Waiting>>;

/// A stream as an iterator over its snapshots: the complete list first, then the next whenever something has changed.
///
/// `next` blocks. It returns an error once, when the stream has ended for good, and `None` after that and once the
/// program has ended the stream, from any thread. Errors after which the stream tries again go to
/// [`Callbacks::on_error`] only.
///
/// In an event loop wait until it is readable ([`AsFd`], [`AsRawFd`]; no other use of the descriptor is allowed) and
/// call [`try_next`](Updates::try_next) until it is `Pending`. For executors there is
/// [`into_async`](Updates::into_async).
///
/// To drop it closes the stream; the last callbacks are then called by the thread that drops it.
///
/// ```
/// use std::task::Poll;
///
/// let config = ksr::Config::new("v1/pods").server("http://127.0.0.1:1").reconnect(false);
/// let mut updates = config.updates()?;
/// let error = updates.next().unwrap().unwrap_err();
/// assert!(error.is_fatal());
/// assert!(updates.next().is_none());
/// # Ok::<(), ksr::Error>(())
/// ```
#[must_use = "updates that are dropped are closed"]
pub struct Updates {
    stream: Stream,
    inbox: Inbox,
    descriptor: Arc<Descriptor>,
    shared: bool,
    over: bool,
}

impl Updates {
    pub(crate) fn open(config: &Config, mut callbacks: Callbacks, delivery: Delivery) -> Result<Updates, Error> {
        let inbox = Arc::new(Mutex::new(Waiting::new(config.sameness())));
        let (end_here, end_there) = UnixStream::pair().map_err(no_descriptor)?;
        for end in [&end_here, &end_there] {
            end.set_nonblocking(true).map_err(no_descriptor)?;
        }
        // The streams of a client dispatch each other: who waits for this one must be told of what another has brought.
        let shared = matches!(delivery, Delivery::Client(..));
        let (mut on_update, filled) = (callbacks.update.take(), Arc::clone(&inbox));
        callbacks.update = Some(Box::new(move |handle, snapshot| {
            // Dropped with this closure, when the stream is gone.
            let mut end_there = &end_there;
            if let Some(on_update) = &mut on_update {
                on_update(handle, snapshot);
            }
            lock(&filled).add(snapshot.clone());
            if shared {
                // When it is full, it is readable anyway.
                let _ = end_there.write(&[1]);
            }
        }));
        let stream = boundary::open(config, callbacks, delivery)?;
        // SAFETY: the stream is open, and with it the descriptor.
        let news = unsafe {
            let news = sys::ksr_fd(stream.link().stream());
            if news < 0 {
                return Err(Error::new(Code::Internal, "ksr_fd: there is none"));
            }
            BorrowedFd::borrow_raw(news)
        };
        let descriptor = Arc::new(Descriptor::new(news, end_here).map_err(no_descriptor)?);
        Ok(Updates { stream, inbox, descriptor, shared, over: false })
    }

    /// What `next` returns, without waiting: `Pending` when there is nothing yet. Callbacks are called by it too.
    pub fn try_next(&mut self) -> Poll<Option<Result<Snapshot, Error>>> {
        if self.over {
            return Poll::Ready(None);
        }
        if self.shared {
            self.descriptor.drain();
        }
        if let Some(snapshot) = self.delivered() {
            return Poll::Ready(Some(Ok(snapshot)));
        }
        // SAFETY: takes numbers of streams that are gone.
        let made = unsafe { sys::ksr_dispatch(self.stream.link().stream()) };
        if let Some(snapshot) = self.delivered() {
            return Poll::Ready(Some(Ok(snapshot)));
        }
        if made >= 0 && !self.stream.link().closed() {
            return Poll::Pending;
        }
        self.over = true;
        let forked = i64::from(sys::KSR_E_FORKED);
        let in_child =
            || (made == forked).then(|| Error::new(Code::Forked, "a stream does not work in a child of fork()"));
        Poll::Ready(self.stream.failure().or_else(in_child).map(Err))
    }

    /// What `next` returns, when it comes within the time; else `Pending`.
    pub fn next_within(&mut self, timeout: Duration) -> Poll<Option<Result<Snapshot, Error>>> {
        let end = Instant::now().checked_add(timeout);
        loop {
            let next = self.try_next();
            if next.is_pending() {
                self.rest();
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if next.is_ready() || left == Some(Duration::ZERO) {
                return next;
            }
            self.descriptor.wait(left);
        }
    }

    /// The same stream for an executor.
    pub fn into_async(self) -> Result<UpdateStream, Error> {
        UpdateStream::new(self)
    }

    /// A handle that does not keep the stream open.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.stream.handle()
    }

    /// While another thread makes the callbacks of a client, its descriptor stays readable.
    fn rest(&self) {
        if self.shared {
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub(crate) fn descriptor(&self) -> &Arc<Descriptor> {
        &self.descriptor
    }

    fn delivered(&self) -> Option<Snapshot> {
        lock(&self.inbox).take()
    }
}

pub(crate) fn no_descriptor(error: std::io::Error) -> Error {
    Error::new(Code::Internal, format!("cannot make what a stream is waited for with: {error}"))
}

impl Iterator for Updates {
    type Item = Result<Snapshot, Error>;

    fn next(&mut self) -> Option<Result<Snapshot, Error>> {
        loop {
            if let Poll::Ready(next) = self.try_next() {
                return next;
            }
            self.rest();
            self.descriptor.wait(None);
        }
    }
}

impl Deref for Updates {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.stream
    }
}

impl AsFd for Updates {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl AsRawFd for Updates {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for Updates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates").field("state", &self.state()).finish()
    }
}
