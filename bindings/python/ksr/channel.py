"""Bytes both ways over a client: logs, exec, attach, port-forward, WebSockets and bodies of any length."""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import logging
import os
import select
import threading
import time
import weakref
from ctypes import byref, c_char, c_int32, c_size_t, c_uint64, c_void_p
from typing import (
    Any,
    AsyncIterator,
    Callable,
    Dict,
    Generic,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    NoReturn,
    Optional,
    Sequence,
    Set,
    Tuple,
    TypeVar,
    Union,
)

from ._library import ChannelEventFn, DestroyFn, c_text, library
from .codes import Code, EventKind, Part, named
from .errors import Error, failure, read_error
from .request import Body, Headers, Key, Params, Query

# A ksr.Client, which this module knows by what it uses of it: client.py imports this one.
Client = Any
# How long a call into the library may delay Ctrl-C.
_SLICE_MS = 200
# What one call of the library takes.
_CHUNK = 64 << 10
# Seconds for which the cursor of a log is kept while its lines are handed out.
_CURSOR_AGE = 1.0
_NO_CODE = -(2**31)

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
        self.waiters: Set[Tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]] = set()

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


class Channel:
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
        headers: Optional[Headers] = None,
        query: Optional[Query] = None,
        in_loop: bool = False,
    ) -> None:
        """For this package."""
        #: How many seconds a blocking call may wait before it raises Code.TIMEOUT; None: without limit.
        self.timeout: Optional[float] = None
        self._kind = kind
        self._client, self._lib, self._process = client, library(), os.getpid()
        self._core = _Core(on_event)
        # What blocks in the library needs no events, and then nothing of the channel has to be dispatched.
        self._tells = in_loop or on_event is not None or kind == "websocket"
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
        size = 256
        while True:
            text = ctypes.create_string_buffer(size)
            length = int(self._lib.ksr_channel_info(self._open(), name.encode(), text, size))
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

    def _raise(self, status: int, what: str) -> NoReturn:
        if status == Code.INVALID and (self._closed or self._client.closed):
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
        """Calls until the library does not say that the time is over: in slices, so that a Ctrl-C is raised here."""
        self._open()
        end = None if self.timeout is None else time.monotonic() + self.timeout
        while True:
            if self._tells:
                delivery = self._client._delivery
                if delivery.elsewhere():
                    delivery.rest()
                delivery.dispatch()
                self._core.raise_interrupt()
            left = _SLICE_MS if end is None else min(_SLICE_MS, max(0, int((end - time.monotonic()) * 1000)))
            status = call(left)
            if not status:
                return
            if status != Code.TIMEOUT:
                self._raise(status, what)
            if end is not None and time.monotonic() >= end:
                raise Error(Code.TIMEOUT, f"{what} ({self._kind}): nothing within {self.timeout} s")

    async def _wait_in_loop(self, call: Callable[[int], int], what: str) -> None:
        """The same in an event loop, without blocking it."""
        loop = asyncio.get_running_loop()
        self._open()
        while True:
            woken: "asyncio.Future[None]" = loop.create_future()
            waiter = (loop, woken)
            # Before it asks: either it is woken, or it sees that it need not wait.
            self._core.waiters.add(waiter)
            try:
                status = call(0)
                if not status:
                    return
                if status != Code.TIMEOUT:
                    self._raise(status, what)
                with self._client._reader(loop):
                    await woken
                self._core.raise_interrupt()
            finally:
                self._core.waiters.discard(waiter)

    # ---- reading and writing, as a call that may be repeated

    def _reading(self, part: int, size: int, into: List[bytes]) -> Callable[[int], int]:
        buffer, got = (c_char * max(size, 1))(), c_size_t()

        def call(timeout_ms: int) -> int:
            status = int(self._lib.ksr_channel_read(self._pointer, part, buffer, size, timeout_ms, byref(got)))
            if not status:
                into.append(ctypes.string_at(buffer, got.value))
            return status

        return call

    def _writing(self, part: int, data: Bytes) -> Callable[[int], int]:
        left = _bytes_of(data)
        if part == Part.TEXT or part == Part.BINARY or not left:
            return self._writing_once(part, left)
        place = 0

        def call(timeout_ms: int) -> int:
            nonlocal place
            taken = c_size_t()
            while place < len(left):
                piece = left[place : place + _CHUNK]
                status = int(self._lib.ksr_channel_write(self._pointer, part, piece, len(piece), timeout_ms, byref(taken)))
                if status:
                    return status
                place += taken.value
            return 0

        return call

    def _writing_once(self, part: int, data: bytes) -> Callable[[int], int]:
        taken = c_size_t()

        def call(timeout_ms: int) -> int:
            return int(self._lib.ksr_channel_write(self._pointer, part, data, len(data), timeout_ms, byref(taken)))

        return call

    def _message(self, into: List[Union[str, bytes]]) -> Callable[[int], int]:
        """The next message of a WebSocket, in order; nothing is added at the end."""
        state = {"size": _CHUNK}
        lib = self._lib

        def call(timeout_ms: int) -> int:
            while True:
                part = self.stat("next_part")
                if part:
                    buffer, got = (c_char * state["size"])(), c_size_t()
                    status = int(lib.ksr_channel_read(self._pointer, part, buffer, state["size"], 0, byref(got)))
                    if status == Code.TOO_LARGE:
                        state["size"] = got.value
                        continue
                    if not status and got.value:
                        raw = ctypes.string_at(buffer, got.value)
                        into.append(raw.decode(errors="replace") if part == Part.TEXT else raw)
                    return status
                # Nothing is there: why? A message that has come meanwhile does not fit, and stays.
                status = int(lib.ksr_channel_read(self._pointer, Part.BINARY, None, 0, 0, byref(c_size_t())))
                if status == Code.TOO_LARGE or (status != Code.TIMEOUT and self.stat("next_part")):
                    continue
                if status == Code.TIMEOUT and timeout_ms:
                    self._await_events(timeout_ms)
                return status

        return call

    def _await_events(self, timeout_ms: int) -> None:
        """Until something can be dispatched: a wait of the library's is for one part."""
        events = select.poll()
        events.register(self._lib.ksr_client_fd(self._client._pointer), select.POLLIN)
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
                return status
            raise raised

        return call


