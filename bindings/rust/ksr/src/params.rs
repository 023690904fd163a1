//! What to ask a cluster for.

use std::fmt;
use std::ptr;
use std::time::Duration;

use ksr_sys as sys;

use crate::text::to_c;
use crate::{Code, Error};

/// One call of the Kubernetes API: a verb on a resource, or a method and a path. The keys are those that libksr's
/// CONFIGURATION.md lists under "Requests"; they are checked when a request is made, of which one `Params` may make any
/// number. Since 0.2.
///
/// ```
/// use ksr::Params;
///
/// let pod = Params::get("v1/pods", "web-0").namespace("shop");
/// let logs = Params::raw("GET", "/api/v1/namespaces/shop/pods/web-0/log").query("tailLines", "10");
/// let scale = Params::patch("apps/v1/deployments", "web", r#"{"spec":{"replicas":3}}"#)
///     .namespace("shop")
///     .subresource("scale");
/// # assert_eq!(format!("{scale:?}"), r#"Params ["verb", "resource", "name", "namespace", "subresource"] and a body"#);
/// # let _ = (pod, logs);
/// ```
#[derive(Clone, Default)]
#[must_use = "parameters do nothing until a request is made with them"]
pub struct Params {
    entries: Vec<(String, String, How)>,
    body: Vec<u8>,
}

/// What the library takes at most.
const LONGEST: Duration = Duration::from_secs(36_600 * 24 * 60 * 60);

#[derive(Clone, Copy)]
enum How {
    Set,
    Add,
}

impl Params {
    /// No keys.
    pub fn new() -> Params {
        Params::default()
    }

    fn verb(verb: &str, resource: impl Into<String>) -> Params {
        Params::new().set("verb", verb).set("resource", resource)
    }

    /// Reads an object. A resource is `v1/pods`, `apps/v1/deployments`, `deploy`, or several with commas between them,
    /// which are tried while the API is missing.
    pub fn get(resource: impl Into<String>, name: impl Into<String>) -> Params {
        Params::verb("get", resource).set("name", name)
    }

    /// Reads a collection: of one [`namespace`](Params::namespace), or of all.
    pub fn list(resource: impl Into<String>) -> Params {
        Params::verb("list", resource)
    }

    /// Makes an object, whose name is in its body.
    pub fn create(resource: impl Into<String>, body: impl Into<Vec<u8>>) -> Params {
        Params::verb("create", resource).body(body)
    }

    /// Replaces an object. With a resourceVersion in its body it fails with [`Code::Conflict`] when that is not the
    /// newest.
    pub fn update(resource: impl Into<String>, name: impl Into<String>, body: impl Into<Vec<u8>>) -> Params {
        Params::verb("update", resource).set("name", name).body(body)
    }

    /// Changes an object by a merge patch; by another kind with the key `patch_type`: `json` or `strategic`.
    pub fn patch(resource: impl Into<String>, name: impl Into<String>, body: impl Into<Vec<u8>>) -> Params {
        Params::verb("patch", resource).set("name", name).body(body)
    }

    /// Server-side apply on behalf of `manager`. Fields that another manager owns are a [`Code::Conflict`] whose
    /// [`details`](Error::details) name them, unless [`force`](Params::force).
    pub fn apply(
        resource: impl Into<String>,
        name: impl Into<String>,
        manager: impl Into<String>,
        body: impl Into<Vec<u8>>,
    ) -> Params {
        Params::verb("apply", resource).set("name", name).set("field_manager", manager).body(body)
    }

    /// Deletes an object. The answer is a Status, or the object where finalizers still hold it.
    pub fn delete(resource: impl Into<String>, name: impl Into<String>) -> Params {
        Params::verb("delete", resource).set("name", name)
    }

    /// Deletes all objects that the selectors match.
    pub fn delete_collection(resource: impl Into<String>) -> Params {
        Params::verb("deletecollection", resource)
    }

    /// Any method and path, percent-encoded, with or without a query.
    pub fn raw(method: impl Into<String>, path: impl Into<String>) -> Params {
        Params::new().set("method", method).set("path", path)
    }

    fn kind(kind: &str) -> Params {
        Params::new().set("kind", kind)
    }

    /// For [`Client::channel`](crate::Client::channel): the log of a container; more by the keys `follow`, `tail`,
    /// `since`, `container`, `previous`, `timestamps`, `follow_restarts`, `from_cursor`.
    pub fn log(pod: impl Into<String>) -> Params {
        Params::kind("log").set("name", pod)
    }

    /// For [`Client::channel`](crate::Client::channel): a command and its arguments in a container; more by the keys
    /// `stdin`, `stdout`, `stderr`, `tty`, `container`.
    pub fn exec<Word: Into<String>>(pod: impl Into<String>, command: impl IntoIterator<Item = Word>) -> Params {
        let params = Params::kind("exec").set("name", pod);
        command.into_iter().fold(params, |params, word| params.add("command", word))
    }

    /// For [`Client::channel`](crate::Client::channel): the process of a container that runs already.
    pub fn attach(pod: impl Into<String>) -> Params {
        Params::kind("attach").set("name", pod)
    }

    /// For [`Client::channel`](crate::Client::channel): one TCP connection to a port of a pod.
    pub fn port_forward(pod: impl Into<String>, port: u16) -> Params {
        Params::kind("portforward").set("name", pod).set("port", port.to_string())
    }

