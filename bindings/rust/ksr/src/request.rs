//! A request as a future.

use std::fmt;
use std::future::Future;
use std::os::raw::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::ptr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use ksr_sys as sys;

use crate::client::{Inner, Kept};
use crate::link::lock;
use crate::{Code, Error, Params, Response};

/// The answer to a request of [`Client::request`](crate::Client::request), to come. Since 0.2.
///
/// Any executor may poll it, on any thread; it needs none of a particular one. It keeps its client open. To drop it
/// cancels the request and never blocks. To poll it after its answer panics.
#[must_use = "a request whose future is dropped is cancelled"]
pub struct RequestFuture {
    /// `None` once it was answered.
    call: Option<Call>,
}

enum Call {
    Refused(Error),
    Open { request: *mut sys::ksr_request, shared: Arc<Mutex<Shared>>, client: Kept, only_reads: bool },
}

// SAFETY: the pointer is a number of the library's registry, which any thread may use.
unsafe impl Send for Call {}
// SAFETY: the same.
unsafe impl Sync for Call {}

/// What a future and the library's `destroy` share: `destroy` comes whatever ends the request, and is the last.
#[derive(Default)]
struct Shared {
    /// The ksr_request as a number; 0 until `ksr_request_open` has returned.
    request: usize,
    outcome: Option<Result<Response, Error>>,
    over: bool,
    waker: Option<Waker>,
}

impl RequestFuture {
    pub(crate) fn open(client: &Arc<Inner>, params: &Params) -> RequestFuture {
        let call = Call::open(client, params).unwrap_or_else(|error| Call::Refused(client.explained(error)));
        RequestFuture { call: Some(call) }
    }
}

impl Call {
    fn open(client: &Arc<Inner>, params: &Params) -> Result<Call, Error> {
        let raw = params.build()?;
        let shared = Arc::new(Mutex::new(Shared::default()));
        let user_data = Arc::into_raw(Arc::clone(&shared));
        let (mut request, mut error) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: what `user_data` points to lives until `on_destroy`, which the library calls once, also when it
        // fails; the rest outlives the call.
        unsafe {
            let status = sys::ksr_request_open(
                client.handle(),
                raw.get(),
                user_data as *mut c_void,
                Some(on_destroy),
                &mut request,
                &mut error,
            );
            Error::check(status, error, || "request".to_owned())?;
        }
        lock(&shared).request = request as usize;
        Ok(Call::Open { request, shared, client: Kept::new(client), only_reads: params.only_reads() })
    }
}

/// What the request has ended with.
///
/// # Safety
/// It has ended.
unsafe fn outcome_of(request: *mut sys::ksr_request) -> Result<Response, Error> {
    let (mut response, mut error) = (ptr::null(), ptr::null_mut());
    // SAFETY: takes numbers of requests that are gone; the out-parameters outlive the call.
    let ended = unsafe {
        let status = sys::ksr_request_wait(request, 0, &mut response, &mut error);
        Error::check(status, error, || "request".to_owned())
    };
    // SAFETY: the reference is ours.
    ended.map(|()| unsafe { Response::adopt(response) })
}

unsafe extern "C" fn on_destroy(user_data: *mut c_void) {
    // SAFETY: the library gives back what `open` gave it, once.
    let shared = unsafe { Arc::from_raw(user_data as *const Mutex<Shared>) };
    let request = lock(&shared).request;
    // Asked here, because the request is gone once its client is closed.
    // SAFETY: it has ended.
    let outcome = (request != 0).then(|| unsafe { outcome_of(request as *mut sys::ksr_request) });
    let waker = {
        let mut shared = lock(&shared);
        shared.over = true;
        shared.outcome = outcome;
        shared.waker.take()
    };
    // If an executor's waker panics, the library's thread goes on.
    let _ = catch_unwind(AssertUnwindSafe(move || {
        if let Some(waker) = waker {
            waker.wake();
        }
        drop(shared);
    }));
}

impl Future for RequestFuture {
    type Output = Result<Response, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = match self.call.as_ref().expect("a request is not polled after its answer") {
            Call::Refused(error) => Err(error.clone()),
            Call::Open { request, shared, client, only_reads } => {
                let outcome = {
                    let mut shared = lock(shared);
                    // The library's thread, which would wake the future, is none of the child's.
                    if !shared.over && client.is_forked() {
                        drop(shared);
                        return Poll::Ready(Err(Error::new(
                            Code::Forked,
                            "a request has no answer in a child of fork()",
                        )));
                    }
                    if !shared.over {
                        // A waker is the program's: the one before is dropped without the lock.
                        let before = shared.waker.replace(context.waker().clone());
                        drop(shared);
                        drop(before);
                        return Poll::Pending;
                    }
                    shared.outcome.take()
                };
                // SAFETY: it has ended.
                let outcome = outcome.unwrap_or_else(|| match unsafe { outcome_of(*request) } {
                    Err(error) if error.code() == Code::Invalid && client.is_closed() => {
                        Err(closed_meanwhile(*only_reads))
                    }
                    outcome => outcome,
                });
                outcome.map_err(|error| client.explained(error))
            }
        };
        self.call = None;
        Poll::Ready(answer)
    }
}

/// Its client was closed while the request was being opened: how it has ended cannot be asked any more.
fn closed_meanwhile(only_reads: bool) -> Error {
    let error = Error::new(Code::Cancelled, "the client was closed");
    if only_reads {
        error
    } else {
        error.may_have_been_done()
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Call::Open { request, .. } = self {
            // SAFETY: takes numbers of requests that are gone. Neither waits.
            unsafe {
                sys::ksr_request_cancel(*request);
                sys::ksr_request_close_async(*request);
            }
        }
    }
}

impl fmt::Debug for RequestFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.call {
            None => "answered",
            Some(Call::Refused(_)) => "refused",
            Some(Call::Open { .. }) => "open",
        };
        write!(f, "RequestFuture({state})")
    }
}
