"""One channel over a client, which the kinds of channels share: bytes both ways, its events, its end."""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import logging
import os
import select
import threading
import weakref
from ctypes import byref, c_char, c_int32, c_size_t, c_uint64, c_void_p
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, NoReturn, Optional, Tuple, Union

from ._copies import Single
from ._deadline import deadline_after, is_over, left_ms
from ._descriptor import forget_closed, Sleepers
from ._library import c_text, ChannelEventFn, DestroyFn, library
from .codes import Code, EventKind, named, Part
from .config import NOT_GIVEN
from .errors import Error, failure, read_error
from .request import Body, Headers, Key, Params, Query

# A ksr.Client, which this module knows by what it uses of it: client.py imports this one.
Client = Any
# How long a call into the library may delay Ctrl-C.
_SLICE_MS = 200
_LONGEST_TIMER_MS = 3_600_000
# The time between two looks at what another thread may have been told of.
_LOOK_MS = 20
# What one call of the library takes.
_CHUNK = 64 << 10
# What the library knows the cursors of a log for, behind what was read last (ksr_channel_info); half of it is read at once.
_READ_AHEAD = 64 << 10
_NO_CODE = -(2**31)
# None of the library's. Of a call that has to be repeated, each time with the whole time limit; and of one that nothing came
# of within its time: Code.TIMEOUT is how the channel has ended.
_AGAIN, _NOT_YET = 1, 2

_log = logging.getLogger("ksr")


class Event(NamedTuple):
    """What happens to a channel besides its bytes. Since 0.2."""

    kind: EventKind
    #: Of EventKind.INTERRUPTED, whose `retry` says when the next try is.
    error: Optional[Error]


OnEvent = Callable[[Event], object]
Bytes = Union[bytes, bytearray, memoryview]


class _Core:
    """What the library calls of a channel's; it does not keep the channel alive."""

    def __init__(self, on_event: Optional[OnEvent]) -> None:
        if on_event is not None and not callable(on_event):
            raise TypeError(f"on_event must be callable, not {type(on_event).__name__}")
        self.on_event = on_event
        self.interrupt: Optional[BaseException] = None
        self.waiters: Sleepers = set()

    def event(self, kind: int, pointer: int) -> None:
        self.wake()
        if kind not in (EventKind.CONNECTING, EventKind.OPEN, EventKind.GAP, EventKind.RESTARTED, EventKind.INTERRUPTED):
            return
        error = read_error(pointer) if pointer else None
        if self.on_event is not None:
            self.on_event(Event(named(EventKind, kind), error))
        elif kind == EventKind.GAP:
            _log.warning("lines of a log are missing")
        elif kind == EventKind.INTERRUPTED:
            _log.warning("%s", error)

    def wake(self) -> None:
        for loop, woken in tuple(self.waiters):
            try:
                loop.call_soon_threadsafe(_set, woken)
            except RuntimeError:  # that loop is closed, and no task waits in it
                pass

    def raise_interrupt(self) -> None:
        """Raises a Ctrl-C or the like that came inside a callback, where ctypes would drop it."""
        interrupt, self.interrupt = self.interrupt, None
        if interrupt is not None:
            raise interrupt


def _set(woken: "asyncio.Future[None]") -> None:
    if not woken.done():
        woken.set_result(None)


# What user_data is to the library: a number, so that a stale one is detected instead of being dereferenced.
_cores: Dict[int, _Core] = {}
_numbers = itertools.count(1)


def _on_event(_channel: int, kind: int, _part: int, error: int, number: int) -> None:
    core = _cores[number]
    try:
        core.event(kind, error)
    except Exception:
        raise  # ctypes hands it to sys.unraisablehook
    except BaseException as interrupt:
        core.interrupt = interrupt


def _on_destroy(number: int) -> None:
    core = _cores.pop(number, None)
    if core is not None:
        core.wake()


_event = ChannelEventFn(_on_event)
_destroy = DestroyFn(_on_destroy)

# Of these the status says what was wrong with the call, not how the channel has ended.
_OF_THE_CALL = (Code.INVALID, Code.TOO_LARGE, Code.UNSUPPORTED, Code.NOMEM, Code.INTERNAL, Code.UNKNOWN_KEY, Code.FORKED)


