//! What is taken of the library is given back. Alone in its program, whose memory it looks at.

mod common;

use std::sync::Mutex;

use common::{next_of, Place};
use ksr::OwnedObject;

const OBJECTS: usize = 20;
const BYTES: usize = 100 * 1024;
const ROUNDS: usize = 40;

/// The memory is that of the whole program: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[test]
fn what_is_taken_is_given_back() {
    let place = match Place::of("memory") {
        Some(place) => place,
        None => return,
    };
    let _alone = ALONE.lock().unwrap();
    let text = "x".repeat(BYTES);
    for i in 0..OBJECTS {
        place.script(&format!(r#"create configmap NS/{i} {{"data":{{"k":"{text}"}}}}"#));
    }
    let use_all = || {
        let mut updates = place.config().updates().unwrap();
        let snapshot = next_of(&mut updates);
        let copies = vec![snapshot.clone(), updates.latest().unwrap(), snapshot.clone()];
        let kept: Vec<OwnedObject> = copies[0].iter().chain(&copies[2]).map(|object| object.retain()).collect();
        let again = kept.clone();
        drop((snapshot, copies, updates));
        assert_eq!(again.len(), 2 * OBJECTS);
        assert!(kept.iter().all(|one| one.object().json().len() > BYTES));
    };
    for _ in 0..5 {
        use_all();
    }
    let before = resident_bytes();
    for _ in 0..ROUNDS {
        use_all();
    }
    let grown = resident_bytes().saturating_sub(before);
    // One snapshot, or its objects, leaked in each round would add up to this.
    assert!(grown < OBJECTS * BYTES * ROUNDS / 4, "{grown} bytes more after {ROUNDS} rounds");
}

#[test]
fn what_requests_take_is_given_back() {
    let place = match Place::of("memory-of-requests") {
        Some(place) => place,
        None => return,
    };
    let _alone = ALONE.lock().unwrap();
    place.script(&format!(r#"create configmap NS/a {{"data":{{"k":"{}"}}}}"#, "x".repeat(BYTES)));
    let client = ksr::Client::open(&place.config()).unwrap();
    let get = |name: &str| ksr::Params::get("v1/configmaps", name).namespace(place.namespace());
    let use_all = || {
        let response = client.call(&get("a")).unwrap();
        let kept = response.clone().object().unwrap().retain();
        let dropped = client.request(&get("a"));
        assert!(client.call(&get("none")).unwrap_err().details().contains("NotFound"));
        let body = kept.object().json().to_vec();
        let update = ksr::Params::update("v1/configmaps", "a", body).namespace(place.namespace());
        assert!(client.call(&update).unwrap().len() > BYTES);
        drop((response, dropped));
        assert!(kept.object().json().len() > BYTES);
    };
    for _ in 0..50 {
        use_all();
    }
    let before = resident_bytes();
    for _ in 0..10 * ROUNDS {
        use_all();
    }
    let grown = resident_bytes().saturating_sub(before);
    // One response, object or body leaked in each round would add up to 40 MB.
    assert!(grown < BYTES * 10 * ROUNDS / 4, "{grown} bytes more after {} rounds", 10 * ROUNDS);
}
