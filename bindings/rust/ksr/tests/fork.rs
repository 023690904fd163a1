//! A child of `fork()`, in which no stream works and nothing hangs. Alone in its program.

mod common;

use std::future::Future;
use std::os::raw::c_int;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};

use common::{code, nowhere};
use ksr::{Callbacks, Client, Code, Params};

extern "C" {
    fn fork() -> c_int;
    fn waitpid(child: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn _exit(status: c_int) -> !;
}

fn in_child(work: impl FnOnce()) -> bool {
    // SAFETY: the child does its work and ends there.
    unsafe {
        let child = fork();
        if child == 0 {
            let passed = catch_unwind(AssertUnwindSafe(work)).is_ok();
            _exit(if passed { 0 } else { 1 });
        }
        let mut status = -1;
        waitpid(child, &mut status, 0) == child && status == 0
    }
}

struct NoWaker;

impl Wake for NoWaker {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn no_stream_works_in_a_child() {
    let stream = nowhere().open(Callbacks::new()).unwrap();
    let mut updates = nowhere().updates().unwrap();
    let client = Client::open(&nowhere()).unwrap();
    let mut request = client.request(&Params::raw("GET", "/"));
    let passed = in_child(|| {
        assert_eq!(code(client.call(&Params::raw("GET", "/"))), Code::Forked);
        assert_eq!(code(client.stat("requests")), Code::Forked);
        assert_eq!(code(client.close()), Code::Forked);
        assert_eq!(code(Client::open(&nowhere())), Code::Forked);
        client.cancel();
        drop(client.clone());
        drop(client.request(&Params::raw("GET", "/")));
        let waker = Arc::new(NoWaker).into();
        match Pin::new(&mut request).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(outcome) => assert_eq!(code(outcome), Code::Forked),
            Poll::Pending => panic!("it waits in the child"),
        }
        assert_eq!(code(stream.close()), Code::Forked);
        assert_eq!(code(stream.stat("errors")), Code::Forked);
        assert_eq!(code(stream.wait_synced(None)), Code::Forked);
        assert_eq!(code(stream.wait_until(None, |_| true)), Code::Forked);
        assert!(stream.latest().is_none());
        assert_eq!(code(updates.next().unwrap()), Code::Forked);
        assert!(updates.next().is_none());
        assert_eq!(code(nowhere().open(Callbacks::new())), Code::Forked);
        stream.cancel();
        stream.close_async();
        drop(nowhere().updates());
    });
    assert!(passed, "the child says what failed");
    assert!(updates.try_next().is_pending());
    stream.close().unwrap();
    drop(request);
    client.close().unwrap();
}
