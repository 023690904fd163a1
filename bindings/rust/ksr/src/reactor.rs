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

type Sleepers = Arc<Mutex<BTreeMap<u64, (Arc<Descriptor>, Waker)>>>;

struct Reactor {
    sleepers: Sleepers,
    seats: Mutex<u64>,
    /// The thread ends when this is dropped, and looks at the sleepers again when something is written.
    alarm: UnixStream,
}

impl Reactor {
    fn current() -> io::Result<Arc<Reactor>> {
        let mut current = lock(&CURRENT);
        if let Some(reactor) = current.as_ref().and_then(Weak::upgrade) {
            return Ok(reactor);
        }
        let (alarm, heard) = UnixStream::pair()?;
        for end in [&alarm, &heard] {
            end.set_nonblocking(true)?;
        }
        let sleepers = Sleepers::default();
        let seen = Arc::clone(&sleepers);
        thread::Builder::new().name("ksr-waker".to_owned()).spawn(move || watch(&seen, &heard))?;
        let reactor = Arc::new(Reactor { sleepers, seats: Mutex::new(0), alarm });
        *current = Some(Arc::downgrade(&reactor));
        Ok(reactor)
    }
}

/// The place of one stream.
pub(crate) struct Seat {
    reactor: Arc<Reactor>,
    number: u64,
    descriptor: Arc<Descriptor>,
}

impl Seat {
    pub(crate) fn new(descriptor: Arc<Descriptor>) -> io::Result<Seat> {
        let reactor = Reactor::current()?;
        let number = {
            let mut seats = lock(&reactor.seats);
            *seats += 1;
            *seats
        };
        Ok(Seat { reactor, number, descriptor })
    }

    /// Wakes once, when the descriptor is readable, be it so already.
    pub(crate) fn wake(&self, waker: &Waker) {
        let sleeper = (Arc::clone(&self.descriptor), waker.clone());
        let before = lock(&self.reactor.sleepers).insert(self.number, sleeper);
        if before.is_none() {
            // Should it be full, the thread is about to look anyway.
            let _ = (&self.reactor.alarm).write(&[1]);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let before = lock(&self.reactor.sleepers).remove(&self.number);
        // A waker is the program's: it is dropped without a lock.
        drop(before);
    }
}

fn watch(sleepers: &Sleepers, heard: &UnixStream) {
    while let Some(()) = listen(heard) {
        let watched: Vec<_> = lock(sleepers).iter().map(|(number, (one, _))| (*number, Arc::clone(one))).collect();
        let mut descriptors = vec![heard.as_raw_fd()];
        descriptors.extend(watched.iter().map(|(_, one)| one.as_fd().as_raw_fd()));
        let ready = readable(&descriptors, None);
        for ((number, _), _) in watched.iter().zip(&ready[1..]).filter(|(_, ready)| **ready) {
            let woken = lock(sleepers).remove(number);
            if let Some((_, waker)) = woken {
                // Whatever an executor does in there, the others are to be woken.
                let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
            }
        }
    }
}

/// Empties the alarm; `None` when nobody can ring it any more.
fn listen(mut heard: &UnixStream) -> Option<()> {
    let mut rung = [0; 64];
    loop {
        match heard.read(&mut rung) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Some(()),
            Err(_) => return None,
        }
    }
}
