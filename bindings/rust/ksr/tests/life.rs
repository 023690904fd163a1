//! The life of a stream that reaches no server: what may be done when, and what is left. No server is needed.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use common::{await_one, await_where, channel, code, entries, eventually, nowhere, DropCounter, Shared};
use ksr::{Callbacks, Code, State};

#[test]
fn errors_are_information() {
    let (sender, calls) = channel();
    let stream =
        nowhere().open(Callbacks::new().on_error(move |_, error| sender.send(error.clone()).unwrap())).unwrap();
    for _ in 0..2 {
        let error = await_one(&calls);
        assert_eq!((error.code(), error.http_status(), error.reason()), (Code::Transport, Some(502), ""));
        assert!(!error.is_fatal() && error.retry().is_some());
    }
    assert_eq!(stream.failure(), None);
    assert!(stream.latest().is_none());
    eventually("the count of errors", || stream.stat("errors").unwrap() >= 1);
    stream.close().unwrap();
}

#[test]
fn a_fatal_error_ends_the_stream() {
    let (sender, calls) = channel();
    let callbacks = Callbacks::new().on_state(move |_, state| sender.send(state).unwrap());
    let stream = nowhere().reconnect(false).open(callbacks).unwrap();
    await_where(&calls, |state| *state == State::Closed);
    let failure = stream.failure().expect("it says why");
    assert!(failure.is_fatal());
    assert_eq!(failure.code(), Code::Transport);
    let waited = stream.wait_synced(None).unwrap_err();
    assert_eq!(waited.code(), Code::Cancelled);
    assert_eq!(waited.cause(), Some(&failure));
    assert_eq!(stream.last_error(), Some(failure));
    stream.close().unwrap();
    assert_eq!(stream.last_error(), None);
    assert!(calls.recv().is_err(), "a callback after Closed");
}

#[test]
fn a_closed_stream_answers() {
    let (sender, calls) = channel();
    let callbacks = Callbacks::new().on_state(move |_, state| sender.send(state).unwrap());
    let stream = nowhere().open(callbacks).unwrap();
    let handle = stream.handle();
    for _ in 0..3 {
        stream.close().unwrap();
    }
    assert_eq!(calls.iter().filter(|state| *state == State::Closed).count(), 1);
    drop(stream);
    handle.close().unwrap();
    handle.cancel();
    handle.close_async();
    assert_eq!(code(handle.stat("objects")), Code::Invalid);
    assert_eq!(code(handle.wait_synced(None)), Code::Invalid);
    assert!(handle.latest().is_none());
    assert_eq!(handle.state(), State::Closed);
    assert_eq!(handle.failure(), None);
    assert_eq!(format!("{handle:?}"), "Handle { state: Closed }");
}

#[test]
fn a_wait_in_vain_says_why() {
    let stream = nowhere().open(Callbacks::new()).unwrap();
    eventually("an error", || stream.last_error().is_some());
    let waited = stream.wait_synced(Some(Duration::ZERO)).unwrap_err();
    assert_eq!(waited.code(), Code::Timeout);
    let cause = waited.cause().expect("it says why");
    assert_eq!((cause.code(), cause.http_status(), cause.is_fatal()), (Code::Transport, Some(502), false));
    assert!(cause.retry().is_some());
    assert!(waited.to_string().contains(cause.message()), "{waited}");
    let source = std::error::Error::source(&waited).expect("a source").downcast_ref::<ksr::Error>();
    assert_eq!(source, Some(cause));
    assert!(std::error::Error::source(cause).is_none());
}

#[test]
fn names_of_statistics() {
    let stream = nowhere().open(Callbacks::new()).unwrap();
    for name in ["", "colour", "errors\0"] {
        assert_eq!(code(stream.stat(name)), Code::UnknownKey);
    }
    assert_eq!(code(stream.wait_synced(Some(Duration::ZERO))), Code::Timeout);
    assert_eq!(code(stream.wait_synced(Some(Duration::from_millis(20)))), Code::Timeout);
}

#[test]
fn closing_inside_a_callback_is_refused() {
    let (sender, calls) = channel();
    let stream =
        nowhere().open(Callbacks::new().on_error(move |handle, _| sender.send(handle.close()).unwrap())).unwrap();
    assert_eq!(code(await_one(&calls)), Code::WouldDeadlock);
    // Nothing happened: it is called again.
    assert_eq!(code(await_one(&calls)), Code::WouldDeadlock);
    stream.close().unwrap();
}

