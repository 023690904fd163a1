//! A client, which makes requests.

use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::sync::{Arc, Mutex};

use ksr_sys as sys;

use crate::boundary::{self, said, Delivery};
use crate::link::lock;
use crate::text::{text, to_c};
use crate::{
    Callbacks, Channel, Code, Config, Error, Event, LogLevel, Params, RequestFuture, Response, Stream, Updates,
};

/// Makes requests of one cluster: any call of the Kubernetes API, over the connection, credentials and discovery that
/// streams with the same [`Config`] use as well. A clone is the same client. Since 0.2.
///
/// ```no_run
/// use ksr::{Client, Code, Config, Params};
///
/// # fn main() -> Result<(), ksr::Error> {
/// let client = Client::open(&Config::default())?; // kubeconfig as kubectl; or .server(), .token()
/// let settings = Params::get("v1/configmaps", "settings").namespace("default");
/// match client.call(&settings) {
///     Ok(response) => println!("{:?}", response.object().and_then(|map| map.get("/data"))),
///     Err(error) if error.code() == Code::NotFound => println!("there is none"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
///
/// - [`call`](Client::call) blocks until the answer is there, and may be called anywhere, inside callbacks too.
/// - [`request`](Client::request) is a future for any executor.
///
/// What changes something is never carried out twice by a retry of the library; [`Error::maybe_done`] says whether what
/// has failed may have been carried out.
///
/// To drop the last clone, and the last future and stream of one, closes the client.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

type OnLog = Box<dyn FnMut(LogLevel, &str) + Send>;

thread_local! {
    /// The client whose callback this thread is in, as its number; 0: none.
    static INSIDE: Cell<usize> = const { Cell::new(0) };
    /// Whether a client that this thread is the last to give back waits for a callback that is running.
    static WAITS: Cell<bool> = const { Cell::new(true) };
}

/// While it lives, the thread is in a callback of that client.
pub(crate) struct Inside {
    before: usize,
}

impl Inside {
    pub(crate) fn new(client: usize) -> Inside {
        Inside { before: INSIDE.with(|inside| inside.replace(client)) }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.with(|inside| inside.set(self.before));
    }
}

/// What `user_data` points to, from `ksr_client_open` to `destroy`.
struct Host {
    on_log: Mutex<OnLog>,
    link: Arc<ClientLink>,
}

/// What a client and its callback share.
#[derive(Default)]
struct ClientLink {
    /// The ksr_client as a number of the library's registry, which is never used twice.
    client: Mutex<usize>,
    failure: Mutex<Option<Error>>,
}

pub(crate) struct Inner {
    link: Arc<ClientLink>,
    client: *mut sys::ksr_client,
    /// For what iterates: its callbacks run where it is polled, and the other's on a thread. Opened at the first use.
    manual: Mutex<Manual>,
    config: Config,
}

enum Manual {
    None,
    Open(*mut sys::ksr_client),
    Closed,
}

// SAFETY: the pointer is a number of the library's registry, which any thread may use.
unsafe impl Send for Inner {}
// SAFETY: the same.
unsafe impl Sync for Inner {}

impl Client {
    /// Opens a client with the connection and Headlamp keys of `config`; its other keys mean nothing here. Reads the
    /// files that they name, never waits for the network. Fails for an unknown or contradictory key, and for a file
    /// that cannot be read.
    pub fn open(config: &Config) -> Result<Client, Error> {
        Client::open_inner(config, None)
    }

    /// The same with a closure for lines of what the client does, without secrets. It is called on the client's thread,
    /// which wakes its futures too: a slow one delays them. When it panics, the client is cancelled, and its requests
    /// fail with [`Code::Panic`].
    pub fn open_with_log(
        config: &Config,
        on_log: impl FnMut(LogLevel, &str) + Send + 'static,
    ) -> Result<Client, Error> {
        Client::open_inner(config, Some(Box::new(on_log)))
    }

