//! A stream of the scenario, which reports what it does.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use ksr::{Callbacks, Client, Config, DeltaKind, Error, Handle, Snapshot, Stream, Updates};

use crate::block_on::block_on;
use crate::say;

const FLOWING: u64 = 3;

#[derive(Clone, Copy, PartialEq)]
pub enum Way {
    Callbacks,
    Iterator,
    Async,
}

struct Teller {
    name: String,
    pours: bool,
    last: AtomicU64,
    armed: AtomicBool,
    closed: AtomicBool,
}

impl Teller {
    fn report(&self, kind: &str, rest: &str) {
        if self.closed.load(Ordering::SeqCst) {
            say(&format!("broken {} {kind} after close", self.name));
        }
        say(&format!("{kind} {}{rest}", self.name));
    }

    fn update(&self, handle: &Handle, snapshot: &Snapshot) {
        // Before the report, which may be answered with the next step.
        let armed = self.armed.load(Ordering::SeqCst);
        let sequence = snapshot.sequence();
        let last = self.last.swap(sequence, Ordering::SeqCst);
        if sequence != last + 1 {
            say(&format!(
                "broken {} sequence {sequence} after {last}",
                self.name
            ));
        }
        if self.pours {
            if sequence == FLOWING {
                self.report("flowing", "");
            }
            return;
        }
        let (count, keys, deltas) = (snapshot.len(), keys(snapshot), deltas(snapshot));
        self.report(
            "update",
            &format!(" {sequence} count={count} keys={keys} deltas={deltas}"),
        );
        if armed {
            handle.cancel();
        }
    }

    fn error(&self, error: &Error) {
        let fatal = if error.is_fatal() { "fatal" } else { "retry" };
        let (code, status, reason) = (
            error.code(),
            error.http_status().unwrap_or(0),
            error.reason(),
        );
        self.report(
            "error",
            &format!(" {code} http={status} reason={reason} {fatal}"),
        );
    }
}

pub struct Watched {
    teller: Arc<Teller>,
    handle: Handle,
    _stream: Option<Stream>,
    waiter: Option<JoinHandle<()>>,
}

impl Watched {
    /// Over the connection of `client`, or one of its own.
    pub fn open(
        way: Way,
        name: &str,
        pours: bool,
        config: &Config,
        client: Option<&Client>,
    ) -> Result<Watched, Error> {
        let teller = Arc::new(Teller {
            name: name.to_owned(),
            pours,
            last: AtomicU64::new(0),
            armed: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        });
        let (errors, states, updates) = (
            Arc::clone(&teller),
            Arc::clone(&teller),
            Arc::clone(&teller),
        );
        let callbacks = Callbacks::new()
            .on_error(move |_, error| errors.error(error))
            .on_state(move |_, state| states.report("state", &format!(" {state:?}").to_uppercase()));
        if way == Way::Callbacks {
            let callbacks = callbacks.on_update(move |handle, shot| updates.update(handle, shot));
            let stream = match client {
                Some(client) => client.stream(config, callbacks)?,
                None => config.open(callbacks)?,
            };
            return Ok(Watched {
                teller,
                handle: stream.handle(),
                _stream: Some(stream),
                waiter: None,
            });
        }
        let iterator = match client {
            Some(client) => client.updates_with(config, callbacks)?,
            None => config.updates_with(callbacks)?,
        };
        let (handle, asked) = (iterator.handle(), iterator.handle());
        let waiter = thread::spawn(move || {
            for snapshot in all_of(way, iterator) {
                updates.update(&asked, &snapshot);
            }
        });
        Ok(Watched {
            teller,
            handle,
            _stream: None,
            waiter: Some(waiter),
        })
    }

    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    pub fn arm(&self) {
        self.teller.armed.store(true, Ordering::SeqCst);
    }

    pub fn close(&mut self) -> Result<(), Error> {
        self.handle.close()?;
        if let Some(waiter) = self.waiter.take() {
            waiter.join().expect("no panic");
        }
        self.teller.closed.store(true, Ordering::SeqCst);
        Ok(())
    }
}

/// Up to the end, which on_error has reported when it is a failure.
fn all_of(way: Way, mut updates: Updates) -> Box<dyn Iterator<Item = Snapshot>> {
    if way == Way::Iterator {
        return Box::new(std::iter::from_fn(move || updates.next()?.ok()));
    }
    let mut stream = updates.into_async().expect("a descriptor for the stream");
    Box::new(std::iter::from_fn(move || block_on(stream.next())?.ok()))
}

fn key(object: ksr::Object<'_>) -> String {
    format!("{}/{}", object.namespace(), object.name())
}

pub fn keys(snapshot: &Snapshot) -> String {
    snapshot.iter().map(key).collect::<Vec<_>>().join(",")
}

fn deltas(snapshot: &Snapshot) -> String {
    let changes = snapshot.deltas().map(|delta| {
        let mark = match delta.kind {
            DeltaKind::Added => '+',
            DeltaKind::Modified => '~',
            DeltaKind::Deleted => '-',
            _ => '?',
        };
        let labels = delta.object.get("/metadata/labels").unwrap_or_default();
        format!(
            "{mark}{}{}",
            key(delta.object),
            String::from_utf8_lossy(labels)
        )
    });
    changes.collect::<Vec<_>>().join(",")
}
