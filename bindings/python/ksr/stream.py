"""An open stream."""

from __future__ import annotations

import asyncio
import operator
import os
import threading
import warnings
import weakref
from ctypes import byref, c_uint64, c_void_p
from types import TracebackType
from typing import Any, AsyncIterator, Callable, Dict, Iterator, Optional, Sequence, Type, Union, overload

from . import _inbox
from ._copies import Single
from ._deadline import deadline_after, is_over, left_ms
from ._delivery import REST, Delivery
from ._descriptor import Descriptor, News
from ._inbox import Inbox
from ._library import TestFn, c_text, library
from .codes import Code, State, named
from .config import Config, Value
from .errors import Error, failure, read_error
from .snapshot import Snapshot

OnError = Callable[["Stream", Error], object]
OnState = Callable[["Stream", State], object]
OnLog = Callable[["Stream", int, str], object]

# How long a call into the library may delay Ctrl-C.
_SLICE_MS = 200

_NO_SNAPSHOT = "there is no complete snapshot"

# The test of wait_until as the library calls it, with the address of a snapshot and that of the one tested last, which
# is held meanwhile. No Python code: at its beginning Python would raise a Ctrl-C that came during the wait, and ctypes
# would drop it.
_is_another = TestFn(operator.ne)


class Stream(Single):
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
        _delivery: Optional[Delivery] = None,
    ) -> None:
        self._lib = library()
        self._process = os.getpid()
        self._inbox = Inbox(on_error, on_state, on_log, config._sameness())
        self._inbox.belongs_to(self)
        self._turn = threading.RLock()  # of the thread that waits, dispatches or closes
        self._dispatching = False
        self._closed = False
        self._client: object = None  # open as long as its stream is
        self._error_at_close: Optional[Error] = None
        self._delivery = _delivery
        number, wants_log = _inbox.register(self._inbox), on_log is not None
        self._news: Optional[News] = None
        if _delivery is None:
            self._pointer = config._open(number, wants_log=wants_log)
        else:
            self._news = News()
            self._inbox.filled = self._news.set
            self._pointer = config._open_in(_delivery.pointer, number, wants_log=wants_log)
        self._end = weakref.finalize(self, _abandon, self._lib, self._pointer, self._process, repr(config))
        self._end.atexit = False  # at exit the process ends with open streams
        self._descriptor = Descriptor(self._lib.ksr_fd(self._pointer), None if self._news is None else self._news.number)

    # ---- snapshots

    def poll(self, timeout: Optional[float] = 0.0) -> Optional[Snapshot]:
        """The next snapshot, for which it waits at most `timeout` seconds (None: without limit); None when it has not
        come by then. Raises Error when there will be no more: what the stream failed with, or Code.CANCELLED."""
        deadline = deadline_after(timeout)
        self._require_usable()
        wait = -1 if timeout is None or deadline is None else max(0.0, min(timeout, threading.TIMEOUT_MAX))
        if not self._turn.acquire(timeout=wait):
            return None
        try:
            descriptor = self._descriptor
            while True:
                snapshot = self._take()
                if snapshot is None and self._delivery is not None:
                    self._delivery.rest()
                if snapshot is not None or not descriptor.wait(deadline):
                    return snapshot
        finally:
            self._turn.release()

    async def next(self, timeout: Optional[float] = None) -> Optional[Snapshot]:
        """`poll` for asyncio: the next snapshot, None when it has not come within `timeout` seconds (None: without
        limit). It may be cancelled, also by asyncio.wait_for, and nothing is lost: what comes meanwhile is in the next
        snapshot."""
        if timeout is None or deadline_after(timeout) is None:
            return await self._next_in_loop()
        self._require_usable()
        # Through the loop, so that the tasks that are ready run, whatever the limit is.
        await asyncio.sleep(0)
        snapshot = self._take_if_free()
        if snapshot is not None or timeout <= 0:
            return snapshot
        try:
            return await asyncio.wait_for(self._wait_in_loop(), timeout)
        except asyncio.TimeoutError:
            return None

    async def _next_in_loop(self) -> Snapshot:
        self._require_usable()
        return await self._wait_in_loop()

    async def _wait_in_loop(self) -> Snapshot:
        # No snapshot is taken before the last await, so that a task that is cancelled there loses none.
        descriptor = self._descriptor
        while True:
            # Always through the loop: a busy cluster must not starve its other tasks.
            await (asyncio.sleep(0) if self._inbox.snapshot else descriptor.readable())
            if self._delivery is not None and self._delivery.elsewhere():
                await asyncio.sleep(REST)
            snapshot = self._take_if_free()
            if snapshot is not None:
                return snapshot

    def __iter__(self) -> Iterator[Snapshot]:
        self._require_usable()
        return _Snapshots(self)

    def __aiter__(self) -> AsyncIterator[Snapshot]:
        self._require_usable()
        return _AsyncSnapshots(self)

    def latest(self) -> Optional[Snapshot]:
        """The newest complete snapshot, which may be one that iteration has not brought yet; None before the first."""
        self._require_usable()
        address = self._lib.ksr_latest(self._pointer)
        return Snapshot(address) if address else None

    def wait_synced(self, timeout: Optional[float] = None) -> Snapshot:
        """Waits until the first complete snapshot is there, at most `timeout` seconds (None: without limit), and returns
        the newest. Raises Error: with the code of what keeps the stream from being live, if that is known
        (`last_error`), else Code.TIMEOUT; Code.CANCELLED when the program ended the stream."""
        deadline = deadline_after(timeout)
        self._require_usable()
        while True:
            status = self._lib.ksr_wait_synced(self._pointer, left_ms(deadline, _SLICE_MS))
            if status == Code.OK:
                snapshot = self._newest()
                if snapshot is not None:
                    return snapshot
                status = Code.INVALID
            if status != Code.TIMEOUT or is_over(deadline):
                raise self._not_synced(status, timeout)

    def wait_until(self, test: Callable[[Snapshot], object], timeout: Optional[float] = None) -> Snapshot:
        """Waits until `test` is true of the view, at most `timeout` seconds (None: without limit), and returns the
        snapshot that it is true of. The test is called on this thread, with the newest complete snapshot, then again
        whenever that has changed; what it raises ends the wait. Nothing needs to be polled or iterated for it. Raises
        Error: Code.TIMEOUT; Code.CANCELLED when the stream has ended; or, as long as there is no complete snapshot, as
        wait_synced. In asyncio: `await asyncio.to_thread(stream.wait_until, test)`. Since 0.2."""
        if not callable(test):
            raise TypeError(f"wait_until: expected a function of a Snapshot, not {type(test).__name__}")
        deadline = deadline_after(timeout)
        self._require_usable()
        tested: Optional[Snapshot] = None
        while True:
            last = None if tested is None else tested._address
            status = self._lib.ksr_wait_until(self._pointer, _is_another, last, left_ms(deadline, _SLICE_MS))
            if status == Code.OK:
                newest = self._newest()
                if newest is None:
                    status = Code.INVALID
                elif tested is None or newest.sequence != tested.sequence:
                    tested, status = newest, Code.TIMEOUT
                    if test(newest):
                        return newest
                else:  # of a stream that was cancelled each one is another
                    tested, status = newest, Code.CANCELLED if self.state == State.CLOSED else Code.TIMEOUT
            if status != Code.TIMEOUT or is_over(deadline):
                missing = _NO_SNAPSHOT if tested is None else "the view is not what was waited for"
                raise self._in_vain(status, timeout, missing)

    def _newest(self) -> Optional[Snapshot]:
        """Once there is one; None when the stream was closed meanwhile."""
        address = self._lib.ksr_latest(self._pointer)
        if not address and not self._closed:
            raise Error(Code.NOMEM, "no memory for the snapshot")
        return Snapshot(address) if address else None

    def _not_synced(self, status: int, timeout: Optional[float]) -> Error:
        return self._in_vain(status, timeout, _NO_SNAPSHOT)

    def _in_vain(self, status: int, timeout: Optional[float], what: str) -> Error:
        if status == Code.INVALID and self._closed:
            status = Code.CANCELLED  # while it waited
        if status not in (Code.TIMEOUT, Code.CANCELLED):
            return failure(status, message="waiting for a snapshot")
        in_time = "" if status == Code.CANCELLED or timeout is None else f" within {timeout:g} s"
        what += in_time
        cause = self._read_last_error()
        if cause is None:
            return Error(status, f"{what}: the stream is {self.state.name.lower()}")
        # Ended by the program, whatever was wrong then.
        code = status if status == Code.CANCELLED and not cause.fatal else cause.code
        message = f"{what}: {cause.message}"
        return Error(code, message, reason=cause.reason, http_status=cause.http_status, retry=cause.retry)

    # ---- state

    @property
    def state(self) -> State:
        """What the stream is doing now; State.CLOSED after close."""
        return State.CLOSED if self._closed else named(State, self.stat("state"))

    @property
    def last_error(self) -> Optional[Error]:
        """What keeps the stream from being live; None when nothing is wrong now. Nothing needs to be polled for it.
        After close, what was wrong then."""
        if self._closed or os.getpid() != self._process:
            return self._error_at_close
        return self._read_last_error()

    def _read_last_error(self) -> Optional[Error]:
        pointer = self._lib.ksr_last_error(self._pointer)
        if not pointer:
            return None
        try:
            return read_error(pointer)
        finally:
            self._lib.ksr_error_free(pointer)

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
        # In a callback of its client the thread that has the turn waits for this one.
        in_callback = self._delivery is not None and self._delivery.inside()
        has_turn = self._turn.acquire(blocking=not in_callback)
        try:
            if self._closed:
                return
            self._error_at_close = self._read_last_error()
            self._closed = True
            if self._lib.ksr_close(self._pointer) == Code.WOULD_DEADLOCK:
                self._lib.ksr_close_async(self._pointer)
            self._end.detach()
        finally:
            if has_turn:
                self._turn.release()
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
        if not self._turn.acquire(blocking=False):
            return None
        try:
            return self._take()
        finally:
            self._turn.release()

    def _take(self) -> Optional[Snapshot]:
        """The caller has the turn, and has asked whether the stream is usable before it waited for anything."""
        if self._closed:
            raise self._inbox.fatal or Error(Code.CANCELLED, "the stream was closed")
        self._require_usable()
        if self._dispatching:
            raise Error(Code.WOULD_DEADLOCK, "a stream cannot be polled inside its own callbacks")
        if self._delivery is not None and self._delivery.inside():
            raise Error(Code.WOULD_DEADLOCK, "a stream cannot be polled inside callbacks of its client")
        if self._news is not None:
            self._news.clear()
        if not self._inbox.snapshot:
            self._dispatch()
        taken = self._inbox.snapshot.take()
        if taken is not None:
            return taken
        if self._inbox.closed:
            self._inbox.filled()  # for the next who waits
            self._descriptor.wake_sleepers()
            raise self._inbox.fatal or Error(Code.CANCELLED, "the stream was cancelled")
        return None

    def _dispatch(self) -> None:
        self._dispatching = True
        before = self._inbox.calls
        try:
            made = self._lib.ksr_dispatch(self._pointer) if self._delivery is None else self._delivery.dispatch()
        finally:
            self._dispatching = False
        self._inbox.raise_interrupt()
        if self._delivery is None and made > self._inbox.calls - before:
            self._make_up()
            raise KeyboardInterrupt
        if made < 0 and not self._inbox.closed:
            raise failure(made)


    def _make_up(self) -> None:
        """For a callback that was not begun: Python raises a Ctrl-C that came during the dispatch at its first
        instruction, and ctypes drops that. What the callback would have told is asked for."""
        inbox = self._inbox
        error = self._read_last_error()
        if error is not None and error.fatal:
            inbox.fatal = error
        address = self._lib.ksr_latest(self._pointer)
        if address:
            inbox.add(Snapshot(address))
        inbox.closed = inbox.closed or self.state == State.CLOSED


