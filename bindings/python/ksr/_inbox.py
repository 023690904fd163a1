"""What the library delivers to a stream. All of it runs inside ksr_dispatch, ksr_close or
ksr_close_async, on the thread that called it."""

from __future__ import annotations

import ctypes
import itertools
import logging
import weakref
from typing import Any, Callable, Dict, Optional

from ._library import DestroyFn, ErrorFn, LogFn, StateFn, UpdateFn, library
from ._waiting import Sameness, Waiting
from .codes import State, named
from .errors import Error, read_error
from .snapshot import Snapshot

# A callback of the program: the stream, and what has happened.
Callback = Callable[..., object]

_log = logging.getLogger("ksr")


class Inbox:
    """What has been delivered and not been taken yet. It does not keep its stream alive, and knows it only as the first
    argument of callbacks."""

    def __init__(
        self,
        on_error: Optional[Callback],
        on_state: Optional[Callback],
        on_log: Optional[Callback],
        sameness: Sameness,
    ) -> None:
        for name, callback in (("on_error", on_error), ("on_state", on_state), ("on_log", on_log)):
            if callback is not None and not callable(callback):
                raise TypeError(f"{name} must be callable, not {type(callback).__name__}")
        self.on_error, self.on_state, self.on_log = on_error, on_state, on_log
        self.stream: Callable[[], Optional[object]] = lambda: None
        self.snapshot = Waiting(sameness)
        self.fatal: Optional[Error] = None
        self.closed = False
        self.interrupt: Optional[BaseException] = None
        self.calls = 0  # but for `destroy`, as ksr_dispatch counts them
        self.sequence = 0  # of the newest snapshot that has come
        #: Called when there is something to take; any thread may dispatch a stream of a client.
        self.filled: Callable[[], None] = lambda: None

    def belongs_to(self, stream: object) -> None:
        self.stream = weakref.ref(stream)

    def call(self, callback: Optional[Callback], *arguments: Any) -> None:
        stream = self.stream()
        if callback is not None and stream is not None:
            callback(stream, *arguments)

    def add(self, snapshot: Snapshot) -> None:
        if snapshot.sequence > self.sequence:
            self.sequence = snapshot.sequence
            self.snapshot.add(snapshot)
        self.filled()

    def raise_interrupt(self) -> None:
        """Raises a Ctrl-C or the like that came inside a callback, where ctypes would drop it."""
        interrupt, self.interrupt = self.interrupt, None
        if interrupt is not None:
            raise interrupt


# What user_data is to the library: a number, so that a stale one is detected instead of being dereferenced.
_inboxes: Dict[int, Inbox] = {}
_numbers = itertools.count(1)


def register(inbox: Inbox) -> int:
    """The user_data for ksr_open, whose `destroy` ends the registration."""
    number = next(_numbers)
    _inboxes[number] = inbox
    return number


def _callback(prototype: Any) -> Callable[[Callable[..., None]], Any]:
    def wrap(function: Callable[..., None]) -> Any:
        def call(*arguments: Any) -> None:
            inbox = _inboxes[arguments[-1]]
            try:
                inbox.calls += 1
                function(inbox, *arguments[:-1])
            except Exception:
                raise  # ctypes hands it to sys.unraisablehook
            except BaseException as interrupt:
                inbox.interrupt = interrupt

        call.__qualname__ = f"ksr.{function.__name__}"
        return prototype(call)

    return wrap


@_callback(UpdateFn)
def on_update(inbox: Inbox, _stream: int, snapshot: int) -> None:
    inbox.add(Snapshot(library().ksr_snapshot_retain(snapshot)))


@_callback(ErrorFn)
def on_error(inbox: Inbox, _stream: int, pointer: int) -> None:
    error = read_error(pointer)
    if error.fatal:
        inbox.fatal = error
    elif inbox.on_error is None:
        _log.warning("%s; next try in %.1f s", error, error.retry)
    inbox.call(inbox.on_error, error)


@_callback(StateFn)
def on_state(inbox: Inbox, _stream: int, state: int) -> None:
    if state == State.CLOSED:
        inbox.closed = True
        inbox.filled()
    inbox.call(inbox.on_state, named(State, state))


@_callback(LogFn)
def on_log(inbox: Inbox, level: int, message: int, length: int) -> None:
    inbox.call(inbox.on_log, level, ctypes.string_at(message, length).decode(errors="replace"))


def _destroy(number: int) -> None:
    _inboxes.pop(number, None)


destroy = DestroyFn(_destroy)
