//! Bytes both ways over a client.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::os::raw::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use ksr_sys as sys;

use crate::client::{Inner, Kept};
use crate::link::lock;
use crate::text::to_c;
use crate::{Code, Error, EventKind, Params, Part};

/// What happens to a [`Channel`] besides its bytes. Since 0.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// Of [`EventKind::Interrupted`].
    pub error: Option<Error>,
}

/// A message of a WebSocket. Since 0.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A text; what is no UTF-8 in one of the server's is replaced.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

pub(crate) type OnEvent = Box<dyn FnMut(Event) + Send>;

/// As many as the library itself keeps.
const KEPT_EVENTS: usize = 256;
const NO_CODE: i32 = i32::MIN;
/// Of a poll function of the channel's, of which it is not known who calls it, nor whether somebody still waits.
const NO_WAITER: u64 = 0;
/// With more, they are woken, and those that still wait poll again.
const MOST_WITHOUT_WAITER: usize = 64;

/// A channel that [`Client::channel`](crate::Client::channel) has opened: the log of a container, a command, a forwarded
/// port, a WebSocket or the body of a response. A clone is the same channel; to drop the last one, and the last
/// [`Reader`], [`Writer`] and future of it, ends it without waiting. Since 0.2.
///
/// ```no_run
/// use std::io::{Read, Write};
/// use ksr::{Client, Code, Config, Params, Part};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::open(&Config::default())?;
/// let wc = client.channel(&Params::exec("web-0", ["wc", "-c"]).namespace("default").set("stdin", "true").set("stderr", "false"))?;
/// let mut stdin = wc.writer(Part::Stdin);
/// stdin.write_all(b"bytes")?;
/// stdin.finish()?;
/// let mut output = Vec::new();
/// wc.reader(Part::Stdout).read_to_end(&mut output)?;
/// match wc.wait(None) {
///     Ok(code) => println!("exit code {code:?}: {output:?}"),
///     Err(error) if error.code() == Code::Lost => println!("it is not known how it ended: {error}"),
///     Err(error) => return Err(error.into()),
/// }
/// # Ok(())
/// # }
/// ```
///
/// - Bytes are bytes: nothing is decoded, and pieces end anywhere. Whole lines of a log come together.
/// - What was asked for must be read: bytes that are not read make the server wait, and one part that is not read makes
///   all wait. A part that is not wanted is switched off by its key.
/// - Nothing is run twice. A command goes on when its channel ends before it, with its standard streams closed.
#[derive(Clone)]
pub struct Channel {
    inner: Arc<Open>,
}

struct Open {
    client: Kept,
    channel: *mut sys::ksr_channel,
    shared: Arc<Shared>,
    on_event: Mutex<Option<OnEvent>>,
}

// SAFETY: the pointer is a number of the library's registry, which any thread may use.
unsafe impl Send for Open {}
// SAFETY: the same.
unsafe impl Sync for Open {}

/// What the library's callbacks and those that wait share.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    last_waiter: AtomicU64,
}

#[derive(Default)]
struct State {
    /// Counts what the library has told.
    news: u64,
    keeps_events: bool,
    events: VecDeque<Event>,
    /// Each with the number of its [`Waiter`], or [`NO_WAITER`].
    wakers: Vec<(u64, Waker)>,
}

impl State {
    /// Keeps the waker of a poll that has found nothing. Returns those that are to be woken, and one that is to be
    /// dropped, without the lock, since they are the program's.
    fn keep(&mut self, waiter: u64, waker: &Waker) -> (Vec<Waker>, Option<Waker>) {
        if waiter != NO_WAITER {
            if let Some((_, kept)) = self.wakers.iter_mut().find(|(number, _)| *number == waiter) {
                let same = kept.will_wake(waker);
                return (Vec::new(), (!same).then(|| std::mem::replace(kept, waker.clone())));
            }
        } else {
            let nobody = |(number, _): &&(u64, Waker)| *number == NO_WAITER;
            if self.wakers.iter().filter(nobody).any(|(_, kept)| kept.will_wake(waker)) {
                return (Vec::new(), None);
            }
            if self.wakers.iter().filter(nobody).count() >= MOST_WITHOUT_WAITER {
                let all = std::mem::take(&mut self.wakers);
                let (crowd, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| nobody(&one));
                self.wakers = others;
                self.wakers.push((NO_WAITER, waker.clone()));
                return (crowd.into_iter().map(|(_, waker)| waker).collect(), None);
            }
        }
        self.wakers.push((waiter, waker.clone()));
        (Vec::new(), None)
    }
}