def _bytes_of(data: Bytes) -> bytes:
    if isinstance(data, str) or not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"a channel takes bytes, not {type(data).__name__}")
    return bytes(data)


class _Lines:
    """What was taken from the library and not been handed out."""

    def __init__(self) -> None:
        self.rest = b""

    def take(self, size: int) -> bytes:
        piece, self.rest = (self.rest, b"") if size < 0 else (self.rest[:size], self.rest[size:])
        return piece

    def line(self) -> Optional[bytes]:
        end = self.rest.find(b"\n") + 1
        return self.take(end) if end else None


# ---- blocking ----------------------------------------------------------------------------------------------------------


class Reader:
    """A file-like object for bytes: read, read1, readinto, readline, iteration over lines. Nothing is decoded;
    io.TextIOWrapper may be put around it. Since 0.2."""

    def __init__(self, channel: Channel, part: int) -> None:
        """For this package."""
        self._channel, self._part, self._lines = channel, part, _Lines()

    def _more(self) -> bytes:
        into: List[bytes] = []
        self._before_more()
        self._channel._block(self._channel._reading(self._part, _CHUNK, into), "read")
        return into[0]

    def _before_more(self) -> None:
        pass

    def read(self, size: Optional[int] = -1) -> bytes:
        """As many bytes, or fewer at the end; without a size all up to the end. An end that was not in order raises; read1
        returns what came before it."""
        wanted = -1 if size is None else size
        pieces: List[bytes] = []
        try:
            while wanted:
                piece = self.read1(wanted)
                if not piece:
                    break
                pieces.append(piece)
                wanted = wanted - len(piece) if wanted > 0 else wanted
        except BaseException:
            self._lines.rest = b"".join(pieces)  # for another read
            raise
        return b"".join(pieces)

    def read1(self, size: int = -1) -> bytes:
        """What is there, at most that much; waits only while there is nothing. b"" at the end."""
        if not size:
            self._channel._open()
            return b""
        if not self._lines.rest:
            self._lines.rest = self._more()
        return self._lines.take(size)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        piece = self.read1(len(view))
        view[: len(piece)] = piece
        return len(piece)

    readinto1 = readinto

    def readline(self, size: Optional[int] = -1) -> bytes:
        """A line with its newline; the last one may have none. b"" at the end."""
        pieces = []
        try:
            while True:
                line = self._lines.line()
                if line is not None:
                    pieces.append(line)
                    break
                pieces.append(self._lines.take(-1))
                self._lines.rest = self._more()
                if not self._lines.rest:
                    break
        except BaseException:
            self._lines.rest = b"".join(pieces)  # for another read
            raise
        whole = b"".join(pieces)
        if size is not None and 0 <= size < len(whole):
            self._lines.rest = whole[size:] + self._lines.rest
            whole = whole[:size]
        return whole

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    @property
    def closed(self) -> bool:
        return self._channel.closed

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def flush(self) -> None:
        pass

    def close(self) -> None:
        """Closes the whole channel."""
        self._channel.close()


