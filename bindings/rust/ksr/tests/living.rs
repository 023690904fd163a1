//! On any server whose pods come, change and go (KSR_TEST_LIVING says that they do): a real kube-apiserver too.

mod common;

use std::collections::BTreeMap;
use std::collections::HashSet;

use common::{any_server, await_one, channel, next_of};
use ksr::{Callbacks, Config, DeltaKind, Snapshot};

/// What a program would hold: it is kept up with deltas alone, and compared with the objects.
#[derive(Default)]
struct View {
    versions: BTreeMap<String, String>,
    kinds: HashSet<DeltaKind>,
    sequence: u64,
}

impl View {
    fn apply(&mut self, snapshot: &Snapshot) {
        assert_eq!(snapshot.sequence(), self.sequence + 1);
        self.sequence = snapshot.sequence();
        for delta in snapshot.deltas() {
            let (uid, version) = (delta.object.uid().to_owned(), delta.object.resource_version().to_owned());
            let before = match delta.kind {
                DeltaKind::Deleted => self.versions.remove(&uid),
                _ => self.versions.insert(uid, version),
            };
            assert_eq!(before.is_none(), delta.kind == DeltaKind::Added, "{delta:?}");
            self.kinds.insert(delta.kind);
        }
        let objects = snapshot.iter().map(|object| (object.uid().to_owned(), object.resource_version().to_owned()));
        assert_eq!(self.versions, objects.collect());
        for object in snapshot {
            assert_eq!((object.kind(), object.api_version()), ("Pod", "v1"));
            assert_eq!(object.get("/metadata/uid").unwrap(), format!("\"{}\"", object.uid()).as_bytes());
            assert_eq!(snapshot.find(object.namespace(), object.name()), Some(object));
        }
    }

    fn has_seen_all(&self) -> bool {
        self.kinds.len() == 3
    }
}

fn living(transport: &str) -> Option<Config> {
    if std::env::var_os("KSR_TEST_LIVING").is_none() {
        eprintln!("skipped: KSR_TEST_LIVING does not say that there are living pods");
        return None;
    }
    Some(any_server("v1/pods")?.set("transport", transport))
}

#[test]
fn in_an_iterator() {
    for config in ["http", "websocket"].iter().filter_map(|transport| living(transport)) {
        let mut updates = config.updates().unwrap();
        let mut view = View::default();
        while !view.has_seen_all() {
            view.apply(&next_of(&mut updates));
        }
    }
}

#[test]
fn in_callbacks() {
    for config in ["http", "websocket"].iter().filter_map(|transport| living(transport)) {
        let (sender, calls) = channel();
        let mut view = View::default();
        let callbacks = Callbacks::new().on_update(move |handle, snapshot| {
            view.apply(snapshot);
            if view.has_seen_all() {
                handle.cancel();
                sender.send(snapshot.clone()).unwrap();
            }
        });
        let stream = config.open(callbacks).unwrap();
        let last = await_one(&calls);
        stream.close().unwrap();
        assert_eq!(stream.failure(), None);
        assert!(last.iter().all(|object| object.json().starts_with(b"{")));
    }
}

#[test]
fn with_a_limit_they_are_the_most_recent() {
    if let Some(config) = living("auto") {
        let snapshot = next_of(&mut config.limit(3).updates().unwrap());
        let times: Vec<_> = snapshot.iter().map(|object| object.creation_timestamp()).collect();
        assert!(times.len() <= 3 && times.windows(2).all(|pair| pair[0] >= pair[1]), "{times:?}");
    }
}

#[test]
fn what_is_not_there_is_an_error_with_a_reason() {
    if let Some(config) = living("auto") {
        let wrong = config.token("wrong").reconnect(false);
        let error = wrong.updates().unwrap().next().unwrap().unwrap_err();
        assert_eq!((error.code(), error.http_status()), (ksr::Code::Auth, Some(401)));
    }
}