/// Who waits by a future, a [`Reader`] or a [`Writer`]: for its last poll alone, and until it is dropped.
struct Waiter {
    shared: Arc<Shared>,
    number: u64,
}

impl Waiter {
    fn new(shared: &Arc<Shared>) -> Waiter {
        let number = NO_WAITER + 1 + shared.last_waiter.fetch_add(1, Ordering::Relaxed);
        Waiter { shared: Arc::clone(shared), number }
    }
}

impl Clone for Waiter {
    fn clone(&self) -> Waiter {
        Waiter::new(&self.shared)
    }
}

impl fmt::Debug for Waiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut state = lock(&self.shared.state);
        let place = state.wakers.iter().position(|(number, _)| *number == self.number);
        let waker = place.map(|place| state.wakers.swap_remove(place));
        drop(state);
        drop(waker);
    }
}

/// If an executor's waker panics, the others are woken all the same.
fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    for waker in wakers {
        let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    }
}

impl Shared {
    fn tell(&self, event: Option<Event>) {
        let wakers = {
            let mut state = lock(&self.state);
            state.news += 1;
            if let Some(event) = event.filter(|_| state.keeps_events) {
                if state.events.len() >= KEPT_EVENTS {
                    let repeated = |one: &Event| !matches!(one.kind, EventKind::Gap | EventKind::Restarted);
                    if let Some(oldest) = state.events.iter().position(repeated) {
                        state.events.remove(oldest);
                    }
                }
                state.events.push_back(event);
            }
            std::mem::take(&mut state.wakers)
        };
        self.changed.notify_all();
        wake_all(wakers.into_iter().map(|(_, waker)| waker));
    }
}

unsafe extern "C" fn on_event(
    _channel: *mut sys::ksr_channel,
    event: i32,
    _part: i32,
    error: *const sys::ksr_error,
    user_data: *mut c_void,
) {
    // SAFETY: what `open` gave the library lives until `on_destroy`.
    let shared = unsafe { &*user_data.cast::<Shared>() };
    // SAFETY: the error lives until this returns.
    let error = (!error.is_null()).then(|| unsafe { Error::read(error) });
    let is_kept = !matches!(
        event,
        sys::KSR_EVENT_READABLE | sys::KSR_EVENT_WRITABLE | sys::KSR_EVENT_FINISHED | sys::KSR_EVENT_CLOSED
    );
    shared.tell(is_kept.then(|| Event { kind: EventKind::from_number(event), error }));
}

unsafe extern "C" fn on_destroy(user_data: *mut c_void) {
    // SAFETY: the library gives back what `open` gave it, once.
    let shared = unsafe { Arc::from_raw(user_data as *const Shared) };
    shared.tell(None);
}

/// How a call that does not wait has ended.
enum Outcome<T> {
    Done(T),
    NotYet,
}

impl Channel {
    pub(crate) fn open(client: &Arc<Inner>, params: &Params, callback: Option<OnEvent>) -> Result<Channel, Error> {
        let raw = params.build()?;
        let shared = Arc::new(Shared::default());
        lock(&shared.state).keeps_events = callback.is_some();
        let user_data = Arc::into_raw(Arc::clone(&shared));
        let (mut channel, mut error) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: what `user_data` points to lives until `on_destroy`, which the library calls once, also when it
        // fails; the rest outlives the call.
        let opened = unsafe {
            sys::ksr_params_on_event(raw.get(), Some(on_event));
            let status = sys::ksr_channel_open(
                client.handle(),
                raw.get(),
                user_data as *mut c_void,
                Some(on_destroy),
                &mut channel,
                &mut error,
            );
            Error::check(status, error, || "channel".to_owned())
        };
        opened.map_err(|error| client.explained(error))?;
        let inner = Open { client: Kept::new(client), channel, shared, on_event: Mutex::new(callback) };
        Ok(Channel { inner: Arc::new(inner) })
    }

    // ---- waiting

