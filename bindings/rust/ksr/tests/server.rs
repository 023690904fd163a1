//! Streams on the test server: snapshots, deltas, objects, and what the server does to them.

mod common;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use common::{
    await_one, await_where, changes, channel, code, eventually, names, next_of, DropCounter, Place, TEST_TIMEOUT,
};
use ksr::{Callbacks, Code, DeltaKind, Object, OwnedObject, Snapshot, State};

/// Skips the test without a server.
macro_rules! place {
    ($name:expr) => {
        match Place::of($name) {
            Some(place) => place,
            None => return,
        }
    };
}

#[test]
fn a_life_in_snapshots() {
    let place = place!("a-life");
    place.script("create configmap NS/b team=red\ncreate configmap NS/a team=blue");
    let mut updates = place.config().updates().unwrap();
    let first = next_of(&mut updates);
    assert_eq!((first.sequence(), first.len(), first.is_empty()), (1, 2, false));
    assert_eq!((names(&first), changes(&first)), (vec!["a", "b"], "+a +b".to_owned()));
    assert!(!first.resource_version().is_empty());

    place.script("create configmap NS/c");
    assert_eq!(changes(&next_of(&mut updates)), "+c");
    place.script("update configmap NS/a team=green");
    assert_eq!(changes(&next_of(&mut updates)), "~a");
    place.script("delete configmap NS/b");
    let last = next_of(&mut updates);
    assert_eq!((changes(&last), names(&last)), ("-b".to_owned(), vec!["a", "c"]));
    assert_eq!(last.deltas().next().unwrap().object.get("/metadata/labels/team"), Some(&b"\"red\""[..]));
    assert_eq!((names(&first), last.sequence()), (vec!["a", "b"], 4));
    updates.wait_synced(None).unwrap();
    eventually("the live state", || updates.state() == State::Live);
    assert_eq!(updates.stat("objects").unwrap(), 2);
    assert_eq!(names(&updates.latest().unwrap()), ["a", "c"]);
}

#[test]
fn waiting_until_something_is_true() {
    let place = place!("waiting");
    place.script("create configmap NS/a");
    let stream = place.config().open(Callbacks::new()).unwrap();
    let ns = place.namespace();
    stream.wait_until(None, |snapshot| snapshot.find(ns, "a").is_some()).unwrap();
    let mut tests = 0;
    let waited = stream.wait_until(Some(Duration::from_millis(20)), |_| {
        tests += 1;
        false
    });
    assert_eq!((code(waited), tests), (Code::Timeout, 1));
    thread::scope(|scope| {
        scope.spawn(|| place.script("create configmap NS/b\ndelete configmap NS/a"));
        stream.wait_until(None, |snapshot| snapshot.find(ns, "b").is_some()).unwrap();
        stream.wait_until(None, |snapshot| snapshot.find(ns, "a").is_none()).unwrap();
    });
    let panicked =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stream.wait_until(None, |_| panic!("of the test"))));
    assert_eq!(panicked.unwrap_err().downcast_ref::<&str>(), Some(&"of the test"));
    let waited = stream.wait_until(None, |_| {
        stream.cancel();
        false
    });
    assert_eq!(code(waited), Code::Cancelled);
    stream.close().unwrap();
    assert_eq!(code(stream.wait_until(None, |_| true)), Code::Invalid);
}

#[test]
fn what_a_snapshot_answers() {
    let place = place!("a-snapshot");
    place.script("create configmap NS/a\ncreate configmap NS/b\ncreate configmap NS/c");
    let snapshot = next_of(&mut place.config().updates().unwrap());
    let ns = place.namespace();
    assert_eq!(snapshot.get(1), snapshot.find(ns, "b"));
    assert_eq!(snapshot.find_uid(snapshot.get(2).unwrap().uid()).unwrap().name(), "c");
    for nothing in [
        snapshot.get(3),
        snapshot.get(usize::MAX),
        snapshot.find(ns, "d"),
        snapshot.find("", ""),
        snapshot.find(ns, "a\0"),
        snapshot.find("\0", "a"),
        snapshot.find_uid(""),
        snapshot.find_uid("\0"),
    ] {
        assert_eq!(nothing, None);
    }
    assert_eq!((snapshot.iter().len(), snapshot.deltas().len()), (3, 3));
    assert_eq!(snapshot.iter().rev().map(|object| object.name()).collect::<String>(), "cba");
    assert_eq!(snapshot.iter().nth(1).unwrap().name(), "b");
    assert_eq!(snapshot.iter().nth(7), None);
    assert_eq!((&snapshot).into_iter().collect::<HashSet<_>>().len(), 3);
    assert!(snapshot.deltas().all(|delta| delta.kind == DeltaKind::Added));
    assert!(format!("{snapshot:?}").starts_with("Snapshot(1: 3 objects at "));
}

