//! Callbacks that panic end their stream, and nothing else.

mod common;

use std::panic;
use std::sync::Once;

use common::{await_one, await_where, channel, eventually, next_of, nowhere, DropCounter, Place};
use ksr::{Callbacks, Code, State};

/// Panics on purpose would fill the output.
fn quietly() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !info.to_string().contains("on purpose") {
                usual(info);
            }
        }));
    });
}

fn ends_with(callbacks: Callbacks, config: ksr::Config, said: &str) {
    quietly();
    let drops = DropCounter::default();
    let token = drops.token();
    let callbacks = callbacks.on_log(move |_, _| token.touch());
    let stream = config.open(callbacks).unwrap();
    eventually("the failure", || stream.failure().is_some());
    let failure = stream.failure().unwrap();
    assert_eq!(failure.code(), Code::Panic);
    assert_eq!(failure.message(), said);
    assert!(failure.is_fatal());
    stream.close().unwrap();
    assert_eq!(drops.count(), 1);
}

#[test]
fn in_on_error() {
    let callbacks = Callbacks::new().on_error(|_, _| panic!("on purpose"));
    ends_with(callbacks, nowhere(), "on_error callback panicked: on purpose");
}

#[test]
fn in_on_state() {
    let callbacks = Callbacks::new().on_state(|_, state| panic!("on purpose, {state:?}"));
    ends_with(callbacks, nowhere(), "on_state callback panicked: on purpose, Connecting");
}

#[test]
fn in_on_update() {
    let place = match Place::of("in-on-update") {
        Some(place) => place,
        None => return,
    };
    place.script("create configmap NS/a");
    let callbacks = Callbacks::new().on_update(|_, snapshot| panic!("on purpose, {}", snapshot.len()));
    ends_with(callbacks, place.config(), "on_update callback panicked: on purpose, 1");
}

#[test]
fn with_a_value_that_panics_in_turn() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("on purpose, again");
        }
    }
    let callbacks = Callbacks::new().on_error(|_, _| panic::resume_unwind(Box::new(Bomb)));
    ends_with(callbacks, nowhere(), "on_error callback panicked: a value that is no text");
    let bomb = Bomb;
    let stream = nowhere()
        .open(Callbacks::new().on_error(move |_, _| {
            let _ = &bomb;
        }))
        .unwrap();
    stream.close().unwrap();
    assert_eq!(stream.failure().unwrap().message(), "drop of a callback panicked: on purpose, again");
}

#[test]
fn the_others_are_told_of_the_end() {
    quietly();
    let (sender, calls) = channel();
    let (tell_error, told_error) = channel();
    let callbacks = Callbacks::new().on_state(move |_, state| sender.send(state).unwrap()).on_error(move |_, _| {
        tell_error.send(()).unwrap();
        panic!("on purpose");
    });
    let stream = nowhere().open(callbacks).unwrap();
    await_where(&calls, |state| *state == State::Closed);
    await_one(&told_error);
    assert!(told_error.recv().is_err(), "called again after its panic");
    drop(stream);
}

#[test]
fn an_iterator_says_so() {
    quietly();
    let callbacks = Callbacks::new().on_error(|_, _| panic!("on purpose"));
    let mut updates = nowhere().updates_with(callbacks).unwrap();
    assert_eq!(updates.next().unwrap().unwrap_err().code(), Code::Panic);
    assert!(updates.next().is_none());
}

#[test]
fn a_snapshot_outlives_the_panic() {
    quietly();
    let place = match Place::of("a-snapshot-outlives") {
        Some(place) => place,
        None => return,
    };
    place.script("create configmap NS/a");
    let mut updates = place.config().updates_with(Callbacks::new().on_state(|_, state| {
        assert!(state != State::Closed, "on purpose");
    }));
    let snapshot = next_of(updates.as_mut().unwrap());
    let handle = updates.as_ref().unwrap().handle();
    drop(updates);
    assert_eq!(snapshot.get(0).unwrap().name(), "a");
    assert_eq!(handle.failure().unwrap().code(), Code::Panic);
}