    /// Calls the closure for what has happened, then `attempt`, in one step with what the library tells: what lies
    /// behind a gap is held back until its event has been told.
    fn attempt<T>(
        &self,
        attempt: &mut impl FnMut() -> Result<Outcome<T>, Error>,
    ) -> Result<(MutexGuard<'_, State>, Outcome<T>), Error> {
        loop {
            let mut state = lock(&self.inner.shared.state);
            if state.events.is_empty() {
                let outcome = attempt()?;
                return Ok((state, outcome));
            }
            let mut callback = match self.inner.on_event.try_lock() {
                Ok(callback) => callback,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                // Another thread is in it: it tells these too.
                Err(TryLockError::WouldBlock) => {
                    let outcome = attempt()?;
                    return Ok((state, outcome));
                }
            };
            let events = std::mem::take(&mut state.events);
            drop(state);
            for event in events {
                if let Some(callback) = callback.as_mut() {
                    callback(event);
                }
            }
        }
    }

    /// `None`: not within the time.
    fn block<T>(
        &self,
        timeout: Option<Duration>,
        mut attempt: impl FnMut() -> Result<Outcome<T>, Error>,
    ) -> Result<Option<T>, Error> {
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let (mut state, outcome) = self.attempt(&mut attempt)?;
            if let Outcome::Done(value) = outcome {
                return Ok(Some(value));
            }
            // On the client's own thread nothing is told meanwhile: it has to be looked.
            let inside = self.inner.client.is_inside();
            let left = match end {
                Some(end) => match end.checked_duration_since(Instant::now()) {
                    Some(left) if !left.is_zero() => Some(left),
                    _ => return Ok(None),
                },
                None => None,
            };
            let longest = if inside { Some(Duration::from_millis(2)) } else { None };
            let wait = match (left, longest) {
                (Some(left), Some(longest)) => Some(left.min(longest)),
                (left, longest) => left.or(longest),
            };
            let seen = state.news;
            while state.news == seen {
                match wait {
                    None => {
                        state = self.inner.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                    }
                    Some(wait) => {
                        let waited = self.inner.shared.changed.wait_timeout(state, wait);
                        let (after, over) = waited.unwrap_or_else(PoisonError::into_inner);
                        state = after;
                        if over.timed_out() {
                            break;
                        }
                    }
                }
            }
        }
    }

    fn poll<T>(
        &self,
        context: &mut Context<'_>,
        waiter: u64,
        mut attempt: impl FnMut() -> Result<Outcome<T>, Error>,
    ) -> Poll<Result<T, Error>> {
        match self.attempt(&mut attempt) {
            Err(error) => Poll::Ready(Err(error)),
            Ok((_, Outcome::Done(value))) => Poll::Ready(Ok(value)),
            Ok((mut state, Outcome::NotYet)) => {
                let (crowd, replaced) = state.keep(waiter, context.waker());
                drop(state);
                drop(replaced);
                wake_all(crowd);
                Poll::Pending
            }
        }
    }

    fn waiter(&self) -> Waiter {
        Waiter::new(&self.inner.shared)
    }

    /// The status of `ask`, which reads or writes without waiting, or that there is nothing yet; ksr.h says at
    /// ksr_channel_read how the two are told apart.
    fn settled<T>(&self, mut ask: impl FnMut() -> (sys::ksr_status, T)) -> Outcome<(sys::ksr_status, T)> {
        let asked = ask();
        if asked.0 != sys::KSR_E_TIMEOUT {
            return Outcome::Done(asked);
        }
        match self.stat("end_known") {
            Ok(1) => Outcome::Done(ask()),
            _ => Outcome::NotYet,
        }
    }

    fn outcome<T>(&self, what: &str, ask: impl FnMut() -> (sys::ksr_status, T)) -> Result<Outcome<T>, Error> {
        match self.settled(ask) {
            Outcome::NotYet => Ok(Outcome::NotYet),
            Outcome::Done((sys::KSR_OK, value)) => Ok(Outcome::Done(value)),
            Outcome::Done((status, _)) => Err(self.refused(status, what)),
        }
    }

    /// What a status means: how the channel has ended, or what was wrong with the call.
    fn refused(&self, status: sys::ksr_status, what: &str) -> Error {
        let code = Code::from_status(status);
        let own = || Error::new(code, format!("{what}: {code}"));
        match code {
            Code::Invalid if self.stat("state").is_err() => {
                Error::new(Code::Cancelled, format!("{what}: the channel is closed"))
            }
            Code::Invalid | Code::TooLarge | Code::Unsupported | Code::NoMemory | Code::Internal | Code::Forked => {
                own()
            }
            _ => match self.ended() {
                Some(Err(error)) if error.code() == code => self.inner.client.explained(error),
                _ => own(),
            },
        }
    }

    /// `None`: it has not.
    fn ended(&self) -> Option<Result<Option<i32>, Error>> {
        let (mut exit_code, mut error) = (NO_CODE, ptr::null_mut());
        // SAFETY: takes numbers of channels that are gone; the out-parameters outlive the call, which gives us the error.
        let ended = unsafe {
            let status = sys::ksr_channel_wait(self.inner.channel, 0, &mut exit_code, &mut error);
            Error::check(status, error, || "wait".to_owned())
        };
        match ended {
            Ok(()) => Some(Ok(Some(exit_code).filter(|code| *code != NO_CODE))),
            // Of the wait, not of the channel.
            Err(error) if error.code() == Code::Timeout && error.http_status().is_none() => None,
            Err(error) => Some(Err(error)),
        }
    }

    // ---- reading

    fn read_once(&self, part: sys::ksr_part, buffer: &mut [u8]) -> (sys::ksr_status, usize) {
        let mut got = 0;
        // SAFETY: takes numbers of channels that are gone; the buffer has that many bytes.
        let status = unsafe {
            sys::ksr_channel_read(self.inner.channel, part, buffer.as_mut_ptr().cast(), buffer.len(), 0, &mut got)
        };
        (status, got)
    }

    fn read_now(&self, part: sys::ksr_part, buffer: &mut [u8]) -> Result<Outcome<usize>, Error> {
        self.outcome("read", || self.read_once(part, buffer))
    }

    /// Waits for bytes of a part, as long as it takes; 0: nothing more comes, in order, or `buffer` is empty. An end that
    /// was not in order is an error, after all bytes.
    pub fn read(&self, part: Part, buffer: &mut [u8]) -> Result<usize, Error> {
        let got = self.block(None, || self.read_now(part.number(), buffer))?;
        Ok(got.unwrap_or_default())
    }

    /// The same with a limit, beyond which it fails with [`Code::Timeout`] and no HTTP status (408 is that of a channel
    /// that has ended so); zero does not wait.
    pub fn read_within(&self, part: Part, buffer: &mut [u8], limit: Duration) -> Result<usize, Error> {
        let got = self.block(Some(limit), || self.read_now(part.number(), buffer))?;
        got.ok_or_else(|| Error::new(Code::Timeout, "read: nothing came within the limit"))
    }

    /// The same as a poll function, for futures of your own, which any number of tasks may call. A [`Reader`] wakes the task
    /// that has polled it last.
    pub fn poll_read(&self, context: &mut Context<'_>, part: Part, buffer: &mut [u8]) -> Poll<Result<usize, Error>> {
        self.poll_read_of(NO_WAITER, context, part, buffer)
    }

    fn poll_read_of(
        &self,
        waiter: u64,
        context: &mut Context<'_>,
        part: Part,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, Error>> {
        self.poll(context, waiter, || self.read_now(part.number(), buffer))
    }

    /// The same as a future. One that is dropped before it is ready has taken nothing.
    pub fn read_async<'a>(&'a self, part: Part, buffer: &'a mut [u8]) -> ReadFuture<'a> {
        ReadFuture { channel: self, part, buffer, waiter: self.waiter() }
    }

    /// A part as an [`io::Read`].
    pub fn reader(&self, part: Part) -> Reader {
        Reader { channel: self.clone(), part, waiter: self.waiter() }
    }

    // ---- writing

    fn write_now(&self, part: sys::ksr_part, bytes: &[u8]) -> Result<Outcome<usize>, Error> {
        self.outcome("write", || {
            let mut taken = 0;
            // SAFETY: takes numbers of channels that are gone; `bytes` has that many bytes.
            let status = unsafe {
                sys::ksr_channel_write(self.inner.channel, part, bytes.as_ptr().cast(), bytes.len(), 0, &mut taken)
            };
            (status, taken)
        })
    }

    /// Queues bytes for the server, as many as fit into `send_buffer`; waits while nothing fits.
    pub fn write(&self, part: Part, bytes: &[u8]) -> Result<usize, Error> {
        let taken = self.block(None, || self.write_now(part.number(), bytes))?;
        Ok(taken.unwrap_or_default())
    }

    /// The same with a limit, as that of [`read_within`](Channel::read_within).
    pub fn write_within(&self, part: Part, bytes: &[u8], limit: Duration) -> Result<usize, Error> {
        let taken = self.block(Some(limit), || self.write_now(part.number(), bytes))?;
        taken.ok_or_else(|| Error::new(Code::Timeout, "write: nothing was taken within the limit"))
    }

    /// The same as a poll function.
    pub fn poll_write(&self, context: &mut Context<'_>, part: Part, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        self.poll_write_of(NO_WAITER, context, part, bytes)
    }

    fn poll_write_of(
        &self,
        waiter: u64,
        context: &mut Context<'_>,
        part: Part,
        bytes: &[u8],
    ) -> Poll<Result<usize, Error>> {
        self.poll(context, waiter, || self.write_now(part.number(), bytes))
    }

    /// The same as a future.
    pub fn write_async<'a>(&'a self, part: Part, bytes: &'a [u8]) -> WriteFuture<'a> {
        WriteFuture { channel: self, part, bytes, waiter: self.waiter() }
    }

    /// A part as an [`io::Write`].
    pub fn writer(&self, part: Part) -> Writer {
        Writer { channel: self.clone(), part, waiter: self.waiter() }
    }

    /// Ends what is written to a part, behind what is queued: a command then reads the end of its standard input. Fails
    /// with [`Code::Unsupported`] where the protocol cannot say so, which is with a terminal, or where the server knows
    /// no other. It does not wait: before the protocol is known (the stat `state` is 1) it succeeds, and that failure is
    /// an [`EventKind::Interrupted`] for the closure of [`Client::channel_with`](crate::Client::channel_with).
    pub fn finish(&self, part: Part) -> Result<(), Error> {
        // SAFETY: takes numbers of channels that are gone.
        let status = unsafe { sys::ksr_channel_finish(self.inner.channel, part.number()) };
        self.checked(status, "finish")
    }

    /// The size of the terminal, 1 to 65535 each; [`Code::Invalid`] without the key `tty`.
    pub fn resize(&self, columns: u32, rows: u32) -> Result<(), Error> {
        // SAFETY: takes numbers of channels that are gone.
        let status = unsafe { sys::ksr_channel_resize(self.inner.channel, columns, rows) };
        self.checked(status, "resize")
    }

    fn checked(&self, status: sys::ksr_status, what: &str) -> Result<(), Error> {
        if status == sys::KSR_OK {
            return Ok(());
        }
        Err(self.refused(status, what))
    }

    // ---- messages of a WebSocket

    fn receive_now(&self, buffer: &mut Vec<u8>) -> Result<Outcome<Option<Message>>, Error> {
        loop {
            let part = self.stat("next_part").map_err(|error| match error.code() {
                Code::Invalid => self.refused(sys::KSR_E_INVALID, "receive"),
                _ => error,
            })?;
            let part = i32::try_from(part).unwrap_or_default();
            let wanted = if part == 0 { sys::KSR_PART_BINARY } else { part };
            let room = if part == 0 { 0 } else { buffer.len() };
            let (status, got) = match self.settled(|| self.read_once(wanted, &mut buffer[..room])) {
                Outcome::Done(read) => read,
                Outcome::NotYet => return Ok(Outcome::NotYet),
            };
            match status {
                // One that has come meanwhile does not fit, and stays.
                sys::KSR_E_TOO_LARGE => {
                    if buffer.len() < got {
                        buffer.resize(got, 0);
                    }
                }
                sys::KSR_OK if got > 0 => {
                    let bytes = buffer[..got].to_vec();
                    return Ok(Outcome::Done(Some(match part {
                        sys::KSR_PART_TEXT => Message::Text(String::from_utf8_lossy(&bytes).into_owned()),
                        _ => Message::Binary(bytes),
                    })));
                }
                // An end: unless a message has come just before it.
                _ if part == 0 && self.stat("next_part").unwrap_or(0) != 0 => {}
                sys::KSR_OK => return Ok(Outcome::Done(None)),
                status => return Err(self.refused(status, "receive")),
            }
        }
    }

    /// Of a WebSocket: waits for a message; empty ones are left out. `None`: the server has closed in order.
    pub fn receive(&self) -> Result<Option<Message>, Error> {
        let mut buffer = vec![0; 4096];
        let message = self.block(None, || self.receive_now(&mut buffer))?;
        Ok(message.flatten())
    }

    /// The same as a poll function.
    pub fn poll_receive(&self, context: &mut Context<'_>) -> Poll<Result<Option<Message>, Error>> {
        let mut buffer = vec![0; 4096];
        self.poll(context, NO_WAITER, || self.receive_now(&mut buffer))
    }

    /// Of a WebSocket: waits until the message is queued. One above `max_message` is [`Code::TooLarge`].
    pub fn send(&self, message: &Message) -> Result<(), Error> {
        self.block(None, || self.send_now(message))?;
        Ok(())
    }

    /// The same as a poll function.
    pub fn poll_send(&self, context: &mut Context<'_>, message: &Message) -> Poll<Result<(), Error>> {
        self.poll(context, NO_WAITER, || self.send_now(message))
    }

    fn send_now(&self, message: &Message) -> Result<Outcome<()>, Error> {
        let written = match message {
            Message::Text(text) => self.write_now(sys::KSR_PART_TEXT, text.as_bytes())?,
            Message::Binary(bytes) => self.write_now(sys::KSR_PART_BINARY, bytes)?,
        };
        Ok(match written {
            Outcome::Done(_) => Outcome::Done(()),
            Outcome::NotYet => Outcome::NotYet,
        })
    }

    // ---- the end

    /// Waits for the end; without a timeout as long as it takes, else it fails with [`Code::Timeout`]. The exit code of a
    /// command, any number; `None` where there is none, as for attach. [`Code::Lost`] when it is not known how the
    /// command ended: never a success.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<Option<i32>, Error> {
        let ended = self.block(timeout, || self.ended_now())?;
        ended.ok_or_else(|| Error::new(Code::Timeout, "wait: no end within the limit"))
    }

    /// The same as a poll function.
    pub fn poll_wait(&self, context: &mut Context<'_>) -> Poll<Result<Option<i32>, Error>> {
        self.poll(context, NO_WAITER, || self.ended_now())
    }

    /// The same as a future.
    pub fn wait_async(&self) -> WaitFuture<'_> {
        WaitFuture { channel: self, waiter: self.waiter() }
    }

    fn ended_now(&self) -> Result<Outcome<Option<i32>>, Error> {
        match self.ended() {
            None => Ok(Outcome::NotYet),
            Some(Ok(code)) => Ok(Outcome::Done(code)),
            Some(Err(error)) if error.code() == Code::Invalid => Err(self.refused(sys::KSR_E_INVALID, "wait")),
            Some(Err(error)) => Err(self.inner.client.explained(error)),
        }
    }

    /// Ends it, and every read, write and wait, which fail with [`Code::Cancelled`]. Never blocks, may be called
    /// anywhere, any number of times.
    pub fn cancel(&self) {
        // SAFETY: takes numbers of channels that are gone.
        unsafe { sys::ksr_channel_cancel(self.inner.channel) };
    }

    // ---- what is known

    /// Text on the channel as it is now, by its name in ksr.h: `protocol`, `container`, `pod_uid`, `cursor`,
    /// `close_code`, `close_reason`, `http_status`, `warnings`. `None` when there is none.
    #[must_use]
    pub fn info(&self, name: &str) -> Option<String> {
        let name = to_c(name, "an info", Code::UnknownKey).ok()?;
        let mut text = vec![0_u8; 256];
        loop {
            // SAFETY: takes numbers of channels that are gone; the buffer has that many bytes.
            let size = unsafe {
                sys::ksr_channel_info(self.inner.channel, name.as_ptr(), text.as_mut_ptr().cast(), text.len())
            };
            if size < text.len() {
                text.truncate(size);
                return Some(String::from_utf8_lossy(&text).into_owned()).filter(|text| !text.is_empty());
            }
            text.resize(size + 1, 0);
        }
    }

    /// Of a log: where it goes on behind the last whole line that was read, for the key `from_cursor`, also in another
    /// process.
    #[must_use]
    pub fn cursor(&self) -> Option<String> {
        self.info("cursor")
    }

    /// The same as of the first `bytes` that were read, for what reads ahead of what it uses, such as a
    /// [`BufReader`](std::io::BufReader). `None` when a line ends between them and the last 64 KiB that were read.
    #[must_use]
    pub fn cursor_at(&self, bytes: u64) -> Option<String> {
        self.info(&format!("cursor:{bytes}"))
    }

    /// The current value of a statistic that CONFIGURATION.md lists under "Channels", such as `gaps` or `exit_verified`.
    pub fn stat(&self, name: &str) -> Result<u64, Error> {
        let text = to_c(name, "a statistic", Code::UnknownKey)?;
        let mut value = 0;
        // SAFETY: takes numbers of channels that are gone; `value` outlives the call.
        let status = unsafe { sys::ksr_channel_stat(self.inner.channel, text.as_ptr(), &mut value) };
        // SAFETY: there is no error object.
        unsafe { Error::check(status, ptr::null_mut(), || format!("stat {name}"))? };
        Ok(value)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // SAFETY: takes numbers of channels that are gone.
        unsafe { sys::ksr_channel_close_async(self.channel) };
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("state", &self.stat("state").ok()).finish()
    }
}

