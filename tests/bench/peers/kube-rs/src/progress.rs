//! What has been seen of the reflector's stream.

use crate::process;
use kube::{Resource, ResourceExt};
use std::sync::mpsc::Sender;
use std::sync::Mutex;
use std::time::Instant;

const ANNOTATION_SENT: &str = "bench.ksr.test/sent";

pub enum Seen {
    List(Instant),
    Goal(Instant),
}

#[derive(Default)]
pub struct Wanted {
    pub version: u64,
    pub delays: Option<Vec<i64>>,
}

pub struct Progress {
    pub wanted: Mutex<Wanted>,
    pub seen: Mutex<Sender<Seen>>,
}

impl Progress {
    pub fn new(seen: Sender<Seen>) -> Self {
        Self { wanted: Mutex::default(), seen: Mutex::new(seen) }
    }

    pub fn notify(&self, what: Seen) {
        if let Ok(seen) = self.seen.lock() {
            let _ = seen.send(what);
        }
    }

    pub fn applied<K: Resource>(&self, object: &K) {
        let Ok(mut wanted) = self.wanted.lock() else { return };
        if let Some(delays) = &mut wanted.delays {
            let sent = object.annotations().get(ANNOTATION_SENT);
            let sent = sent.and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
            delays.push(process::wall_nanoseconds() - sent);
        }
        let version = object.meta().resource_version.as_deref();
        let version = version.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        if wanted.version != 0 && version >= wanted.version {
            self.notify(Seen::Goal(Instant::now()));
        }
    }
}