def _is_of_the_end(error: BaseException) -> bool:
    """It says how a channel has ended."""
    if not isinstance(error, Error) or error.code in _OF_THE_CALL:
        return False
    # Without an HTTP status it is the channel's `timeout` that is over.
    return error.code != Code.TIMEOUT or error.http_status != 0


class Channel(Single):
    """What all kinds of channels have. Closed by `close`, as a context, or with its client; a read that waits then
    raises Code.CANCELLED. After close every use raises Error with Code.INVALID. Since 0.2."""

    def __init__(
        self,
        client: Client,
        kind: str,
        keys: Mapping[str, Key],
        on_event: Optional[OnEvent],
        *,
        body: Body = None,
        headers: Headers = NOT_GIVEN,
        query: Query = NOT_GIVEN,
        in_loop: bool = False,
    ) -> None:
        """For this package."""
        #: How many seconds a call that waits, also in an event loop, may wait for more before it raises Code.TIMEOUT, with
        #: nothing lost; None: without limit. That error has the http_status 0; the one of a channel that has ended with
        #: Code.TIMEOUT (head_timeout, pong_timeout) has 408.
        self.timeout: Optional[float] = None
        self._kind = kind
        self._client, self._lib, self._process = client, library(), os.getpid()
        self._core = _Core(on_event)
        # What blocks in the library needs no events: without on_event only those that have a warning, and what waits for
        # one, let the library tell them, which then have to be dispatched.
        self._tells = in_loop or on_event is not None or kind in ("websocket", "log") or _parts_of(keys)[0]
        self._closed = False
        self._pointer = c_void_p()
        error = c_void_p()
        with client._under_way(), Params({"kind": kind, **keys}, body, headers, query) as params:
            number = next(_numbers)
            if self._tells:
                _cores[number] = self._core
                self._lib.ksr_params_on_event(params, _event)
            status = self._lib.ksr_channel_open(
                client._pointer,
                params,
                number if self._tells else None,
                _destroy if self._tells else DestroyFn(),
                byref(self._pointer),
                byref(error),
            )
        if status:
            raise failure(status, error)
        self._end = weakref.finalize(self, self._lib.ksr_channel_close_async, self._pointer)
        self._end.atexit = False

    # ---- what is known

    def stat(self, name: str) -> int:
        """The current value of a statistic that CONFIGURATION.md of libksr lists under "Channels"."""
        value = c_uint64()
        status = self._lib.ksr_channel_stat(self._open(), c_text(name, "the name of a statistic"), byref(value))
        if status:
            raise failure(status, message=f"the statistic {name!r}")
        return value.value

    def _info(self, name: str) -> str:
        self._open()
        return self._text(name)

    def _text(self, name: str) -> str:
        """An empty one of a channel that is closed."""
        size = 256
        while True:
            text = ctypes.create_string_buffer(size)
            length = int(self._lib.ksr_channel_info(self._pointer, name.encode(), text, size))
            if length < size:
                return text.raw[:length].decode(errors="replace")
            size = length + 1

    @property
    def closed(self) -> bool:
        return self._closed

    def _open(self) -> c_void_p:
        if os.getpid() != self._process:
            raise Error(Code.FORKED, "the channel was opened before os.fork(): in the child it does not work")
        if self._closed:
            raise Error(Code.INVALID, f"the channel ({self._kind}) is closed")
        return self._pointer

    # ---- its end

    def close(self) -> None:
        """Ends it in both directions, without waiting for the network. Closing again does nothing, and so does closing in
        a child of os.fork(). A command goes on, with its standard streams closed."""
        if self._closed or os.getpid() != self._process:
            return
        self._closed = True
        self._end()
        self._core.wake()

    def _is_gone(self) -> bool:
        return self._closed or bool(self._client.closed)

    def _raise(self, status: int, what: str) -> NoReturn:
        if status == Code.INVALID and self._is_gone():
            raise Error(Code.CANCELLED, f"{what}: the channel ({self._kind}) was closed")
        if status not in _OF_THE_CALL:
            error = c_void_p()
            ended = self._lib.ksr_channel_wait(self._pointer, 0, None, byref(error))
            raised = failure(ended, error) if ended else None
            if raised is not None and ended == status:
                raise raised
        raise Error(status, f"{what} ({self._kind}): {self._lib.ksr_status_name(status).decode()}")

    def __repr__(self) -> str:
        return f"<ksr.{type(self).__name__} {self._kind} {'closed' if self._closed else 'open'}>"

    # ---- for those that block

    def _block(self, call: Callable[[int], int], what: str) -> None:
        """Calls until it is not _NOT_YET: in slices, so that a Ctrl-C is raised here."""
        self._open()
        end = deadline_after(self.timeout)
        while True:
            if self._tells:
                delivery = self._client._delivery
                if delivery.elsewhere():
                    delivery.rest()
                delivery.dispatch()
                self._core.raise_interrupt()
            status = call(left_ms(end, _SLICE_MS))
            if not status:
                return
            if status == _AGAIN:
                end = deadline_after(self.timeout)
                continue
            if status != _NOT_YET:
                self._raise(status, what)
            if is_over(end):
                raise self._over_time(what)

    def _over_time(self, what: str) -> Error:
        return Error(Code.TIMEOUT, f"{what} ({self._kind}): nothing within {self.timeout} s")

    async def _wait_in_loop(self, call: Callable[[int], int], what: str) -> None:
        """The same in an event loop, without blocking it."""
        loop = asyncio.get_running_loop()
        self._open()
        end = deadline_after(self.timeout)
        while True:
            # Always through the loop: a channel that always has bytes must not starve its other tasks, nor time limits.
            # Nothing is taken before the last await, so that a task that is cancelled there loses nothing.
            await asyncio.sleep(0)
            woken: "asyncio.Future[None]" = loop.create_future()
            waiter = (loop, woken)
            # Before it asks: either it is woken, or it sees that it need not wait.
            forget_closed(self._core.waiters)
            self._core.waiters.add(waiter)
            try:
                status = call(0)
                if not status:
                    return
                if status == _AGAIN:
                    end = deadline_after(self.timeout)
                    continue
                if status != _NOT_YET:
                    self._raise(status, what)
                if is_over(end):
                    raise self._over_time(what)
                # A timer, not asyncio.wait_for: no task is cancelled that may have taken something.
                timer = None if end is None else loop.call_later(left_ms(end, _LONGEST_TIMER_MS) / 1000, _set, woken)
                try:
                    with self._client._reader(loop):
                        await woken
                finally:
                    if timer is not None:
                        timer.cancel()
                self._core.raise_interrupt()
            finally:
                self._core.waiters.discard(waiter)

    # ---- as a call that may be repeated

    def _opening(self) -> Callable[[int], int]:
        """Until the server has accepted it, or it has ended."""
        state = c_uint64()

        def call(timeout_ms: int) -> int:
            status = int(self._lib.ksr_channel_stat(self._pointer, b"state", byref(state)))
            if status or state.value != EventKind.CONNECTING:
                return status
            if timeout_ms:
                self._await_events(min(timeout_ms, _LOOK_MS))
            return _NOT_YET

        return call

    # ---- reading and writing, the same

    def _settled(self, ask: Callable[[int], int], timeout_ms: int) -> int:
        """The status of `ask`, which reads or writes, or _NOT_YET; ksr.h says at ksr_channel_read how the two are told
        apart."""
        status = ask(timeout_ms)
        if status != Code.TIMEOUT:
            return status
        known = c_uint64()
        self._lib.ksr_channel_stat(self._pointer, b"end_known", byref(known))
        return ask(0) if known.value else _NOT_YET

    def _reading(self, part: int, size: int, into: List[bytes]) -> Callable[[int], int]:
        buffer, got = (c_char * max(size, 1))(), c_size_t()

        def read(timeout_ms: int) -> int:
            return int(self._lib.ksr_channel_read(self._pointer, part, buffer, size, timeout_ms, byref(got)))

        def call(timeout_ms: int) -> int:
            status = self._settled(read, timeout_ms)
            if not status:
                into.append(ctypes.string_at(buffer, got.value))
            return status

        return call

    def _writing(self, part: int, data: Bytes) -> Callable[[int], int]:
        left = _bytes_of(data)
        if part == Part.TEXT or part == Part.BINARY or not left:
            return self._writing_once(part, left)
        place = 0

        taken = c_size_t()

        def write(timeout_ms: int) -> int:
            piece = left[place : place + _CHUNK]
            return int(self._lib.ksr_channel_write(self._pointer, part, piece, len(piece), timeout_ms, byref(taken)))

        def call(timeout_ms: int) -> int:
            nonlocal place
            while place < len(left):
                status = self._settled(write, timeout_ms)
                if status:
                    return status
                place += taken.value
            return 0

        return call

    def _writing_once(self, part: int, data: bytes) -> Callable[[int], int]:
        taken = c_size_t()

        def write(timeout_ms: int) -> int:
            return int(self._lib.ksr_channel_write(self._pointer, part, data, len(data), timeout_ms, byref(taken)))

        return lambda timeout_ms: self._settled(write, timeout_ms)

    def _message(self, into: List[Union[str, bytes]]) -> Callable[[int], int]:
        """The next message of a WebSocket, in order; nothing is added at the end."""
        state = {"size": _CHUNK}
        lib = self._lib

        def next_part() -> Tuple[int, int]:
            part = c_uint64()
            return int(lib.ksr_channel_stat(self._pointer, b"next_part", byref(part))), part.value

        def read_nothing(timeout_ms: int) -> int:
            return int(lib.ksr_channel_read(self._pointer, Part.BINARY, None, 0, timeout_ms, byref(c_size_t())))

        def call(timeout_ms: int) -> int:
            while True:
                status, part = next_part()
                if status:
                    return status
                if part:
                    buffer, got = (c_char * state["size"])(), c_size_t()
                    status = int(lib.ksr_channel_read(self._pointer, part, buffer, state["size"], 0, byref(got)))
                    if status == Code.TOO_LARGE:
                        state["size"] = got.value
                        continue
                    if status == Code.TIMEOUT:  # another thread has taken it
                        continue
                    if not status and got.value:
                        raw = ctypes.string_at(buffer, got.value)
                        into.append(raw.decode(errors="replace") if part == Part.TEXT else raw)
                    return status
                # Nothing is there: why? A message that has come meanwhile does not fit, and stays.
                status = self._settled(read_nothing, 0)
                if status == Code.TOO_LARGE or (status != _NOT_YET and next_part()[1]):
                    continue
                if status == _NOT_YET and timeout_ms:
                    self._await_events(timeout_ms)
                return status

        return call

    def _await_events(self, timeout_ms: int) -> None:
        """Until something can be dispatched: a wait of the library's is for one part."""
        descriptor = self._lib.ksr_client_fd(self._client._pointer)
        if descriptor >= 0:  # else the client was closed meanwhile
            events = select.poll()
            events.register(descriptor, select.POLLIN)
            events.poll(timeout_ms)

    def _ending(self, into: List[Optional[int]]) -> Callable[[int], int]:
        code = c_int32(_NO_CODE)

        def call(timeout_ms: int) -> int:
            error = c_void_p()
            status = int(self._lib.ksr_channel_wait(self._pointer, timeout_ms, byref(code), byref(error)))
            if not status:
                into.append(None if code.value == _NO_CODE else code.value)
                return 0
            raised = failure(status, error)
            if status == Code.TIMEOUT and not raised.http_status:
                return _NOT_YET
            if status == Code.INVALID and self._is_gone():
                return status
            raise raised

        return call