// ---- futures ---------------------------------------------------------------------------------------------------------

/// See [`Channel::read_async`].
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct ReadFuture<'a> {
    channel: &'a Channel,
    part: Part,
    buffer: &'a mut [u8],
    waiter: Waiter,
}

impl Future for ReadFuture<'_> {
    type Output = Result<usize, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.channel.poll_read_of(this.waiter.number, context, this.part, this.buffer)
    }
}

/// See [`Channel::write_async`].
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct WriteFuture<'a> {
    channel: &'a Channel,
    part: Part,
    bytes: &'a [u8],
    waiter: Waiter,
}

impl Future for WriteFuture<'_> {
    type Output = Result<usize, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.channel.poll_write_of(self.waiter.number, context, self.part, self.bytes)
    }
}

/// See [`Channel::wait_async`].
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct WaitFuture<'a> {
    channel: &'a Channel,
    waiter: Waiter,
}

impl Future for WaitFuture<'_> {
    type Output = Result<Option<i32>, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.channel.poll(context, self.waiter.number, || self.channel.ended_now())
    }
}

// ---- std::io, and what AsyncRead and AsyncWrite of any crate look like -------------------------------------------------

/// A part that is read: an [`io::Read`], and by [`poll_read`](Reader::poll_read) what the AsyncRead of futures-io looks
/// like. An [`io::Error`] of it has an [`Error`] inside ([`io::Error::get_ref`]). Since 0.2.
#[derive(Clone, Debug)]
pub struct Reader {
    channel: Channel,
    part: Part,
    waiter: Waiter,
}