#[test]
fn what_an_object_says() {
    let place = place!("an-object");
    place.script(r#"create configmap NS/a team=blue {"data":{"gruß":"日本 \u0000 ~/","quote":"\""}}"#);
    let snapshot = next_of(&mut place.config().updates().unwrap());
    let object = snapshot.get(0).unwrap();
    assert_eq!((object.kind(), object.api_version()), ("ConfigMap", "v1"));
    assert_eq!((object.namespace(), object.name()), (place.namespace(), "a"));
    assert!(!object.uid().is_empty() && !object.resource_version().is_empty());
    assert!(object.creation_timestamp().ends_with('Z'));
    let json = object.json();
    assert!(json.starts_with(b"{") && json.ends_with(b"}"));
    let quote = object.get("/data/quote").unwrap();
    assert_eq!(quote, br#""\"""#);
    assert!(json.as_ptr_range().contains(&quote.as_ptr()), "it was copied");
    assert!(object.get("/data/gruß").is_some());
    assert_eq!(object.get("").map(<[u8]>::len), Some(json.len()));
    for nothing in ["/status", "data", "/", "/data/quote/0", "/data\0"] {
        assert_eq!(object.get(nothing), None, "{nothing:?}");
    }
}

#[test]
fn strings_are_borrowed_where_they_can_be() {
    let place = place!("strings");
    place.script(r#"create configmap NS/a {"data":{"s":"gruß","e":"gru\u00df \"","n":7,"":"","l":["x"]}}"#);
    let snapshot = next_of(&mut place.config().updates().unwrap());
    let object = snapshot.get(0).unwrap();
    assert!(matches!(object.str("/data/s"), Some(Cow::Borrowed("gruß"))));
    assert!(matches!(object.str("/data/e"), Some(Cow::Owned(text)) if text == "gruß \""));
    assert_eq!((object.str("/data/").as_deref(), object.str("/data/l/0").as_deref()), (Some(""), Some("x")));
    for nothing in ["/data/n", "/data/l", "/data", "/data/none", "data/s", "/data/s\0"] {
        assert_eq!(object.str(nothing), None, "{nothing:?}");
    }
}

#[test]
fn decoded_values() {
    let place = place!("decoded");
    place.script(
        r#"create configmap NS/a {"data":{"s":"gru\u00df \u0000\"","i":-7,"f":1.5,"b":true,"t":"1970-01-01T00:00:01.5Z","l":[1,2],"":""}}"#,
    );
    let snapshot = next_of(&mut place.config().updates().unwrap());
    let object = snapshot.get(0).unwrap();
    assert_eq!(object.get_string("/data/s").as_deref(), Some("gruß \0\""));
    assert_eq!((object.get_i64("/data/i"), object.get_i64("/data/f")), (Some(-7), None));
    assert_eq!((object.get_f64("/data/f"), object.get_f64("/data/s")), (Some(1.5), None));
    assert_eq!((object.get_bool("/data/b"), object.get_bool("/data/i")), (Some(true), None));
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1500);
    assert_eq!((object.get_time("/data/t"), object.get_time("/data/s")), (Some(time), None));
    assert_eq!(
        (object.size_of("/data/l"), object.size_of("/data"), object.size_of("/data/i")),
        (Some(2), Some(7), None)
    );
    assert_eq!(object.keys_of("/data"), ["s", "i", "f", "b", "t", "l", ""]);
    assert!(object.keys_of("/data/l").is_empty() && object.keys_of("\0").is_empty());
    assert_eq!(
        (object.get_string("/data/"), object.get_string("/data/none"), object.get_string("\0")),
        (Some(String::new()), None, None)
    );
}

#[test]
fn columns_and_indexes() {
    let place = place!("columns");
    place.script(
        "create configmap NS/a team=red\ncreate configmap NS/b team=blue\ncreate configmap NS/c team=red extra=red2",
    );
    let config = place.config().set("columns", "/metadata/labels/team /metadata/labels/*").set("index", "0 1");
    let snapshot = next_of(&mut config.set("keep_fields", "/data").updates().unwrap());
    let object = snapshot.get(0).unwrap();
    assert_eq!((object.column(0), object.column(1), object.column(2)), (Some("red"), Some("red"), None));
    assert_eq!(object.columns().collect::<Vec<_>>(), ["red", "red"]);
    assert_eq!(object.get("/metadata/labels"), None);
    let names = |column, value| snapshot.by_index(column, value).map(|object| object.name()).collect::<String>();
    assert_eq!((names(0, "red"), names(0, "blue"), names(1, "red2")), ("ac".into(), "b".into(), "c".into()));
    assert_eq!(names(0, "green") + &names(2, "red") + &names(0, "red\0"), "");
    assert_eq!(snapshot.by_index(0, "red").len(), 2);
    assert_eq!(snapshot.by_index(0, "red").next_back().map(|object| object.name()), Some("c"));
}

#[test]
fn what_was_before() {
    let place = place!("before");
    place.script("create configmap NS/a team=red");
    let mut updates = place.config().limit(1).updates().unwrap();
    let mut next = || {
        let snapshot = next_of(&mut updates);
        let team = |object: Object<'_>| String::from_utf8(object.get("/metadata/labels/team").unwrap().into()).unwrap();
        let told = snapshot.deltas().map(|delta| {
            (delta.kind, delta.object.name().to_owned(), delta.before.map(team).unwrap_or_default(), delta.left)
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(next(), [(DeltaKind::Added, "a".into(), String::new(), false)]);
    place.script("update configmap NS/a team=blue");
    assert_eq!(next(), [(DeltaKind::Modified, "a".into(), "\"red\"".into(), false)]);
    place.script(r#"create configmap NS/b {"metadata":{"creationTimestamp":"2199-01-01T00:00:00Z"}}"#);
    assert_eq!(
        next(),
        [
            (DeltaKind::Deleted, "a".into(), "\"blue\"".into(), true),
            (DeltaKind::Added, "b".into(), String::new(), false)
        ]
    );
}

#[test]
fn what_is_kept_outlives_the_stream() {
    let place = place!("outlives");
    place.script("create configmap NS/a\ncreate configmap NS/b");
    let mut updates = place.config().updates().unwrap();
    let snapshot = next_of(&mut updates);
    drop(updates);
    let copy = snapshot.clone();
    drop(snapshot);
    let kept: OwnedObject = copy.get(0).unwrap().retain();
    let reader = thread::spawn(move || names(&copy).concat());
    assert_eq!(reader.join().unwrap(), "ab");
    let again = kept.clone();
    drop(kept);
    assert_eq!(thread::spawn(move || again.object().name().to_owned()).join().unwrap(), "a");
}

#[test]
fn threads_may_share_everything() {
    fn shared<T: Send + Sync>() {}
    shared::<(Snapshot, OwnedObject, ksr::Object<'static>, ksr::Handle, ksr::Stream, ksr::Error, ksr::Config)>();
    fn sent<T: Send + Unpin>() {}
    sent::<(ksr::Updates, ksr::UpdateStream, Callbacks)>();
}

#[test]
fn callbacks_of_a_life() {
    let place = place!("callbacks");
    place.script("create configmap NS/a");
    let (sender, calls) = channel();
    let (tell_state, told_state) = channel();
    let callbacks = Callbacks::new()
        .on_update(move |handle, snapshot| {
            assert!(handle.latest().unwrap().sequence() >= snapshot.sequence());
            handle.wait_synced(None).unwrap();
            sender.send(snapshot.clone()).unwrap();
        })
        .on_state(move |_, state| tell_state.send(state).unwrap());
    let stream = place.config().open(callbacks).unwrap();
    assert_eq!(names(&await_one(&calls)), ["a"]);
    await_where(&told_state, |state| *state == State::Live);
    place.script("create configmap NS/b");
    assert_eq!(changes(&await_one(&calls)), "+b");
    drop(stream);
    assert_eq!(told_state.iter().last(), Some(State::Closed));
    assert!(calls.recv().is_err());
}

#[test]
fn a_slow_callback_gets_everything_merged() {
    let place = place!("slow");
    place.script("create configmap NS/a");
    let (started, running) = channel();
    let (go, wait) = channel::<()>();
    let (sender, calls) = channel();
    let callbacks = Callbacks::new().on_update(move |_, snapshot| {
        started.send(()).unwrap();
        let _ = wait.recv();
        sender.send(changes(snapshot)).unwrap();
    });
    let stream = place.config().open(callbacks).unwrap();
    await_one(&running);
    place.script("create configmap NS/b\nupdate configmap NS/b x=y\ncreate configmap NS/c\ndelete configmap NS/c");
    place.script("delete configmap NS/a");
    eventually("the last of them", || stream.stat("events").unwrap() >= 5);
    drop(go);
    assert_eq!(await_one(&calls), "+a");
    assert_eq!(await_one(&calls), "-a +b");
}

#[test]
fn the_most_recent_of_all() {
    let place = place!("recent");
    for (name, second) in [("old", 1), ("newest", 3), ("newer", 2)] {
        let time = format!(r#"{{"lastTimestamp":"2026-01-01T00:00:0{second}Z"}}"#);
        place.script(&format!("create event NS/{name} {time}"));
    }
    let config = ksr::Config::new("v1/events").limit(2);
    let config = ["server", "ca_file", "token"].iter().fold(config, |config, key| {
        let variable = format!("KSR_TEST_{}", key.split('_').next().unwrap().to_uppercase());
        config.set(*key, std::env::var(variable).unwrap())
    });
    let snapshot = next_of(&mut config.namespace(place.namespace()).updates().unwrap());
    assert_eq!(names(&snapshot), ["newest", "newer"]);
}

#[test]
fn a_refusal_has_code_and_reason() {
    let place = place!("refused");
    let mut updates = place.config().token("wrong").reconnect(false).updates().unwrap();
    let error = updates.next().unwrap().unwrap_err();
    assert_eq!((error.code(), error.http_status()), (Code::Auth, Some(401)));
    assert!(error.is_fatal() && !error.to_string().contains("wrong"));
    assert_eq!(error.reason(), "Unauthorized");
}

#[test]
fn closing_while_events_pour_in() {
    let place = place!("pouring");
    place.script("populate configmaps 20 ns=NS");
    let pouring = Arc::new(AtomicBool::new(true));
    let (still, source) = (Arc::clone(&pouring), Place::of("pouring").unwrap());
    let pourer = thread::spawn(move || {
        for round in 0.. {
            if !still.load(Ordering::SeqCst) {
                break;
            }
            let lines: String = (0..50).map(|i| format!("create configmap NS/p{round}-{i}\n")).collect();
            source.script(&lines);
        }
    });
    for _ in 0..20 {
        let drops = DropCounter::default();
        let token = drops.token();
        let (sender, calls) = channel();
        let mut last = 0;
        let callbacks = Callbacks::new().on_update(move |_, snapshot| {
            token.touch();
            assert_eq!(snapshot.sequence(), last + 1);
            last += 1;
            let _ = sender.send(());
        });
        let stream = place.config().open(callbacks).unwrap();
        await_one(&calls);
        await_one(&calls);
        stream.close().unwrap();
        assert_eq!((drops.count(), stream.failure()), (1, None));
    }
    pouring.store(false, Ordering::SeqCst);
    pourer.join().unwrap();
}

#[test]
fn an_iterator_within_its_time() {
    let place = place!("within");
    place.script("create configmap NS/a");
    let mut updates = place.config().updates().unwrap();
    assert!(matches!(updates.next_within(TEST_TIMEOUT), Poll::Ready(Some(Ok(_)))));
    assert!(updates.try_next().is_pending());
}