class Writer:
    """What a command reads from its standard input. Since 0.2."""

    def __init__(self, channel: Channel) -> None:
        """For this package."""
        self._channel = channel
        self._finished = False

    def write(self, data: Bytes) -> int:
        """All of it, which waits while the library holds send_buffer bytes that are not sent."""
        self._channel._block(self._channel._writing(Part.DATA, data), "write")
        return len(data)

    def writelines(self, lines: Iterable[Bytes]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        """The command then reads the end of its standard input. Code.UNSUPPORTED where the protocol cannot say so, which
        is only with a terminal, or where the server knows no other."""
        _finish(self._channel)
        self._finished = True

    @property
    def closed(self) -> bool:
        return self._finished or self._channel.closed

    def writable(self) -> bool:
        return True

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *raised: object) -> None:
        if not self.closed:
            self.close()


def _finish(channel: Channel) -> None:
    status = channel._lib.ksr_channel_finish(channel._open(), Part.DATA)
    if status:
        channel._raise(status, "the end of the standard input")


class Log(Channel, Reader):
    """The log of a container: file-like, of bytes; `for line in log`. After a failure it goes on by itself, without a line
    lost or repeated, or with EventKind.GAP where lines are lost: `on_event` is called between the lines before the gap
    and those behind it; without one it is a warning of the logger "ksr". Since 0.2."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        """For this package."""
        Channel.__init__(self, *arguments, **keys)
        Reader.__init__(self, self, Part.STDOUT)
        self._kept = ("", 0.0)

    close = Channel.close
    closed = Channel.closed

    def _before_more(self) -> None:
        if time.monotonic() - self._kept[1] > _CURSOR_AGE:
            self._kept = (self._info("cursor"), time.monotonic())

    @property
    def cursor(self) -> str:
        """Where the log goes on behind the lines that were returned, for from_cursor=, also in another process; "" before
        there are any. While lines that were received wait to be returned (readline and iteration read ahead) it is an
        earlier one: lines of the last second may then come again, none is left out. With read1() it is exact."""
        return self._kept[0] if self._lines.rest else self._info("cursor")

    @property
    def container(self) -> str:
        return self._info("container")

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


class Exec(Channel):
    """A command in a container, or (attach) the process of the container. It is never run twice. Since 0.2."""

    def __init__(self, client: Client, kind: str, keys: Mapping[str, Key], on_event: Optional[OnEvent]) -> None:
        """For this package."""
        super().__init__(client, kind, keys, on_event)
        has_in, has_out, has_err = _parts_of(keys)
        #: Where to write what the command reads; None without stdin=True.
        self.stdin: Optional[Writer] = Writer(self) if has_in else None
        #: What the command writes; None where it was not asked for. All that was asked for must be read, or the command
        #: waits.
        self.stdout: Optional[Reader] = Reader(self, Part.STDOUT) if has_out else None
        self.stderr: Optional[Reader] = Reader(self, Part.STDERR) if has_err else None

    def resize(self, columns: int, rows: int) -> None:
        """The size of the terminal, 1 to 65535 each; Code.INVALID without tty=True."""
        _resize(self, columns, rows)

    def wait(self) -> Optional[int]:
        """Waits for the end and returns the exit code of the command, any number; of attach None. Where it is not known
        how the command ended, that is an Error with Code.LOST, never a 0."""
        into: List[Optional[int]] = []
        self._block(self._ending(into), "wait")
        return into[0]

    def communicate(self, data: Bytes = b"") -> Tuple[bytes, bytes]:
        """Writes all of `data`, ends the standard input, and reads both outputs to their ends, at the same time."""
        _bytes_of(data)
        found: Dict[str, Union[bytes, BaseException]] = {}

        def run(name: str, work: Callable[[], bytes]) -> None:
            try:
                found[name] = work()
            except BaseException as error:
                found[name] = error

        def feed() -> bytes:
            assert self.stdin is not None
            self.stdin.write(data)
            self.stdin.close()
            return b""

        works: List[Tuple[str, Callable[[], bytes]]] = []
        if self.stdin is not None:
            works.append(("stdin", feed))
        elif data:
            raise Error(Code.INVALID, "communicate: the channel was opened without stdin")
        if self.stderr is not None:
            works.append(("stderr", self.stderr.read))
        threads = [threading.Thread(target=run, args=work, daemon=True) for work in works]
        for thread in threads:
            thread.start()
        try:
            output = self.stdout.read() if self.stdout is not None else b""
        except BaseException:
            self.close()
            raise
        finally:
            for thread in threads:
                thread.join()
        errors = found.get("stderr", b"")
        if isinstance(errors, BaseException):
            raise errors
        return output, errors

    @property
    def exit_verified(self) -> bool:
        """After wait: the exit code is the runtime's own word. It is not for a 0 over v5.channel.k8s.io, with which a
        server also ends a command that it has lost sight of."""
        return self.stat("exit_verified") == 1

    @property
    def protocol(self) -> str:
        return self._info("protocol")

    def __enter__(self) -> Exec:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


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


class PortForward(Channel, Reader):
    """One TCP connection to a port of a pod: file-like in both directions. There is no half-close. Since 0.2."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        """For this package."""
        Channel.__init__(self, *arguments, **keys)
        Reader.__init__(self, self, Part.DATA)

    close = Channel.close
    closed = Channel.closed

    def write(self, data: Bytes) -> int:
        """All of it."""
        self._block(self._writing(Part.DATA, data), "write")
        return len(data)

    def writable(self) -> bool:
        return True

    def __enter__(self) -> PortForward:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


class WebSocket(Channel):
    """Any WebSocket of the API server: whole messages, a text as str, a binary one as bytes. Since 0.2."""

    def receive(self) -> Union[str, bytes, None]:
        """Waits for a message; empty ones are left out. None once the server has closed in order."""
        into: List[Union[str, bytes]] = []
        self._block(self._message(into), "receive")
        return into[0] if into else None

    def send(self, message: Union[str, Bytes]) -> None:
        """Text as a text message, bytes as a binary one."""
        self._block(_sending(self, message), "send")

    def __iter__(self) -> Iterator[Union[str, bytes]]:
        while True:
            message = self.receive()
            if message is None:
                return
            yield message

    @property
    def close_code(self) -> Optional[int]:
        """Of the server's close frame; None without one."""
        return int(self._info("close_code") or 0) or None

    @property
    def close_reason(self) -> str:
        return self._info("close_reason")

    @property
    def subprotocol(self) -> str:
        return self._info("protocol")

    def __enter__(self) -> WebSocket:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def _sending(channel: Channel, message: Union[str, Bytes]) -> Callable[[int], int]:
    if isinstance(message, str):
        return channel._writing(Part.TEXT, message.encode())
    return channel._writing(Part.BINARY, message)