class _Snapshots(Iterator[Snapshot]):
    """An object, not a generator, which would be over after the first exception, such as a Ctrl-C."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __next__(self) -> Snapshot:
        while True:
            try:
                snapshot = self._stream.poll(None)
            except Error as error:
                if self._stream._ended_by_host(error):
                    raise StopIteration from None
                raise
            if snapshot is not None:
                return snapshot


class _AsyncSnapshots(AsyncIterator[Snapshot]):
    """An object, not a generator, which would be over once a wait for its next item was cancelled."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def __anext__(self) -> Snapshot:
        try:
            return await self._stream._next_in_loop()
        except Error as error:
            if self._stream._ended_by_host(error):
                raise StopAsyncIteration from None
            raise


def _abandon(lib: object, pointer: c_void_p, process: int, config: str) -> None:
    # The garbage collector may run anywhere: nothing may be waited for.
    lib.ksr_close_async(pointer)  # type: ignore[attr-defined]
    if os.getpid() == process:
        warnings.warn(f"a ksr.Stream was not closed: {config}", ResourceWarning, stacklevel=2)


@overload
def open_stream(
    resource: Union[str, Sequence[str], Config],
    *,
    on_error: Optional[OnError] = None,
    on_state: Optional[OnState] = None,
    on_log: Optional[OnLog] = None,
    **keys: Value,
) -> Stream: ...


# A dictionary that is passed as **keys may, for all a type checker knows, hold callbacks too.
@overload
def open_stream(
    resource: Union[str, Sequence[str], Config], **keys: Union[Value, OnError, OnState, OnLog, None]
) -> Stream: ...


def open_stream(
    resource: Union[str, Sequence[str], Config],
    *,
    on_error: Any = None,
    on_state: Any = None,
    on_log: Any = None,
    **keys: Any,
) -> Stream:
    """Opens a stream on a resource such as "v1/pods", "apps/v1/deployments" or "deploy", with more keys such as server,
    token, ca_file, namespace, label_selector, limit; or on a Config. Without server and kubeconfig it goes by
    $KUBECONFIG, ~/.kube/config or the service account of the pod. It never waits for the network."""
    return Stream(config_of(resource, keys), on_error=on_error, on_state=on_state, on_log=on_log)


def config_of(resource: Any, keys: Dict[str, Any]) -> Config:
    """What ksr.open and Client.stream take."""
    if not isinstance(resource, Config):
        return Config(resource, **keys)
    if keys:
        raise TypeError(f"a Config together with keys: {', '.join(keys)}")
    return resource