impl Reader {
    /// As `AsyncRead::poll_read`.
    pub fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.channel.poll_read_of(self.waiter.number, context, self.part, buffer).map_err(io_error)
    }
}

impl io::Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.channel.read(self.part, buffer).map_err(io_error)
    }
}

/// A part that is written: an [`io::Write`], and by its poll functions what the AsyncWrite of futures-io looks like. To
/// drop it ends nothing; [`finish`](Writer::finish) does. Since 0.2.
#[derive(Clone, Debug)]
pub struct Writer {
    channel: Channel,
    part: Part,
    waiter: Waiter,
}

impl Writer {
    /// As [`Channel::finish`].
    pub fn finish(&mut self) -> Result<(), Error> {
        self.channel.finish(self.part)
    }

    /// As `AsyncWrite::poll_write`.
    pub fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.channel.poll_write_of(self.waiter.number, context, self.part, bytes).map_err(io_error)
    }

    /// As `AsyncWrite::poll_flush`: what was taken is on its way.
    pub fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// As `AsyncWrite::poll_close`: [`finish`](Writer::finish).
    pub fn poll_close(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.channel.finish(self.part).map_err(io_error))
    }
}

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.channel.write(self.part, bytes).map_err(io_error)
    }

    /// What was taken is on its way.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn io_error(error: Error) -> io::Error {
    let kind = match error.code() {
        Code::Timeout => io::ErrorKind::TimedOut,
        Code::Invalid => io::ErrorKind::InvalidInput,
        Code::Unsupported => io::ErrorKind::Unsupported,
        Code::NotFound => io::ErrorKind::NotFound,
        Code::Auth | Code::Forbidden => io::ErrorKind::PermissionDenied,
        Code::Lost | Code::Transport | Code::Cancelled => io::ErrorKind::ConnectionAborted,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}