def _bytes_of(data: Bytes) -> bytes:
    if isinstance(data, str) or not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"a channel takes bytes, not {type(data).__name__}")
    return bytes(data)


class _Lines:
    """What was taken from the library and not been handed out. Each method returns None where that is not enough, unless
    it is `over`: nothing more comes."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0  # before it there is no newline
        #: How many bytes were handed out.
        self.taken = 0

    def __len__(self) -> int:
        return len(self._rest)

    def add(self, piece: bytes) -> None:
        self._rest += piece

    def everything(self, over: bool) -> Optional[bytes]:
        return self._take(-1) if over else None

    def exactly(self, size: int, over: bool) -> Optional[bytes]:
        return self._take(size) if over or len(self._rest) >= size else None

    def some(self, size: int, over: bool) -> Optional[bytes]:
        return self._take(size) if over or self._rest else None

    def line(self, size: int, over: bool) -> Optional[bytes]:
        end = self._line_end()
        if size >= 0 and (not end or end > size) and len(self._rest) >= size:
            return self._take(size)
        return self._take(end or -1) if end or over else None

    def has_line(self) -> bool:
        return self._line_end() > 0

    def _line_end(self) -> int:
        """Behind the first newline; 0: there is none."""
        place = self._rest.find(b"\n", self._searched)
        self._searched = len(self._rest) if place < 0 else place
        return place + 1

    def _take(self, size: int) -> bytes:
        if size < 0 or size >= len(self._rest):
            piece = bytes(self._rest)
            self._rest.clear()
        else:
            piece = bytes(self._rest[:size])
            del self._rest[:size]
        self._searched = max(0, self._searched - len(piece))
        self.taken += len(piece)
        return piece


Take = Callable[[bool], Optional[bytes]]


class _Received(Single):
    """What the readers of one part share, blocking and in a loop. Several threads or tasks may read: each byte goes to
    one of them, in its order."""

    #: How many bytes one call of the library takes.
    _chunk = _CHUNK

    def __init__(self, channel: Channel, part: int) -> None:
        """For this package."""
        self._channel, self._part, self._lines = channel, part, _Lines()
        # Of the thread that takes from the library. A signal's handler may read, too.
        self._turn = threading.RLock()

    def _before_more(self) -> None:
        pass

    def _at_once(self, take: Take) -> Optional[bytes]:
        """What is here and enough."""
        if not self._turn.acquire(blocking=False):
            return None
        try:
            return take(False)
        finally:
            self._turn.release()

    def _step(self, take: Take, taken: List[bytes]) -> Callable[[int], int]:
        """A call that may be repeated: what `take` finds is added to `taken`; else the next bytes come from the library."""
        into: List[bytes] = []
        read = self._channel._reading(self._part, self._chunk, into)

        def call(timeout_ms: int) -> int:
            if not self._turn.acquire(timeout=timeout_ms / 1000):
                return _NOT_YET
            try:
                # Another thread or task may have read it meanwhile.
                found = take(False)
                if found is None:
                    self._before_more()
                    status = read(timeout_ms)
                    if status:
                        return status
                    piece = into.pop()
                    self._lines.add(piece)
                    found = take(not piece)
                    self._share()
                if found is None:
                    return _AGAIN
                taken.append(found)
                return 0
            finally:
                self._turn.release()

        return call

    def _share(self) -> None:
        """Wakes the other tasks, for which there may be enough now."""
        if self._lines and len(self._channel._core.waiters) > 1:
            self._channel._core.wake()


_END_OF_STDIN = "the end of the standard input"


def _finish(channel: Channel) -> None:
    status = channel._lib.ksr_channel_finish(channel._open(), Part.DATA)
    if status == Code.UNSUPPORTED:
        protocol = channel._text("protocol")
        raise Error(status, f"{_END_OF_STDIN} cannot be sent over {protocol}; close the channel to end both ways")
    if status:
        channel._raise(status, _END_OF_STDIN)


def _parts_of(keys: Mapping[str, Key]) -> Tuple[bool, bool, bool]:
    def on(key: str, standard: bool) -> bool:
        value = keys.get(key)
        return standard if value is None else value in (True, "true")

    return on("stdin", False), on("stdout", True), on("stderr", True) and not on("tty", False)


def _resize(channel: Channel, columns: int, rows: int) -> None:
    for size in (columns, rows):
        if not isinstance(size, int) or not 0 < size <= 0xFFFF:
            raise Error(Code.INVALID, f"resize: {columns} columns, {rows} rows: expected 1 to 65535")
    status = channel._lib.ksr_channel_resize(channel._open(), columns, rows)
    if status:
        channel._raise(status, "resize")


def _sending(channel: Channel, message: Union[str, Bytes]) -> Callable[[int], int]:
    if isinstance(message, str):
        return channel._writing(Part.TEXT, message.encode())
    return channel._writing(Part.BINARY, message)