    fn open_inner(config: &Config, on_log: Option<OnLog>) -> Result<Client, Error> {
        let raw = config.build()?;
        let link = Arc::new(ClientLink::default());
        let (mut client, mut error) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: `raw` lives to the end of this function; what `host` points to lives until `on_destroy`, which the
        // library calls once, also when it fails.
        unsafe {
            sys::ksr_config_on_log(raw.get(), if on_log.is_some() { Some(client_log) } else { None });
            let on_log = on_log.unwrap_or_else(|| Box::new(|_, _| ()));
            let host = Box::into_raw(Box::new(Host { on_log: Mutex::new(on_log), link: Arc::clone(&link) }));
            let status = sys::ksr_client_open(raw.get(), host.cast(), Some(client_destroy), &mut client, &mut error);
            Error::check(status, error, || "ksr_client_open".to_owned())?;
        }
        *lock(&link.client) = client as usize;
        if lock(&link.failure).is_some() {
            // The callback has panicked before there was a client to cancel.
            // SAFETY: takes numbers of clients that are gone.
            unsafe { sys::ksr_client_cancel(client) };
        }
        let manual = Mutex::new(Manual::None);
        Ok(Client { inner: Arc::new(Inner { link, client, manual, config: config.clone() }) })
    }

    /// Makes a request and waits for its answer, as long as [`Params::timeout`] allows. Fails with what the server
    /// refuses it with, with what kept it from being answered, and with [`Code::Invalid`] before anything is sent for
    /// what can be told to be wrong.
    pub fn call(&self, params: &Params) -> Result<Response, Error> {
        let raw = params.build()?;
        let (mut response, mut error) = (ptr::null(), ptr::null_mut());
        // SAFETY: takes numbers of clients that are gone; the out-parameters outlive the call, which gives us the
        // response or the error.
        let called = unsafe {
            let status = sys::ksr_call(self.inner.client, raw.get(), &mut response, &mut error);
            Error::check(status, error, || "call".to_owned())
        };
        called.map_err(|error| self.inner.explained(error))?;
        // SAFETY: the reference is ours.
        Ok(unsafe { Response::adopt(response) })
    }

