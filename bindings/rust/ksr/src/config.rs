//! What to watch, on which server, with which credentials.

use std::ffi::CString;
use std::fmt;
use std::path::Path;
use std::ptr;

use ksr_sys as sys;

use crate::boundary::{self, Delivery};
use crate::text::to_c;
use crate::waiting::{By, Sameness};
use crate::{Callbacks, Code, Error, Stream, Updates};

/// What to watch, on which server, with which credentials: the keys of libksr's CONFIGURATION.md. They are checked when
/// a stream is opened, of which one `Config` may open any number.
///
/// Without [`server`](Config::server) and [`kubeconfig`](Config::kubeconfig) the cluster is found as kubectl finds it.
///
/// ```
/// let config = ksr::Config::new("apps/v1/deployments").namespace("shop").limit(100).set("min_interval", "200ms");
/// assert_eq!(format!("{config:?}"), r#"Config ["resource", "namespace", "limit", "min_interval"]"#);
/// let error = config.set("colour", "blue").updates().unwrap_err();
/// assert_eq!(error.code(), ksr::Code::UnknownKey);
/// assert!(error.message().contains("colour"));
/// ```
#[derive(Clone, Default)]
#[must_use = "a configuration does nothing until a stream is opened with it"]
pub struct Config {
    entries: Vec<(String, String)>,
}

impl Config {
    /// The resource to watch: `v1/pods`, `apps/v1/deployments`, `deploy`, a path, or several with commas between them.
    pub fn new(resource: impl Into<String>) -> Config {
        Config::default().set("resource", resource)
    }

    /// Sets any key; the last value of a key counts.
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Config {
        self.entries.push((key.into(), value.into()));
        self
    }

    /// The API server's URL.
    pub fn server(self, url: impl Into<String>) -> Config {
        self.set("server", url)
    }

    /// The bearer token.
    pub fn token(self, token: impl Into<String>) -> Config {
        self.set("token", token)
    }

    /// PEM file of the CAs to trust, and no others.
    pub fn ca_file(self, path: impl AsRef<Path>) -> Config {
        self.path("ca_file", path.as_ref())
    }

    /// The kubeconfig file.
    pub fn kubeconfig(self, path: impl AsRef<Path>) -> Config {
        self.path("kubeconfig", path.as_ref())
    }

    /// The context of the kubeconfig.
    pub fn context(self, name: impl Into<String>) -> Config {
        self.set("context", name)
    }

    /// One namespace, or several with commas between them; all, when it is never set.
    pub fn namespace(self, name: impl Into<String>) -> Config {
        self.set("namespace", name)
    }

    /// As kubectl's `-l`.
    pub fn label_selector(self, selector: impl Into<String>) -> Config {
        self.set("label_selector", selector)
    }

    /// As kubectl's `--field-selector`.
    pub fn field_selector(self, selector: impl Into<String>) -> Config {
        self.set("field_selector", selector)
    }

    /// Only that many objects: the most recent of all, most recent first.
    pub fn limit(self, count: u32) -> Config {
        self.set("limit", count.to_string())
    }

    /// `false`: the first failure that a retry would follow is fatal.
    pub fn reconnect(self, reconnect: bool) -> Config {
        self.set("reconnect", reconnect.to_string())
    }

    /// A path that is not UTF-8 becomes one that does not exist, so that opening reports it.
    fn path(self, key: &str, path: &Path) -> Config {
        self.set(key, path.to_string_lossy())
    }

    /// Opens a stream that calls `callbacks` on a thread of the library. Never waits for the network: an unreachable
    /// server is an `on_error`. Fails for a missing, unknown or contradictory key, and for a file that cannot be read.
    pub fn open(&self, callbacks: Callbacks) -> Result<Stream, Error> {
        boundary::open(self, callbacks, Delivery::Thread)
    }

    /// Opens a stream whose snapshots are iterated. Fails as [`open`](Config::open) does.
    pub fn updates(&self) -> Result<Updates, Error> {
        self.updates_with(Callbacks::new())
    }

    /// The same, with callbacks for errors, states and log lines, which are called while the iterator is polled, on the
    /// thread that polls. `on_update` is called too, before the iterator brings the same.
    pub fn updates_with(&self, callbacks: Callbacks) -> Result<Updates, Error> {
        Updates::open(self, callbacks, Delivery::Manual)
    }

    pub(crate) fn sameness(&self) -> Sameness {
        let value =
            |wanted: &str| self.entries.iter().rev().find(|(key, _)| key == wanted).map_or("", |(_, value)| value);
        let by = if !value("limit").trim_matches('0').is_empty() {
            // The time by which objects are ordered is not among what they show: each version may be another place.
            By::Version
        } else if value("notify") == "columns" {
            By::Columns
        } else if value("keep_fields").is_empty() && value("drop_fields").is_empty() {
            By::Version
        } else {
            By::Text
        };
        let has_several = |place: usize| {
            let pointer = value("columns").split_whitespace().nth(place);
            pointer.map_or(false, |pointer| pointer.split('/').any(|step| step == "*"))
        };
        let indexed = value("index").split_whitespace().filter_map(|number| number.parse().ok());
        Sameness { by, joined: indexed.filter(|place| has_several(*place)).collect() }
    }

    pub(crate) fn build(&self) -> Result<Raw, Error> {
        let raw = Raw::new()?;
        for (key, value) in &self.entries {
            if key == "delivery" {
                let message = "delivery: not to be set here; Config::open and Config::updates choose it";
                return Err(Error::new(Code::Invalid, message));
            }
            raw.set(key, value)?;
        }
        Ok(raw)
    }
}

/// Keys alone: values may be secrets.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Config ")?;
        f.debug_list().entries(self.entries.iter().map(|(key, _)| key)).finish()
    }
}

pub(crate) struct Raw(*mut sys::ksr_config);

impl Raw {
    fn new() -> Result<Raw, Error> {
        let mut config = ptr::null_mut();
        // SAFETY: `config` outlives the call.
        unsafe { Error::check(sys::ksr_config_new(&mut config), ptr::null_mut(), || "ksr_config_new".to_owned())? };
        Ok(Raw(config))
    }

    pub(crate) fn get(&self) -> *mut sys::ksr_config {
        self.0
    }

    pub(crate) fn set(&self, key: &str, value: &str) -> Result<(), Error> {
        let name: CString = to_c(key, "a config key", Code::UnknownKey)?;
        let value = to_c(value, key, Code::Invalid)?;
        let mut error = ptr::null_mut();
        // SAFETY: the config is ours, both texts are C strings.
        unsafe {
            let status = sys::ksr_config_set(self.0, name.as_ptr(), value.as_ptr(), &mut error);
            Error::check(status, error, || key.to_owned())
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: the config is ours.
        unsafe { sys::ksr_config_free(self.0) };
    }
}
