//! The test server that the environment names, and how to wait.
#![allow(dead_code)] // each test program uses its part

use std::env;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use ksr::{Config, Error, Snapshot, Updates};

/// Ends a test that hangs; how long anything takes is not asserted.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Nobody listens there.
pub fn nowhere() -> Config {
    Config::new("v1/pods").server("http://127.0.0.1:1").set("backoff_initial", "10ms").set("backoff_max", "10ms")
}

/// A namespace of the test server's, for one test.
pub struct Place {
    namespace: String,
}

impl Place {
    /// `None`, which says so, when the environment names no test server.
    pub fn of(test: &str) -> Option<Place> {
        if env::var_os("KSR_TEST_SERVER").is_none() {
            eprintln!("skipped: KSR_TEST_SERVER, KSR_TEST_CA and KSR_TEST_TOKEN name no test server");
            return None;
        }
        Some(Place { namespace: format!("{test}-{}", std::process::id()) })
    }

    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    pub fn config(&self) -> Config {
        let variable = |name| env::var(name).expect(name);
        Config::new("v1/configmaps")
            .server(variable("KSR_TEST_SERVER"))
            .ca_file(variable("KSR_TEST_CA"))
            .token(variable("KSR_TEST_TOKEN"))
            .namespace(&self.namespace)
            .set("backoff_initial", "50ms")
    }

    /// Makes the server do something, and waits until it has; NS stands for the namespace.
    pub fn script(&self, lines: &str) {
        let variable = |name| env::var(name).expect(name);
        let answer = Command::new("curl")
            .args(["--silent", "--show-error", "--fail-with-body", "--max-time", "60", "--cacert"])
            .arg(variable("KSR_TEST_CA"))
            .args(["--header", &format!("Authorization: Bearer {}", variable("KSR_TEST_TOKEN"))])
            .args(["--data-binary", &lines.replace("NS", &self.namespace)])
            .arg(format!("{}/_ksr/script", variable("KSR_TEST_SERVER")))
            .output()
            .expect("curl runs");
        assert!(answer.status.success(), "{lines:?}: {answer:?}");
    }
}

/// What callbacks tell a test.
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    mpsc::channel()
}

pub fn await_one<T>(told: &Receiver<T>) -> T {
    told.recv_timeout(PATIENCE).expect("what was waited for did not come")
}

pub fn await_where<T>(told: &Receiver<T>, fits: impl Fn(&T) -> bool) -> T {
    loop {
        let one = await_one(told);
        if fits(&one) {
            return one;
        }
    }
}

pub fn eventually(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn next_of(updates: &mut Updates) -> Snapshot {
    match updates.next_within(PATIENCE) {
        Poll::Ready(Some(Ok(snapshot))) => snapshot,
        other => panic!("{other:?} instead of a snapshot"),
    }
}

pub fn names(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.iter().map(|object| object.name()).collect()
}

/// What happened to which, such as `+a ~b -c`.
pub fn changes(snapshot: &Snapshot) -> String {
    let mark = |kind| match kind {
        ksr::DeltaKind::Added => '+',
        ksr::DeltaKind::Modified => '~',
        ksr::DeltaKind::Deleted => '-',
        _ => '?',
    };
    let all: Vec<_> = snapshot.deltas().map(|delta| format!("{}{}", mark(delta.kind), delta.object.name())).collect();
    all.join(" ")
}

/// Counts how often what callbacks hold is dropped.
#[derive(Clone, Default)]
pub struct Graves(Arc<AtomicUsize>);

pub struct Mortal(Graves);

impl Graves {
    pub fn mortal(&self) -> Mortal {
        Mortal(self.clone())
    }

    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Mortal {
    pub fn touch(&self) {}
}

impl Drop for Mortal {
    fn drop(&mut self) {
        self.0 .0.fetch_add(1, Ordering::SeqCst);
    }
}

pub type Shared<T> = Arc<Mutex<Option<T>>>;

pub fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ksr::Code {
    result.expect_err("this fails").code()
}

/// Serialises tests that count threads and descriptors with those that make some.
pub fn entries(folder: &str) -> usize {
    std::fs::read_dir(folder).expect(folder).count()
}