    /// Makes a request, which is sent at once, and returns a future of its answer, for any executor: the client's own
    /// thread wakes it. To drop the future cancels the request, and never blocks; what was sent may be carried out all
    /// the same.
    ///
    /// A callback of a stream or of a log must not block on one of its own client, whose thread it occupies:
    /// [`call`](Client::call) is for that.
    ///
    /// ```no_run
    /// # async fn names(client: ksr::Client) -> Result<(), ksr::Error> {
    /// let pods = client.request(&ksr::Params::list("v1/pods").namespace("default")).await?;
    /// println!("{} bytes", pods.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, params: &Params) -> RequestFuture {
        RequestFuture::open(&self.inner, params)
    }

    /// Opens a channel: the log of a container, a command in one, a forwarded port, a WebSocket or the body of a response,
    /// as [`Params::log`] and the like say. It does not wait for the network: what fails, the first read, write or wait
    /// returns.
    pub fn channel(&self, params: &Params) -> Result<Channel, Error> {
        Channel::open(&self.inner, params, None)
    }

    /// The same with a closure for what happens besides the bytes. It is called by reads, on the thread that reads or
    /// polls: [`EventKind::Gap`](crate::EventKind::Gap) comes between the bytes before the gap and those behind it. It
    /// must not read the channel itself.
    pub fn channel_with(
        &self,
        params: &Params,
        on_event: impl FnMut(Event) + Send + 'static,
    ) -> Result<Channel, Error> {
        Channel::open(&self.inner, params, Some(Box::new(on_event)))
    }

    /// Opens a stream over the client's connection, which calls `callbacks` on the client's thread: as
    /// [`Config::open`], but all such streams of a client have one thread, and their callbacks never overlap; one that
    /// takes its time delays the others, and futures. `query` has no connection keys: they are [`Code::Invalid`].
    /// [`Handle::close`](crate::Handle::close) inside any callback of the client fails with [`Code::WouldDeadlock`]. The
    /// stream keeps the client open.
    pub fn stream(&self, query: &Config, callbacks: Callbacks) -> Result<Stream, Error> {
        boundary::open(query, callbacks, Delivery::Client(Arc::clone(&self.inner), self.inner.client))
    }

    /// Opens a stream over the client's connection whose snapshots are iterated, or awaited: as [`Config::updates`], but
    /// all such streams of a client have one descriptor of the library's. Whichever is polled makes the callbacks of all;
    /// what comes for a stream that is not polled is merged, so that its next snapshot has all changes.
    pub fn updates(&self, query: &Config) -> Result<Updates, Error> {
        self.updates_with(query, Callbacks::new())
    }

    /// The same with callbacks, as [`Config::updates_with`] has them; they run on a thread that polls a stream of the
    /// client.
    pub fn updates_with(&self, query: &Config, callbacks: Callbacks) -> Result<Updates, Error> {
        let manual = self.inner.manual_client()?;
        Updates::open(query, callbacks, Delivery::Client(Arc::clone(&self.inner), manual))
    }

    /// Cancels all requests and streams of the client; the requests fail with [`Code::Cancelled`], and no other can be
    /// made. Never blocks, may be called anywhere.
    pub fn cancel(&self) {
        // SAFETY: takes numbers of clients that are gone.
        unsafe {
            sys::ksr_client_cancel(self.inner.client);
            if let Manual::Open(manual) = *lock(&self.inner.manual) {
                sys::ksr_client_cancel(manual);
            }
        }
    }

    /// Cancels all requests under way, closes the streams of the client, and waits for a callback that is running, never
    /// for the network. Once it has returned `Ok` no callback runs or ever will; responses and snapshots stay. All
    /// clones are closed: their requests fail with [`Code::Invalid`]. May be called any number of times. Inside a
    /// callback of the client it fails with [`Code::WouldDeadlock`], and nothing happens.
    pub fn close(&self) -> Result<(), Error> {
        if self.inner.is_inside() {
            return checked_close(sys::KSR_E_WOULD_DEADLOCK);
        }
        // SAFETY: takes numbers of clients that are gone.
        unsafe {
            checked_close(sys::ksr_client_close(self.inner.client))?;
            let manual = match *lock(&self.inner.manual) {
                Manual::Open(manual) => manual,
                _ => ptr::null_mut(),
            };
            // Callbacks of its streams may run within this: without the lock.
            checked_close(sys::ksr_client_close(manual))?;
        }
        *lock(&self.inner.manual) = Manual::Closed;
        Ok(())
    }

    /// The current value of a statistic that CONFIGURATION.md lists under "Requests", such as `requests` or
    /// `open_requests`. Fails with [`Code::UnknownKey`] for another name, and with [`Code::Invalid`] once the client is
    /// closed.
    pub fn stat(&self, name: &str) -> Result<u64, Error> {
        let text = to_c(name, "a statistic", Code::UnknownKey)?;
        let mut value = 0;
        // SAFETY: takes numbers of clients that are gone; `value` outlives the call.
        let status = unsafe { sys::ksr_client_stat(self.inner.client, text.as_ptr(), &mut value) };
        // SAFETY: there is no error object.
        unsafe { Error::check(status, ptr::null_mut(), || format!("stat {name}"))? };
        Ok(value)
    }
}

fn checked_close(status: sys::ksr_status) -> Result<(), Error> {
    match status {
        sys::KSR_OK | sys::KSR_E_INVALID => Ok(()), // the latter: it is closed already
        sys::KSR_E_WOULD_DEADLOCK => {
            Err(Error::new(Code::WouldDeadlock, "close: called inside a callback of the client; use cancel"))
        }
        // SAFETY: there is no error object.
        status => unsafe { Error::check(status, ptr::null_mut(), || "close".to_owned()) },
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("open_requests", &self.stat("open_requests").ok()).finish()
    }
}

impl Inner {
    pub(crate) fn handle(&self) -> *mut sys::ksr_client {
        self.client
    }

    fn manual_client(&self) -> Result<*mut sys::ksr_client, Error> {
        let mut manual = lock(&self.manual);
        match *manual {
            Manual::Open(client) => return Ok(client),
            Manual::Closed => return Err(Error::new(Code::Invalid, "updates: the client is closed")),
            Manual::None if self.is_closed() => return Err(Error::new(Code::Invalid, "updates: the client is closed")),
            Manual::None => {}
        }
        let raw = self.config.build()?;
        raw.set("delivery", "manual")?;
        let (mut client, mut error) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: `raw` lives to the end of this function; the out-parameters outlive the call.
        unsafe {
            let status = sys::ksr_client_open(raw.get(), ptr::null_mut(), None, &mut client, &mut error);
            Error::check(status, error, || "ksr_client_open".to_owned())?;
        }
        *manual = Manual::Open(client);
        Ok(client)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.probe() == sys::KSR_E_INVALID
    }

