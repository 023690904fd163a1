"""An open stream."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import warnings
import weakref
from ctypes import byref, c_uint64, c_void_p
from types import TracebackType
from typing import AsyncIterator, Callable, Iterator, Optional, Sequence, Type, Union

from . import _inbox
from ._descriptor import Descriptor
from ._inbox import Inbox
from ._library import c_text, library
from .codes import Code, State, named
from .config import Config, Value
from .errors import Error, failure
from .snapshot import Snapshot

OnError = Callable[["Stream", Error], object]
OnState = Callable[["Stream", State], object]
OnLog = Callable[["Stream", int, str], object]

# How long a call into the library may delay Ctrl-C.
_SLICE_MS = 200


class Stream:
    """A live view of a resource: iterate it, with `for` or `async for`, to get a Snapshot whenever something has
    changed.

    Iteration ends when the stream is cancelled or closed, and raises Error when it failed for good. All callbacks run
    on the thread that iterates or polls; what they raise goes to sys.unraisablehook and the stream goes on. Without
    `on_error`, errors after which the stream tries again are warnings of the logger "ksr". All methods may be called on
    any thread; each snapshot goes to the first that takes it. In a child of os.fork() every method but close raises
    Error with Code.FORKED.
    """

    def __init__(
        self,
        config: Config,
        *,
        on_error: Optional[OnError] = None,
        on_state: Optional[OnState] = None,
        on_log: Optional[OnLog] = None,
    ) -> None:
        self._lib = library()
        self._process = os.getpid()
        self._inbox = Inbox(on_error, on_state, on_log)
        self._inbox.belongs_to(self)
        self._turn = threading.RLock()  # of the thread that waits, dispatches or closes
        self._dispatching = False
        self._closed = False
        self._pointer = config._open(_inbox.register(self._inbox), wants_log=on_log is not None)
        self._end = weakref.finalize(self, _abandon, self._lib, self._pointer, self._process, repr(config))
        self._end.atexit = False  # at exit the process ends with open streams
        self._descriptor = Descriptor(self._lib.ksr_fd(self._pointer))

    # ---- snapshots

    def poll(self, timeout: Optional[float] = 0.0) -> Optional[Snapshot]:
        """The next snapshot, for which it waits at most `timeout` seconds (None: without limit); None when it has not
        come by then. Raises Error when there will be no more: what the stream failed with, or Code.CANCELLED."""
        deadline = None if timeout is None else time.monotonic() + timeout
        self._require_usable()
        if not self._turn.acquire(timeout=-1 if timeout is None else max(0.0, min(timeout, threading.TIMEOUT_MAX))):
            return None
        try:
            descriptor = self._descriptor
            while True:
                snapshot = self._take()
                if snapshot is not None or not descriptor.wait(deadline):
                    return snapshot
        finally:
            self._turn.release()

    def __iter__(self) -> Iterator[Snapshot]:
        self._require_usable()
        return self._snapshots()

    def _snapshots(self) -> Iterator[Snapshot]:
        while True:
            try:
                snapshot = self.poll(None)
            except Error as error:
                if self._ended_by_host(error):
                    return
                raise
            if snapshot is not None:
                yield snapshot

    def __aiter__(self) -> AsyncIterator[Snapshot]:
        self._require_usable()
        return self._snapshots_async()

    async def _snapshots_async(self) -> AsyncIterator[Snapshot]:
        descriptor = self._descriptor
        while True:
            # Always through the loop: a busy cluster must not starve its other tasks.
            await (asyncio.sleep(0) if self._inbox.snapshots else descriptor.readable())
            try:
                snapshot = self._take_if_free()
            except Error as error:
                if self._ended_by_host(error):
                    return
                raise
            if snapshot is not None:
                yield snapshot

    def latest(self) -> Optional[Snapshot]:
        """The newest complete snapshot, which may be one that iteration has not brought yet; None before the first."""
        self._require_usable()
        address = self._lib.ksr_latest(self._pointer)
        return Snapshot(address) if address else None

    def wait_synced(self, timeout: Optional[float] = None) -> None:
        """Waits until `latest` returns a snapshot. Raises Error: Code.TIMEOUT, or Code.CANCELLED when the stream ended
        before."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self._require_usable()
            left_ms = _SLICE_MS if deadline is None else max(0, int((deadline - time.monotonic()) * 1000))
            status = self._lib.ksr_wait_synced(self._pointer, min(left_ms, _SLICE_MS))
            if status == Code.OK:
                return
            if status != Code.TIMEOUT or (deadline is not None and time.monotonic() >= deadline):
                raise failure(status, message="waiting for the first snapshot")

    # ---- state

    @property
    def state(self) -> State:
        """What the stream is doing now; State.CLOSED after close."""
        return State.CLOSED if self._closed else named(State, self.stat("state"))

    @property
    def last_error(self) -> Optional[Error]:
        """The last error that was delivered."""
        return self._inbox.last_error

    @property
    def closed(self) -> bool:
        return self._closed

    def stat(self, name: str) -> int:
        """The current value of a statistic; CONFIGURATION.md of libksr lists them."""
        self._require_usable()
        value = c_uint64()
        status = self._lib.ksr_stat(self._pointer, c_text(name, "the name of a statistic"), byref(value))
        if status:
            raise failure(status, message=f"the statistic {name!r}")
        return value.value

    def fileno(self) -> int:
        """A descriptor that is readable while poll(0) has something to do, for select, selectors and other event
        loops."""
        self._require_usable()
        return self._descriptor.number

    # ---- its end

    def cancel(self) -> None:
        """Ends the stream's work, never blocks, may be called anywhere. The iteration ends; call close all the same."""
        self._require_usable()
        self._lib.ksr_cancel(self._pointer)

    def close(self) -> None:
        """Releases the stream, without waiting for the network. Once it has returned no callback runs or ever will;
        inside a callback of the stream itself, once that callback has returned. Closing again does nothing, and so does
        closing in a child of os.fork()."""
        if self._closed or os.getpid() != self._process:
            return
        self._lib.ksr_cancel(self._pointer)  # ends the wait of the thread that has the turn
        with self._turn:
            if self._closed:
                return
            self._closed = True
            if self._lib.ksr_close(self._pointer) == Code.WOULD_DEADLOCK:
                self._lib.ksr_close_async(self._pointer)
            self._end.detach()
        self._descriptor.wake_sleepers()
        self._inbox.raise_interrupt()

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    async def __aenter__(self) -> Stream:
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    # ---- inside

    def _require_usable(self) -> None:
        if os.getpid() != self._process:
            raise Error(Code.FORKED, "the stream was opened before os.fork(): in the child it does not work")
        if self._closed:
            raise Error(Code.INVALID, "the stream is closed")

    def _ended_by_host(self, error: Error) -> bool:
        return error.code == Code.CANCELLED or (self._closed and error.code == Code.INVALID)

    def _take_if_free(self) -> Optional[Snapshot]:
        self._require_usable()
        if not self._turn.acquire(blocking=False):
            return None
        try:
            return self._take()
        finally:
            self._turn.release()

    def _take(self) -> Optional[Snapshot]:
        """The caller has the turn."""
        self._require_usable()
        if self._dispatching:
            raise Error(Code.WOULD_DEADLOCK, "a stream cannot be polled inside its own callbacks")
        if not self._inbox.snapshots:
            self._dispatch()
        if self._inbox.snapshots:
            return self._inbox.snapshots.popleft()
        if self._inbox.closed:
            self._descriptor.wake_sleepers()
            raise self._inbox.fatal or Error(Code.CANCELLED, "the stream was cancelled")
        return None

    def _dispatch(self) -> None:
        self._dispatching = True
        try:
            made = self._lib.ksr_dispatch(self._pointer)
        finally:
            self._dispatching = False
        self._inbox.raise_interrupt()
        if made < 0 and not self._inbox.closed:
            raise failure(made)


def _abandon(lib: object, pointer: c_void_p, process: int, config: str) -> None:
    # The garbage collector may run anywhere: nothing may be waited for.
    lib.ksr_close_async(pointer)  # type: ignore[attr-defined]
    if os.getpid() == process:
        warnings.warn(f"a ksr.Stream was not closed: {config}", ResourceWarning, stacklevel=2)


def open_stream(
    resource: Union[str, Sequence[str], Config],
    *,
    on_error: Optional[OnError] = None,
    on_state: Optional[OnState] = None,
    on_log: Optional[OnLog] = None,
    **keys: Value,
) -> Stream:
    """Opens a stream on a resource such as "v1/pods", "apps/v1/deployments" or "deploy", with more keys such as server,
    token, ca_file, namespace, label_selector, limit; or on a Config. Without server and kubeconfig it goes by
    $KUBECONFIG, ~/.kube/config or the service account of the pod. It never waits for the network."""
    if isinstance(resource, Config):
        if keys:
            raise TypeError(f"a Config together with keys: {', '.join(keys)}")
        config = resource
    else:
        config = Config(resource, **keys)
    return Stream(config, on_error=on_error, on_state=on_state, on_log=on_log)