#[test]
fn cancelling_inside_a_callback_is_the_end_of_news() {
    let (sender, calls) = channel();
    let callbacks = Callbacks::new().on_error(move |handle, _| {
        handle.cancel();
        sender.send(handle.wait_synced(None)).unwrap();
    });
    let stream = nowhere().open(callbacks).unwrap();
    assert_eq!(code(await_one(&calls)), Code::Cancelled);
    stream.close().unwrap();
    assert!(calls.recv().is_err(), "a callback after the cancel");
}

#[test]
fn closing_without_waiting_inside_a_callback() {
    let drops = DropCounter::default();
    let token = drops.token();
    let callbacks = Callbacks::new().on_error(move |handle, _| {
        token.touch();
        handle.close_async();
        handle.close_async();
        assert_eq!(code(handle.close()), Code::WouldDeadlock);
    });
    let stream = nowhere().open(callbacks).unwrap();
    eventually("the end", || drops.count() == 1);
    stream.close().unwrap();
    assert_eq!(stream.failure(), None);
}

#[test]
fn a_stream_may_be_dropped_in_its_own_callback() {
    let drops = DropCounter::default();
    let own: Shared<ksr::Stream> = Shared::default();
    let (token, taken) = (drops.token(), Arc::clone(&own));
    let callbacks = Callbacks::new().on_error(move |_, _| {
        token.touch();
        drop(taken.lock().unwrap().take());
    });
    let mut place = own.lock().unwrap();
    *place = Some(nowhere().open(callbacks).unwrap());
    drop(place);
    eventually("the end", || drops.count() == 1);
    assert!(own.lock().unwrap().is_none());
}

#[test]
fn a_stream_may_belong_to_its_own_callback() {
    let drops = DropCounter::default();
    let own: Shared<ksr::Stream> = Shared::default();
    let (token, kept) = (drops.token(), Arc::clone(&own));
    let callbacks = Callbacks::new().on_error(move |handle, _| {
        token.touch();
        if kept.lock().unwrap().is_some() {
            handle.cancel();
            handle.close_async();
        }
    });
    let stream = nowhere().open(callbacks).unwrap();
    *own.lock().unwrap() = Some(stream);
    drop(own);
    eventually("the end", || drops.count() == 1);
}

#[test]
fn closing_waits_for_the_callback() {
    let drops = DropCounter::default();
    let (started, running) = channel();
    let token = drops.token();
    let callbacks = Callbacks::new().on_error(move |_, _| {
        let _ = started.send(());
        thread::sleep(Duration::from_millis(100));
        token.touch();
    });
    let stream = nowhere().open(callbacks).unwrap();
    await_one(&running);
    let handles: Vec<_> = (0..4).map(|_| stream.handle()).collect();
    thread::scope(|scope| {
        for handle in handles {
            let drops = drops.clone();
            scope.spawn(move || {
                handle.close().unwrap();
                assert_eq!(drops.count(), 1, "closed before the callback had returned");
            });
        }
    });
}

#[test]
fn a_storm_of_ends() {
    for _ in 0..100 {
        let drops = DropCounter::default();
        let token = drops.token();
        let callbacks = Callbacks::new().on_error(move |handle, _| {
            token.touch();
            handle.cancel();
        });
        let stream = nowhere().open(callbacks).unwrap();
        let gate = Barrier::new(4);
        thread::scope(|scope| {
            scope.spawn(|| (gate.wait(), stream.cancel()));
            scope.spawn(|| (gate.wait(), stream.close().unwrap()));
            scope.spawn(|| (gate.wait(), stream.close_async()));
            scope.spawn(|| (gate.wait(), stream.stat("errors").map(drop).unwrap_or_default()));
        });
        stream.close().unwrap();
        assert_eq!(drops.count(), 1);
    }
}

#[test]
fn cycles_leave_nothing() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let cycle = || {
        let drops = DropCounter::default();
        let token = drops.token();
        let (sender, calls) = channel();
        let callbacks = Callbacks::new().on_error(move |_, _| {
            token.touch();
            let _ = sender.send(());
        });
        let stream = nowhere().open(callbacks).unwrap();
        await_one(&calls);
        drop(stream);
        dropped.fetch_add(drops.count(), Ordering::SeqCst);
    };
    for _ in 0..10 {
        cycle();
    }
    let before = (entries("/proc/self/task"), entries("/proc/self/fd"));
    for _ in 0..60 {
        cycle();
    }
    assert_eq!(dropped.load(Ordering::SeqCst), 70);
    // Other tests come and go meanwhile; a leak would show as one for each cycle.
    let after = (entries("/proc/self/task"), entries("/proc/self/fd"));
    assert!(after.0 <= before.0 + 30 && after.1 <= before.1 + 30, "{before:?} have become {after:?}");
}
