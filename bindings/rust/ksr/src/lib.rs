//! A live, correct view of Kubernetes resources: a resource is listed, watched from where the list ended, and handed
//! out as immutable snapshots with what has changed. Binds libksr, which `pkg-config ksr` must find.
//!
//! ```no_run
//! # fn main() -> Result<(), ksr::Error> {
//! let config = ksr::Config::new("v1/pods").namespace("default");
//! for snapshot in config.updates()? {
//!     for delta in snapshot?.deltas() {
//!         println!("{:?} {}", delta.kind, delta.object.name());
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Three ways to receive updates
//!
//! - [`Config::updates`]: [`Updates`], an iterator that blocks, or, by its descriptor, for an event loop of your
//!   own. Callbacks run on your threads only.
//! - [`Updates::into_async`]: [`UpdateStream`] for any executor, with the feature `futures` a `futures_core::Stream`.
//! - [`Config::open`]: [`Stream`], which calls [`Callbacks`] on a thread of the library.
//!
//! All three merge the changes that come while the program is busy: the next snapshot has them all.
//!
//! # Requests
//!
//! A [`Client`] makes any call of the Kubernetes API: [`Client::call`] blocks, [`Client::request`] is a future. Its
//! streams ([`Client::stream`], [`Client::updates`]) share its connection.
//!
//! [`Client::channel`] opens logs, commands, forwarded ports, WebSockets and bodies of any length: a [`Channel`], which
//! blocks or is awaited.
//!
//! # Life of a stream
//!
//! Opening never waits for the network. From then on the stream recovers by itself from whatever network and server do;
//! errors are information ([`Callbacks::on_error`]). It ends when its [`Stream`], [`Updates`] or
//! [`UpdateStream`] is dropped, with [`Handle::cancel`] and [`Handle::close`], with a fatal error, and when a callback
//! panics; [`Handle::failure`] says why. A [`Handle`] may outlive its stream: its methods then fail with
//! [`Code::Invalid`].
//!
//! # Callbacks
//!
//! Callbacks of one stream never overlap. They may block and may call everything on their own stream but
//! [`Handle::close`], which fails with [`Code::WouldDeadlock`]; [`Handle::cancel`] and [`Handle::close_async`] are for
//! that, and [`in_callback`] says where one is. To drop the [`Stream`] inside one of its own callbacks is allowed: its
//! end comes once the callback has returned.
//!
//! A panic in a callback is caught (with `panic = "abort"` it aborts as everywhere): the stream is cancelled,
//! `on_state` still reports [`State::Closed`], and [`Handle::failure`] is an error with [`Code::Panic`]. What callbacks
//! have captured is dropped once, after the last of them.
//!
//! # Life of a snapshot
//!
//! A [`Snapshot`] is a counted reference to memory of the library: cloning it copies nothing, and it may outlive its
//! stream and change threads. Its [`Object`]s borrow from it, and their texts and JSON are the library's own bytes, not
//! copied. [`Object::retain`] makes an [`OwnedObject`], which pins that one object alone.

#![warn(missing_docs, unsafe_op_in_unsafe_fn)]

mod async_updates;
mod boundary;
mod callbacks;
mod channel;
mod client;
mod code;
mod config;
mod descriptor;
mod error;
mod handle;
mod library;
mod link;
mod object;
mod params;
mod reactor;
mod request;
mod response;
mod snapshot;
mod stream;
mod text;
mod updates;
mod waiting;

pub use async_updates::{NextUpdate, UpdateStream};
pub use callbacks::Callbacks;
pub use channel::{Channel, Event, Message, ReadFuture, Reader, WaitFuture, WriteFuture, Writer};
pub use client::Client;
pub use code::{Code, DeltaKind, EventKind, LogLevel, Part, State};
pub use config::Config;
pub use error::Error;
pub use handle::Handle;
pub use library::{build_info, has_feature, in_callback, version, version_string};
pub use object::{Object, OwnedObject};
pub use params::Params;
pub use request::RequestFuture;
pub use response::Response;
pub use snapshot::{Delta, Deltas, Indexed, Objects, Snapshot};
pub use stream::Stream;
pub use updates::Updates;
