//! Wakes tasks of any executor. One thread waits for all streams of the process that are awaited; it is there as long
//! as one of them is.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::io::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Mutex, Weak};
use std::task::Waker;
use std::thread;

use crate::descriptor::{readable, Descriptor};
use crate::link::lock;

static CURRENT: Mutex<Option<Weak<Reactor>>> = Mutex::new(None);

type Waiting = Arc<Mutex<BTreeMap<u64, (Arc<Descriptor>, Waker)>>>;

struct Reactor {
    waiting: Waiting,
    last_number: Mutex<u64>,
    /// The thread ends when this is dropped, and looks at the waiting again when something is written.
    wake_sender: UnixStream,
}

impl Reactor {
    fn current() -> io::Result<Arc<Reactor>> {
        let mut current = lock(&CURRENT);
        if let Some(reactor) = current.as_ref().and_then(Weak::upgrade) {
            return Ok(reactor);
        }
        let (wake_sender, wake_receiver) = UnixStream::pair()?;
        for end in [&wake_sender, &wake_receiver] {
            end.set_nonblocking(true)?;
        }
        let waiting = Waiting::default();
        let seen = Arc::clone(&waiting);
        thread::Builder::new().name("ksr-waker".to_owned()).spawn(move || watch(&seen, &wake_receiver))?;
        let reactor = Arc::new(Reactor { waiting, last_number: Mutex::new(0), wake_sender });
        *current = Some(Arc::downgrade(&reactor));
        Ok(reactor)
    }
}

/// One stream that is waited for.
pub(crate) struct Registration {
    reactor: Arc<Reactor>,
    number: u64,
    descriptor: Arc<Descriptor>,
}

impl Registration {
    pub(crate) fn new(descriptor: Arc<Descriptor>) -> io::Result<Registration> {
        let reactor = Reactor::current()?;
        let number = {
            let mut last_number = lock(&reactor.last_number);
            *last_number += 1;
            *last_number
        };
        Ok(Registration { reactor, number, descriptor })
    }

    /// Wakes once, when the descriptor is readable, be it so already.
    pub(crate) fn wake(&self, waker: &Waker) {
        let entry = (Arc::clone(&self.descriptor), waker.clone());
        let before = lock(&self.reactor.waiting).insert(self.number, entry);
        if before.is_none() {
            // When the pipe is full, the thread is about to wake up anyway.
            let _ = (&self.reactor.wake_sender).write(&[1]);
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let before = lock(&self.reactor.waiting).remove(&self.number);
        // A waker is the program's: it is dropped without a lock.
        drop(before);
    }
}

fn watch(waiting: &Waiting, wake_receiver: &UnixStream) {
    while let Some(()) = drain(wake_receiver) {
        let watched: Vec<_> = lock(waiting).iter().map(|(number, (one, _))| (*number, Arc::clone(one))).collect();
        let mut descriptors = vec![wake_receiver.as_raw_fd()];
        descriptors.extend(watched.iter().map(|(_, one)| one.as_fd().as_raw_fd()));
        let ready = readable(&descriptors, None);
        for ((number, _), _) in watched.iter().zip(&ready[1..]).filter(|(_, ready)| **ready) {
            let woken = lock(waiting).remove(number);
            if let Some((_, waker)) = woken {
                // If an executor's waker panics, the others are woken all the same.
                let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
            }
        }
    }
}

/// Empties the wake-up pipe; `None` when its writer is gone.
fn drain(mut wake_receiver: &UnixStream) -> Option<()> {
    let mut buffer = [0; 64];
    loop {
        match wake_receiver.read(&mut buffer) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Some(()),
            Err(_) => return None,
        }
    }
}
