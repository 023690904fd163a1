//! A stream for executors.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::reactor::Registration;
use crate::updates::no_descriptor;
use crate::{Error, Handle, Snapshot, Updates};

/// [`Updates`] for any executor; with the feature `futures` a `futures_core::Stream`.
///
/// The tasks that await one are woken by one thread for all of them, which is there as long as there is an
/// `UpdateStream`. Snapshots are taken, and callbacks called, by the task that polls.
///
/// ```no_run
/// # async fn watch() -> Result<(), ksr::Error> {
/// let mut pods = ksr::Config::new("v1/pods").updates()?.into_async()?;
/// while let Some(snapshot) = pods.next().await {
///     println!("{} pods", snapshot?.len());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "updates that are dropped are closed"]
pub struct UpdateStream {
    registration: Registration,
    updates: Updates,
}

impl UpdateStream {
    pub(crate) fn new(updates: Updates) -> Result<UpdateStream, Error> {
        let registration = Registration::new(updates.descriptor().clone()).map_err(no_descriptor)?;
        Ok(UpdateStream { registration, updates })
    }

    /// The next snapshot, as [`Updates`] has them: an error once, when the stream has ended for good; `None` after the
    /// end. May be dropped and begun again: no snapshot is lost.
    #[allow(clippy::should_implement_trait)] // it is the name that all streams give it
    pub fn next(&mut self) -> NextUpdate<'_> {
        NextUpdate { stream: self }
    }

    /// The same as a poll function, for futures written by hand.
    pub fn poll_update(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Snapshot, Error>>> {
        let next = self.updates.try_next();
        if next.is_pending() {
            self.registration.wake(context.waker());
        }
        next
    }

    /// A handle that does not keep the stream open.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.updates.handle()
    }

    /// The same stream as an iterator.
    pub fn into_blocking(self) -> Updates {
        self.updates
    }
}

impl Deref for UpdateStream {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.updates
    }
}

impl fmt::Debug for UpdateStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateStream").field("state", &self.state()).finish()
    }
}

/// See [`UpdateStream::next`].
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct NextUpdate<'a> {
    stream: &'a mut UpdateStream,
}

impl Future for NextUpdate<'_> {
    type Output = Option<Result<Snapshot, Error>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.stream.poll_update(context)
    }
}

#[cfg(feature = "futures")]
impl futures_core::Stream for UpdateStream {
    type Item = Result<Snapshot, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_update(context)
    }
}
