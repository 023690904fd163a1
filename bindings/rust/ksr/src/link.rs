//! What a stream, its handles and its callbacks share.

use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ksr_sys as sys;

use crate::{Error, State};

/// Locks a poisoned mutex too: no change under it is ever half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
pub(crate) struct Link {
    /// A number of the library's registry, which is never used twice: it may outlive the stream.
    stream: AtomicPtr<sys::ksr_stream>,
    closed: AtomicBool,
    failure: Mutex<Option<Error>>,
}

impl Link {
    pub(crate) fn stream(&self) -> *mut sys::ksr_stream {
        self.stream.load(Ordering::Acquire)
    }

    /// Also set by each callback, since one may come before `ksr_open` has returned.
    pub(crate) fn belongs_to(&self, stream: *mut sys::ksr_stream) {
        self.stream.store(stream, Ordering::Release);
    }

    pub(crate) fn cancel(&self) {
        // SAFETY: takes NULL, and numbers of streams that are gone.
        unsafe { sys::ksr_cancel(self.stream()) };
    }

    /// The first failure counts.
    pub(crate) fn fail(&self, error: Error) {
        lock(&self.failure).get_or_insert(error);
    }

    pub(crate) fn failure(&self) -> Option<Error> {
        lock(&self.failure).clone()
    }

    pub(crate) fn saw(&self, state: State) {
        if state == State::Closed {
            self.closed.store(true, Ordering::Release);
        }
    }

    pub(crate) fn closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}
