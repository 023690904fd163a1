//! Streams as iterators and for executors, without a server.

mod common;

use std::future::Future;
use std::os::raw::{c_int, c_short, c_ulong};
use std::os::unix::io::{AsFd, AsRawFd};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;

use common::{await_one, channel, code, eventually, nowhere, DropCounter, TEST_TIMEOUT};
use ksr::{Callbacks, Code, State};

struct Unpark(Thread, AtomicBool);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.1.store(true, Ordering::SeqCst);
        self.0.unpark();
    }
}

/// An executor of one task.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future: Pin<Box<F>> = Box::pin(future);
    let wake = Arc::new(Unpark(thread::current(), AtomicBool::new(false)));
    let waker = Arc::clone(&wake).into();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        while !wake.1.swap(false, Ordering::SeqCst) {
            thread::park_timeout(TEST_TIMEOUT);
        }
    }
}

#[test]
fn nothing_comes_from_nowhere() {
    let (sender, calls) = channel();
    let callbacks = Callbacks::new().on_error(move |_, error| sender.send(error.code()).unwrap());
    let mut updates = nowhere().updates_with(callbacks).unwrap();
    assert!(updates.next_within(Duration::from_millis(20)).is_pending());
    while calls.try_recv().is_err() {
        assert!(updates.next_within(Duration::from_millis(20)).is_pending());
    }
    assert_eq!(code(updates.wait_synced(Some(Duration::ZERO))), Code::Timeout);
    assert_eq!(updates.as_fd().as_raw_fd(), updates.as_raw_fd());
}

#[test]
fn a_fatal_error_comes_once() {
    let mut updates = nowhere().reconnect(false).updates().unwrap();
    assert!(updates.next().unwrap().unwrap_err().is_fatal());
    assert!(updates.next().is_none() && updates.try_next().is_ready());
    let mut stream = nowhere().reconnect(false).updates().unwrap().into_async().unwrap();
    assert!(block_on(stream.next()).unwrap().unwrap_err().is_fatal());
    assert!(block_on(stream.next()).is_none());
}

#[test]
fn another_thread_ends_the_wait() {
    type End = fn(&ksr::Handle);
    let ends: [End; 3] = [|h| h.cancel(), |h| h.close().unwrap(), |h| h.close_async()];
    for end in ends.iter().cycle().take(60) {
        let mut updates = nowhere().updates().unwrap();
        let handle = updates.handle();
        let waiter = thread::spawn(move || updates.next().is_none());
        end(&handle);
        assert!(waiter.join().unwrap());
    }
}

#[test]
fn another_thread_ends_the_wait_of_a_task() {
    type End = fn(&ksr::Handle);
    let ends: [End; 3] = [|h| h.cancel(), |h| h.close().unwrap(), |h| h.close_async()];
    for end in ends.iter().cycle().take(60) {
        let mut stream = nowhere().updates().unwrap().into_async().unwrap();
        let handle = stream.handle();
        let waiter = thread::spawn(move || block_on(stream.next()).is_none());
        end(&handle);
        assert!(waiter.join().unwrap());
    }
}

#[repr(C)]
struct PollFd(c_int, c_short, c_short);

extern "C" {
    fn poll(fds: *mut PollFd, count: c_ulong, timeout_ms: c_int) -> c_int;
}

/// As an event loop of the program's would wait.
fn is_readable(updates: &ksr::Updates, timeout_ms: c_int) -> bool {
    let mut asked = PollFd(updates.as_raw_fd(), 1, 0);
    // SAFETY: one entry.
    unsafe { poll(&mut asked, 1, timeout_ms) == 1 }
}

#[test]
fn in_an_event_loop_of_the_programs() {
    let (sender, calls) = channel();
    let callbacks = Callbacks::new().on_error(move |_, _| sender.send(()).unwrap());
    let mut updates = nowhere().set("backoff_initial", "1h").set("backoff_max", "1h").updates_with(callbacks).unwrap();
    while calls.try_recv().is_err() {
        assert!(is_readable(&updates, 60_000));
        assert!(updates.try_next().is_pending());
    }
    while is_readable(&updates, 20) {
        assert!(updates.try_next().is_pending());
    }
    updates.close().unwrap();
    assert!(is_readable(&updates, 60_000) && is_readable(&updates, 0));
    assert!(matches!(updates.try_next(), Poll::Ready(None)));
}

#[test]
fn callbacks_run_on_the_thread_that_polls_or_drops() {
    let (sender, calls) = channel();
    let callbacks = Callbacks::new()
        .on_state(move |_, state| sender.send((thread::current().id(), ksr::in_callback(), state)).unwrap());
    let updates = nowhere().updates_with(callbacks).unwrap();
    drop(updates);
    assert!(!ksr::in_callback());
    let mut last = None;
    for (caller, inside, state) in calls {
        assert_eq!(caller, thread::current().id());
        assert!(inside);
        last = Some(state);
    }
    assert_eq!(last, Some(State::Closed));
}

#[test]
fn closing_inside_a_callback_is_refused() {
    let (sender, calls) = channel();
    let callbacks = Callbacks::new().on_error(move |handle, _| {
        sender.send(handle.close()).unwrap();
        handle.close_async();
    });
    let mut updates = nowhere().updates_with(callbacks).unwrap();
    assert!(updates.next().is_none());
    assert_eq!(code(await_one(&calls)), Code::WouldDeadlock);
    updates.close().unwrap();
}

fn wakers() -> usize {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let names = threads.filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim() == "ksr-waker").count()
}

#[test]
fn one_thread_wakes_all_and_ends_with_the_last() {
    let drops = DropCounter::default();
    let open = || {
        let token = drops.token();
        let callbacks = Callbacks::new().on_error(move |_, _| token.touch());
        nowhere().updates_with(callbacks).unwrap().into_async().unwrap()
    };
    let streams: Vec<_> = (0..20).map(|_| open()).collect();
    let waiters: Vec<_> = streams
        .into_iter()
        .map(|mut stream| {
            let handle = stream.handle();
            (handle, thread::spawn(move || block_on(stream.next()).is_none()))
        })
        .collect();
    for (handle, waiter) in waiters {
        handle.cancel();
        assert!(waiter.join().unwrap());
    }
    assert_eq!(drops.count(), 20);
    // Other tests in this process have their own streams, which end.
    eventually("the end of the waking thread", || wakers() == 0);
}

#[test]
fn a_dropped_wait_loses_nothing() {
    let mut stream = nowhere().updates().unwrap().into_async().unwrap();
    let wake = Arc::new(Unpark(thread::current(), AtomicBool::new(false)));
    let waker = wake.into();
    for _ in 0..10 {
        assert!(Pin::new(&mut stream.next()).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    stream.cancel();
    assert!(block_on(stream.next()).is_none());
    assert!(stream.into_blocking().next().is_none());
}

#[cfg(feature = "futures")]
#[test]
fn it_is_a_stream_of_futures_core() {
    struct Next<S>(S);
    impl<S: futures_core::Stream + Unpin> Future for Next<&mut S> {
        type Output = Option<S::Item>;
        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
            Pin::new(&mut *self.0).poll_next(context)
        }
    }
    let mut stream = nowhere().reconnect(false).updates().unwrap().into_async().unwrap();
    assert!(block_on(Next(&mut stream)).unwrap().unwrap_err().is_fatal());
    assert!(block_on(Next(&mut stream)).is_none());
}
