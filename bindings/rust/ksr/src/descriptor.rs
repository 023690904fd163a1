//! The descriptor that is readable when a stream has callbacks to run, and how to wait for it.

use std::io::{self, ErrorKind, Read};
use std::os::raw::{c_int, c_short, c_ulong};
use std::os::unix::io::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

const POLLIN: c_short = 1;
const EPOLL_CLOEXEC: c_int = 0o2_000_000;
const EPOLL_CTL_ADD: c_int = 1;
const EPOLLIN: u32 = 1;

#[repr(C)]
struct PollFd {
    fd: c_int,
    events: c_short,
    revents: c_short,
}

#[repr(C)]
#[cfg_attr(target_arch = "x86_64", repr(packed))]
struct EpollEvent {
    events: u32,
    data: u64,
}

extern "C" {
    fn poll(fds: *mut PollFd, count: c_ulong, timeout_ms: c_int) -> c_int;
    fn epoll_create1(flags: c_int) -> c_int;
    fn epoll_ctl(epoll: c_int, operation: c_int, fd: c_int, event: *mut EpollEvent) -> c_int;
}

/// Readable while `ksr_dispatch` has something to do, while there is something in the other end of `end`, and for good
/// once the stream is gone. It is a descriptor of its own, so that it outlives a stream which another thread closes
/// meanwhile.
pub(crate) struct Descriptor {
    both: OwnedFd,
    _news: OwnedFd,
    end: UnixStream,
}

impl Descriptor {
    /// `end` is the other end of one that is dropped with the stream. It does not block.
    pub(crate) fn new(news: BorrowedFd<'_>, end: UnixStream) -> io::Result<Descriptor> {
        let news = news.try_clone_to_owned()?;
        // SAFETY: the result is checked, and nothing else owns it.
        let both = unsafe { OwnedFd::from_raw_fd(checked(epoll_create1(EPOLL_CLOEXEC))?) };
        for part in [news.as_raw_fd(), end.as_raw_fd()] {
            let mut event = EpollEvent { events: EPOLLIN, data: 0 };
            // SAFETY: both descriptors are open, `event` outlives the call.
            checked(unsafe { epoll_ctl(both.as_raw_fd(), EPOLL_CTL_ADD, part, &mut event) })?;
        }
        Ok(Descriptor { both, _news: news, end })
    }

    /// Takes out what is in `end`.
    pub(crate) fn drain(&self) {
        let mut buffer = [0; 64];
        while let Ok(1..) = (&self.end).read(&mut buffer) {}
    }

    /// Waits until it is readable, with a timeout at most that long.
    pub(crate) fn wait(&self, timeout: Option<Duration>) {
        let end = timeout.and_then(|time| Instant::now().checked_add(time));
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if readable(&[self.both.as_raw_fd()], left).contains(&true) || left == Some(Duration::ZERO) {
                return;
            }
        }
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.both.as_fd()
    }
}

fn checked(result: c_int) -> io::Result<c_int> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}

/// Which of them are readable, or have ended, within the time. It may be none of them before that.
pub(crate) fn readable(descriptors: &[RawFd], timeout: Option<Duration>) -> Vec<bool> {
    let mut asked: Vec<_> = descriptors.iter().map(|&fd| PollFd { fd, events: POLLIN, revents: 0 }).collect();
    // Rounded up, or the last part of a millisecond would be spent in a busy loop.
    let limit = timeout.map_or(-1, |time| c_int::try_from(time.as_micros().div_euclid(1000) + 1).unwrap_or(c_int::MAX));
    let limit = if timeout == Some(Duration::ZERO) { 0 } else { limit };
    // SAFETY: the array has that many entries.
    let count = unsafe { poll(asked.as_mut_ptr(), asked.len() as c_ulong, limit) };
    if count < 0 && io::Error::last_os_error().kind() != ErrorKind::Interrupted {
        // Not a state that can be waited for: the next call on the stream reports it.
        return vec![true; descriptors.len()];
    }
    asked.iter().map(|entry| count > 0 && entry.revents != 0).collect()
}