class Download(Channel, Reader):
    """The body of one response as it comes, of any length: file-like. Since 0.2."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        """For this package."""
        Channel.__init__(self, *arguments, **keys)
        Reader.__init__(self, self, Part.STDOUT)

    close = Channel.close
    closed = Channel.closed

    @property
    def http_status(self) -> int:
        """200 to 299; 0 before the response has come."""
        return int(self._info("http_status") or 0)

    def __enter__(self) -> Download:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


# ---- asyncio ------------------------------------------------------------------------------------------------------------


class AsyncReader:
    """Bytes for asyncio, like an asyncio.StreamReader: `await reader.read(n)`, `readline()`, `async for line in reader`. A
    read that is cancelled has taken nothing. Since 0.2."""

    def __init__(self, channel: Channel, part: int) -> None:
        """For this package."""
        self._channel, self._part, self._lines = channel, part, _Lines()

    async def _more(self) -> bytes:
        into: List[bytes] = []
        self._before_more()
        await self._channel._wait_in_loop(self._channel._reading(self._part, _CHUNK, into), "read")
        return into[0]

    def _before_more(self) -> None:
        pass

    async def read(self, size: int = -1) -> bytes:
        """What is there, at most that much, b"" at the end; without a size all up to the end."""
        if size >= 0:
            if size and not self._lines.rest:
                self._lines.rest = await self._more()
            return self._lines.take(size)
        while True:
            piece = await self._more()
            if not piece:
                return self._lines.take(-1)
            self._lines.rest += piece

    async def readline(self) -> bytes:
        """A line with its newline; the last one may have none. b"" at the end."""
        while True:
            line = self._lines.line()
            if line is not None:
                return line
            piece = await self._more()
            if not piece:
                return self._lines.take(-1)
            self._lines.rest += piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            line = await self.readline()
            if not line:
                return
            yield line


class AsyncWriter:
    """What a command reads from its standard input. Since 0.2."""

    def __init__(self, channel: Channel) -> None:
        """For this package."""
        self._channel = channel

    async def write(self, data: Bytes) -> None:
        """All of it, which waits while the library holds send_buffer bytes that are not sent."""
        await self._channel._wait_in_loop(self._channel._writing(Part.DATA, data), "write")

    async def close(self) -> None:
        """As Writer.close."""
        _finish(self._channel)


Self = TypeVar("Self")


class _AsyncContext(Generic[Self]):
    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *raised: object) -> None:
        self.close()  # type: ignore[attr-defined] # it is a Channel


class AsyncLog(_AsyncContext[Any], Channel, AsyncReader):
    """Log for asyncio: `async for line in log`. Since 0.2."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        """For this package."""
        Channel.__init__(self, *arguments, in_loop=True, **keys)
        AsyncReader.__init__(self, self, Part.STDOUT)
        self._kept = ("", 0.0)

    _before_more = Log._before_more
    cursor = Log.cursor
    container = Log.container


class AsyncExec(_AsyncContext[Any], Channel):
    """Exec for asyncio. Since 0.2."""

    def __init__(self, client: Client, kind: str, keys: Mapping[str, Key], on_event: Optional[OnEvent]) -> None:
        """For this package."""
        super().__init__(client, kind, keys, on_event, in_loop=True)
        has_in, has_out, has_err = _parts_of(keys)
        self.stdin: Optional[AsyncWriter] = AsyncWriter(self) if has_in else None
        self.stdout: Optional[AsyncReader] = AsyncReader(self, Part.STDOUT) if has_out else None
        self.stderr: Optional[AsyncReader] = AsyncReader(self, Part.STDERR) if has_err else None

    def resize(self, columns: int, rows: int) -> None:
        """As Exec.resize."""
        _resize(self, columns, rows)

    async def wait(self) -> Optional[int]:
        """As Exec.wait."""
        into: List[Optional[int]] = []
        await self._wait_in_loop(self._ending(into), "wait")
        return into[0]

    exit_verified = Exec.exit_verified
    protocol = Exec.protocol


class AsyncPortForward(_AsyncContext[Any], Channel, AsyncReader):
    """PortForward for asyncio. Since 0.2."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        """For this package."""
        Channel.__init__(self, *arguments, in_loop=True, **keys)
        AsyncReader.__init__(self, self, Part.DATA)

    async def write(self, data: Bytes) -> None:
        """All of it."""
        await self._wait_in_loop(self._writing(Part.DATA, data), "write")


class AsyncWebSocket(_AsyncContext[Any], Channel):
    """WebSocket for asyncio: `async for message in socket`. Since 0.2."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        """For this package."""
        Channel.__init__(self, *arguments, in_loop=True, **keys)

    async def receive(self) -> Union[str, bytes, None]:
        """As WebSocket.receive."""
        into: List[Union[str, bytes]] = []
        await self._wait_in_loop(self._message(into), "receive")
        return into[0] if into else None

    async def send(self, message: Union[str, Bytes]) -> None:
        """As WebSocket.send."""
        await self._wait_in_loop(_sending(self, message), "send")

    async def __aiter__(self) -> AsyncIterator[Union[str, bytes]]:
        while True:
            message = await self.receive()
            if message is None:
                return
            yield message

    close_code = WebSocket.close_code
    close_reason = WebSocket.close_reason
    subprotocol = WebSocket.subprotocol


class AsyncDownload(_AsyncContext[Any], Channel, AsyncReader):
    """Download for asyncio. Since 0.2."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        """For this package."""
        Channel.__init__(self, *arguments, in_loop=True, **keys)
        AsyncReader.__init__(self, self, Part.STDOUT)

    http_status = Download.http_status


# ---- opening ------------------------------------------------------------------------------------------------------------

LogT = TypeVar("LogT")
ExecT = TypeVar("ExecT")
PortT = TypeVar("PortT")
SocketT = TypeVar("SocketT")
DownloadT = TypeVar("DownloadT")


class Opens(Generic[LogT, ExecT, PortT, SocketT, DownloadT]):
    """How channels are opened. None waits for the network: what fails is raised by the first read, write or wait. More
    keys, such as container="main" or receive_buffer="64Ki", are those that CONFIGURATION.md of libksr lists under
    "Channels". `on_event(event)` is called, where the channel is read, with what happens besides its bytes."""

    _types: Tuple[Any, Any, Any, Any, Any]

    def _of(self) -> Client:
        raise NotImplementedError

    def log(
        self, pod: str, *, namespace: Optional[str] = None, on_event: Optional[OnEvent] = None, **keys: Key
    ) -> LogT:
        """The log of a container; with follow=True until it ends."""
        opened: LogT = self._types[0](self._of(), "log", _pod(pod, namespace, keys), on_event)
        return opened

    def exec(  # noqa: A003
        self,
        pod: str,
        command: Sequence[str],
        *,
        namespace: Optional[str] = None,
        on_event: Optional[OnEvent] = None,
        **keys: Key,
    ) -> ExecT:
        """Runs a command, a list of its program and arguments; with stdin=True, tty=True, stderr=False as wanted."""
        if isinstance(command, str):
            raise TypeError("a command is a list of its program and arguments, not str")
        opened: ExecT = self._types[1](
            self._of(), "exec", {**_pod(pod, namespace, keys), "command": list(command)}, on_event
        )
        return opened

    def attach(
        self, pod: str, *, namespace: Optional[str] = None, on_event: Optional[OnEvent] = None, **keys: Key
    ) -> ExecT:
        """Connects to the process of a container that runs already."""
        opened: ExecT = self._types[1](self._of(), "attach", _pod(pod, namespace, keys), on_event)
        return opened

    def port_forward(
        self, pod: str, port: int, *, namespace: Optional[str] = None, on_event: Optional[OnEvent] = None, **keys: Key
    ) -> PortT:
        """One TCP connection to a port of a pod."""
        opened: PortT = self._types[2](self._of(), "portforward", {**_pod(pod, namespace, keys), "port": port}, on_event)
        return opened

    def websocket(
        self,
        path: Optional[str] = None,
        *,
        on_event: Optional[OnEvent] = None,
        headers: Optional[Headers] = None,
        query: Optional[Query] = None,
        **keys: Key,
    ) -> SocketT:
        """The WebSocket at a path, or at a resource=, name= and subresource=."""
        opened: SocketT = self._types[3](
            self._of(), "websocket", {"path": path, **keys}, on_event, headers=headers, query=query
        )
        return opened

    def download(
        self,
        path: Optional[str] = None,
        *,
        body: Body = None,
        headers: Optional[Headers] = None,
        query: Optional[Query] = None,
        on_event: Optional[OnEvent] = None,
        **keys: Key,
    ) -> DownloadT:
        """The body of one response, which may be of any length or have no end."""
        opened: DownloadT = self._types[4](
            self._of(), "http", {"path": path, **keys}, on_event, body=body, headers=headers, query=query
        )
        return opened


def _pod(pod: str, namespace: Optional[str], keys: Mapping[str, Key]) -> Dict[str, Key]:
    return {"name": pod, "namespace": namespace, **keys}


BLOCKING = (Log, Exec, PortForward, WebSocket, Download)
IN_LOOP = (AsyncLog, AsyncExec, AsyncPortForward, AsyncWebSocket, AsyncDownload)