    pub(crate) fn is_forked(&self) -> bool {
        self.probe() == sys::KSR_E_FORKED
    }

    /// The calling thread is inside a callback of a stream or of the log of it.
    pub(crate) fn is_inside(&self) -> bool {
        let inside = INSIDE.with(Cell::get);
        let manual = match *lock(&self.manual) {
            Manual::Open(manual) => manual as usize,
            _ => 0,
        };
        inside != 0 && (inside == self.client as usize || inside == manual)
    }

    fn probe(&self) -> sys::ksr_status {
        let mut value = 0;
        // SAFETY: takes numbers of clients that are gone; the name is a C string.
        unsafe { sys::ksr_client_stat(self.client, b"requests\0".as_ptr().cast(), &mut value) }
    }

    /// A panic of the program's own is why a request was cancelled.
    pub(crate) fn explained(&self, error: Error) -> Error {
        match lock(&self.link.failure).clone() {
            Some(panic) if error.code() == Code::Cancelled => panic,
            _ => error,
        }
    }
}

/// A client as futures and channels keep it: to drop it never waits, also where it is the last.
pub(crate) struct Kept {
    client: Option<Arc<Inner>>,
}

impl Kept {
    pub(crate) fn new(client: &Arc<Inner>) -> Kept {
        Kept { client: Some(Arc::clone(client)) }
    }
}

impl Deref for Kept {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        self.client.as_ref().expect("it is there until the drop")
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let before = WAITS.with(|waits| waits.replace(false));
        self.client = None;
        WAITS.with(|waits| waits.set(before));
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let manual = match *lock(&self.manual) {
            Manual::Open(manual) => manual,
            _ => ptr::null_mut(),
        };
        let waits = WAITS.with(Cell::get);
        for client in [self.client, manual] {
            // SAFETY: takes numbers of clients that are gone, and NULL.
            if !waits || unsafe { sys::ksr_client_close(client) } == sys::KSR_E_WOULD_DEADLOCK {
                // SAFETY: the same.
                unsafe { sys::ksr_client_close_async(client) };
            }
        }
    }
}

unsafe extern "C" fn client_log(level: i32, message: *const c_char, size: usize, user_data: *mut c_void) {
    // SAFETY: the library hands back what `open_inner` gave it; the message lives until this returns.
    let (host, line) = unsafe {
        let line = text(|len| {
            *len = size;
            message
        });
        (&*user_data.cast::<Host>(), line)
    };
    if lock(&host.link.failure).is_some() {
        return;
    }
    let mut on_log = lock(&host.on_log);
    let client = *lock(&host.link.client);
    let _inside = Inside::new(client);
    guard(&host.link, || on_log(LogLevel::from_number(level), line));
}

unsafe extern "C" fn client_destroy(user_data: *mut c_void) {
    // SAFETY: the library gives back what `open_inner` gave it, once, after everything else.
    let Host { on_log, link } = *unsafe { Box::from_raw(user_data.cast::<Host>()) };
    // What the closure holds may panic when it is dropped.
    guard(&link, move || drop(on_log));
}

/// Runs code of the program. Its panic cancels the client.
fn guard(link: &ClientLink, code: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(code)) {
        let error = Error::new(Code::Panic, format!("on_log callback of a client panicked: {}", said(&*panic)));
        lock(&link.failure).get_or_insert(error);
        // SAFETY: takes numbers of clients that are gone, and NULL.
        unsafe { sys::ksr_client_cancel(*lock(&link.client) as *mut sys::ksr_client) };
        // The value itself may panic when it is dropped.
        if let Err(again) = catch_unwind(AssertUnwindSafe(move || drop(panic))) {
            std::mem::forget(again);
        }
    }
}