    /// For [`Client::channel`](crate::Client::channel): the WebSocket at a path.
    pub fn web_socket(path: impl Into<String>) -> Params {
        Params::kind("websocket").set("path", path)
    }

    /// For [`Client::channel`](crate::Client::channel): the body of the response at a path, of any length.
    pub fn download(path: impl Into<String>) -> Params {
        Params::kind("http").set("path", path)
    }

    /// Sets any key; the last value of a key counts.
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Params {
        self.entries.push((key.into(), value.into(), How::Set));
        self
    }

    /// Adds one more value to a list key: `resource`, `query.NAME`, `command`, `subprotocol`.
    pub fn add(mut self, key: impl Into<String>, value: impl Into<String>) -> Params {
        self.entries.push((key.into(), value.into(), How::Add));
        self
    }

    /// The body: JSON, or what a header `Content-Type` says. Copied when a request is made.
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Params {
        self.body = bytes.into();
        self
    }

    /// The namespace of the object.
    pub fn namespace(self, name: impl Into<String>) -> Params {
        self.set("namespace", name)
    }

    /// Such as `status`, `scale`, `eviction`.
    pub fn subresource(self, name: impl Into<String>) -> Params {
        self.set("subresource", name)
    }

    /// A header, `Accept` and `Content-Type` included; none that frames a message or holds credentials.
    pub fn header(self, name: &str, value: impl Into<String>) -> Params {
        self.set(format!("header.{name}"), value)
    }

    /// One more parameter of the URL.
    pub fn query(self, name: &str, value: impl Into<String>) -> Params {
        self.add(format!("query.{name}"), value)
    }

    /// As kubectl's `-l`; of list and delete_collection.
    pub fn label_selector(self, selector: impl Into<String>) -> Params {
        self.set("label_selector", selector)
    }

    /// As kubectl's `--field-selector`; of list and delete_collection.
    pub fn field_selector(self, selector: impl Into<String>) -> Params {
        self.set("field_selector", selector)
    }

    /// Who writes.
    pub fn field_manager(self, name: impl Into<String>) -> Params {
        self.set("field_manager", name)
    }

    /// Of apply: takes fields over from other managers.
    pub fn force(self) -> Params {
        self.set("force", "true")
    }

    /// Of writes: checked by the server, not stored.
    pub fn dry_run(self) -> Params {
        self.set("dry_run", "true")
    }

    /// Of the whole request with its retries, rounded up to milliseconds; 30 s, when it is never set. Zero: no limit; a
    /// hundred years is the longest.
    pub fn timeout(self, limit: Duration) -> Params {
        let rounded = limit.min(LONGEST).as_nanos().saturating_add(999_999) / 1_000_000;
        self.set("timeout", format!("{rounded}ms"))
    }

    /// What `ksr_request_open` takes.
    pub(crate) fn build(&self) -> Result<RawParams, Error> {
        let raw = RawParams::new()?;
        for (key, value, how) in &self.entries {
            raw.put(key, value, *how)?;
        }
        raw.body(&self.body)?;
        Ok(raw)
    }

    /// Whether it only reads, as far as its keys say.
    pub(crate) fn only_reads(&self) -> bool {
        let last =
            |wanted: &str| self.entries.iter().rev().find(|(key, ..)| key == wanted).map(|(_, value, _)| &**value);
        matches!(last("verb"), None | Some("get" | "list"))
            && matches!(last("method"), None | Some("GET" | "HEAD" | "OPTIONS"))
    }
}

/// Keys alone: values may be secrets.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Params ")?;
        f.debug_list().entries(self.entries.iter().map(|(key, ..)| key)).finish()?;
        f.write_str(if self.body.is_empty() { "" } else { " and a body" })
    }
}

pub(crate) struct RawParams(*mut sys::ksr_params);

impl RawParams {
    fn new() -> Result<RawParams, Error> {
        let mut params = ptr::null_mut();
        // SAFETY: `params` outlives the call.
        unsafe { Error::check(sys::ksr_params_new(&mut params), ptr::null_mut(), || "ksr_params_new".to_owned())? };
        Ok(RawParams(params))
    }

    pub(crate) fn get(&self) -> *mut sys::ksr_params {
        self.0
    }

    fn put(&self, key: &str, value: &str, how: How) -> Result<(), Error> {
        let name = to_c(key, "a key of a request", Code::UnknownKey)?;
        let value = to_c(value, key, Code::Invalid)?;
        let mut error = ptr::null_mut();
        // SAFETY: the params are ours, both texts are C strings.
        unsafe {
            let status = match how {
                How::Set => sys::ksr_params_set(self.0, name.as_ptr(), value.as_ptr(), &mut error),
                How::Add => sys::ksr_params_add(self.0, name.as_ptr(), value.as_ptr(), &mut error),
            };
            Error::check(status, error, || key.to_owned())
        }
    }

    fn body(&self, bytes: &[u8]) -> Result<(), Error> {
        let mut error = ptr::null_mut();
        // SAFETY: the params are ours, and `bytes` has that many bytes.
        unsafe {
            let status = sys::ksr_params_body(self.0, bytes.as_ptr().cast(), bytes.len(), &mut error);
            Error::check(status, error, || "the body".to_owned())
        }
    }
}

impl Drop for RawParams {
    fn drop(&mut self) {
        // SAFETY: the params are ours.
        unsafe { sys::ksr_params_free(self.0) };
    }
}
