//! A stream that calls back.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::client::Inner;
use crate::Handle;

/// An open stream, which calls its [`Callbacks`](crate::Callbacks) on a thread of the library. Its methods are those of
/// [`Handle`].
///
/// To drop it closes it: no callback runs afterwards, and a running one is waited for; so the thread that drops it
/// must not hold a lock that a callback takes. Dropped inside one of its own callbacks, it ends once that has returned.
#[must_use = "a stream that is dropped is closed"]
pub struct Stream {
    handle: Handle,
    /// Open as long as a stream of it is; dropped after the stream is closed.
    _client: Option<Arc<Inner>>,
}

impl Stream {
    pub(crate) fn new(handle: Handle, client: Option<Arc<Inner>>) -> Stream {
        Stream { handle, _client: client }
    }

    /// A handle that does not keep the stream open.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Deref for Stream {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.handle.close().is_err() {
            self.handle.close_async();
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("state", &self.state()).finish()
    }
}
