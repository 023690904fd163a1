//! The test server that the environment names, and how to wait.
#![allow(dead_code)] // each test program uses its part

use std::env;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use ksr::{Config, Error, Snapshot, Updates};

/// Ends a test that hangs; how long anything takes is not asserted.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(150);

/// No server listens there.
pub fn nowhere() -> Config {
    Config::new("v1/pods").server("http://127.0.0.1:1").set("backoff_initial", "10ms").set("backoff_max", "10ms")
}

/// The server that the environment names, be it the scriptable one or a real kube-apiserver. `None`, which says so,
/// when there is none.
pub fn any_server(resource: &str) -> Option<Config> {
    if env::var_os("KSR_TEST_SERVER").is_none() {
        eprintln!("skipped: KSR_TEST_SERVER, KSR_TEST_CA and KSR_TEST_TOKEN name no test server");
        return None;
    }
    let variable = |name| env::var(name).expect(name);
    let config = Config::new(resource).server(variable("KSR_TEST_SERVER")).token(variable("KSR_TEST_TOKEN"));
    Some(config.ca_file(variable("KSR_TEST_CA")).set("backoff_initial", "50ms"))
}

/// A namespace of the scriptable server's, for one test.
pub struct Place {
    namespace: String,
}

impl Place {
    /// `None`, which says so, when the environment names no server that takes scripts.
    pub fn of(test: &str) -> Option<Place> {
        let _ = any_server("v1/configmaps")?;
        let place = Place { namespace: format!("{test}-{}", std::process::id()) };
        if ["403", "404"].contains(&place.ask("# nothing").as_str()) {
            eprintln!("skipped: the server takes no scripts");
            return None;
        }
        Some(place)
    }

    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    pub fn config(&self) -> Config {
        any_server("v1/configmaps").expect("a server").namespace(&self.namespace)
    }

    /// Makes the server do something, and waits until it has; NS stands for the namespace.
    pub fn script(&self, lines: &str) {
        assert_eq!(self.ask(lines), "200", "{lines:?}");
    }

    /// The same for what is no UTF-8; NS does not stand for the namespace.
    pub fn script_of_bytes(&self, lines: &[u8]) {
        assert_eq!(self.post(OsStr::from_bytes(lines)), "200", "{lines:?}");
    }

    /// The status of the answer.
    fn ask(&self, lines: &str) -> String {
        self.post(OsStr::new(&lines.replace("NS", &self.namespace)))
    }

    fn post(&self, lines: &OsStr) -> String {
        let variable = |name| env::var(name).expect(name);
        let answer = Command::new("curl")
            .args(["--silent", "--show-error", "--max-time", "60", "--write-out", "\n%{http_code}", "--cacert"])
            .arg(variable("KSR_TEST_CA"))
            .args(["--header", &format!("Authorization: Bearer {}", variable("KSR_TEST_TOKEN"))])
            .arg("--data-binary")
            .arg(lines)
            .arg(format!("{}/_ksr/script", variable("KSR_TEST_SERVER")))
            .output()
            .expect("curl runs");
        assert!(answer.status.success(), "{lines:?}: {answer:?}");
        let text = String::from_utf8_lossy(&answer.stdout);
        text.rsplit('\n').next().unwrap_or_default().to_owned()
    }
}

/// What callbacks have sent to a test.
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    mpsc::channel()
}

pub fn await_one<T>(calls: &Receiver<T>) -> T {
    calls.recv_timeout(TEST_TIMEOUT).expect("what was waited for did not come")
}

pub fn await_where<T>(calls: &Receiver<T>, fits: impl Fn(&T) -> bool) -> T {
    loop {
        let one = await_one(calls);
        if fits(&one) {
            return one;
        }
    }
}

pub fn eventually(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + TEST_TIMEOUT;
    while !holds() {
        assert!(Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn next_of(updates: &mut Updates) -> Snapshot {
    match updates.next_within(TEST_TIMEOUT) {
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
pub struct DropCounter(Arc<AtomicUsize>);

pub struct DropToken(DropCounter);

impl DropCounter {
    pub fn token(&self) -> DropToken {
        DropToken(self.clone())
    }

    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl DropToken {
    pub fn touch(&self) {}
}

impl Drop for DropToken {
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
