"""A client, which makes requests."""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import os
import threading
import warnings
import weakref
from contextlib import contextmanager
from ctypes import byref, c_uint64, c_void_p
from types import TracebackType
from typing import Any, Awaitable, Callable, Dict, Iterator, Mapping, Optional, Sequence, Type, Union, overload

from . import channels, channels_in_loop
from ._copies import Single
from ._delivery import Delivery
from ._descriptor import unwatch
from ._library import DestroyFn, LogFn, c_text, library
from .codes import Code
from .config import NOT_GIVEN, Config, Value
from .errors import Error, failure
from .opens import Opens
from .request import Body, Headers, Key, Params, Query, Verbs
from .response import Response
from .stream import OnError, OnLog, OnState, Stream, config_of

ClientLog = Callable[["Client", int, str], object]

# How long a call into the library may delay Ctrl-C.
_SLICE_MS = 200


class AsyncVerbs(
    Verbs[Awaitable[Response]],
    Opens[
        channels_in_loop.AsyncLog,
        channels_in_loop.AsyncExec,
        channels_in_loop.AsyncPortForward,
        channels_in_loop.AsyncWebSocket,
        channels_in_loop.AsyncDownload,
    ],
):
    """The verbs of a Client for asyncio: `await client.aio.get(...)`. A task that is cancelled cancels its request; what
    was sent may be carried out all the same. Since 0.2."""

    _types = channels_in_loop.IN_LOOP

    def __init__(self, client: Client) -> None:
        self._client = client

    def _of(self) -> Client:
        return self._client

    async def _send(
        self, keys: Mapping[str, Key], body: Body, headers: Headers = NOT_GIVEN, query: Query = NOT_GIVEN
    ) -> Response:
        return await self._client._send_in_loop(keys, body, headers, query)


class Client(
    Single,
    Verbs[Response],
    Opens[channels.Log, channels.Exec, channels.PortForward, channels.WebSocket, channels.Download],
):
    """Makes requests of one cluster: any call of the Kubernetes API, over the connection, credentials and discovery that
    streams with the same keys use as well.

        with ksr.Client() as client:                    # kubeconfig as kubectl; or server=, token=, ca_file=
            pod = client.get("v1/pods", "web-0", namespace="default").object

    Its own methods block; those of `aio` are for asyncio. Neither needs a thread. What changes something is never
    carried out twice by a retry of the library; Error.maybe_done says whether what has failed may have been carried out.
    All methods may be called on any thread, and any number of requests may be under way at once. After close, and in a
    child of os.fork(), they raise Error with Code.INVALID or Code.FORKED.

    `on_log(client, level, line)` is called, on the thread that waits for an answer, with lines of what the client does;
    they have no secrets. What it raises goes to sys.unraisablehook. Since 0.2.
    """

    def __init__(
        self, config: Optional[Config] = None, /, *, on_log: Optional[ClientLog] = None, **keys: Value
    ) -> None:
        if on_log is not None and not callable(on_log):
            raise TypeError(f"on_log must be callable, not {type(on_log).__name__}")
        if config is None:
            config = Config(**keys)
        elif not isinstance(config, Config):
            raise TypeError(f"a client takes a ksr.Config or keys, not {type(config).__name__}")
        elif keys:
            raise TypeError(f"a Config together with keys: {', '.join(keys)}")
        #: The same methods for asyncio.
        self.aio = AsyncVerbs(self)
        self._lib = library()
        self._process = os.getpid()
        self._closed = False
        self._state = threading.Condition()
        self._callers: Dict[int, int] = {}  # requests under way, by thread
        self._loops: Dict[asyncio.AbstractEventLoop, _LoopReader] = {}
        self._inbox = _ClientInbox(self, on_log)
        self._pointer = _open_client(config, _register(self._inbox), wants_log=on_log is not None)
        self._delivery = Delivery(self._lib, self._pointer)
        self._streams: "weakref.WeakSet[Stream]" = weakref.WeakSet()
        self._end = weakref.finalize(self, _abandon, self._lib, self._pointer, self._process, repr(config))
        self._end.atexit = False  # at exit the process ends with open clients

    _types = channels.BLOCKING

    def _of(self) -> Client:
        return self

    # ---- requests

    def _send(
        self, keys: Mapping[str, Key], body: Body, headers: Headers = NOT_GIVEN, query: Query = NOT_GIVEN
    ) -> Response:
        with self._under_way():
            request = c_void_p()
            try:
                self._open(request, keys, body, headers, query)
                return self._wait(request)
            finally:
                self._lib.ksr_request_close_async(request)
                self._deliver_logs()

    def _wait(self, request: c_void_p) -> Response:
        """In slices, so that a Ctrl-C is raised here."""
        while True:
            response, error = c_void_p(), c_void_p()
            status = self._lib.ksr_request_wait(request, _SLICE_MS, byref(response), byref(error))
            if not status:
                return Response(response.value or 0)
            raised = failure(status, error, message="the request")
            # Without an HTTP status it is this wait that has ended, not the request.
            if status != Code.TIMEOUT or raised.http_status:
                raise raised
            self._deliver_logs()

    def _open(
        self,
        request: c_void_p,
        keys: Mapping[str, Key],
        body: Body,
        headers: Headers,
        query: Query,
        pending: Optional[_Pending] = None,
    ) -> None:
        """Without `pending` nothing needs to be dispatched for the request. `request` is the caller's, who closes it also
        when a Ctrl-C is raised in here."""
        error = c_void_p()
        with Params(keys, body, headers, query) as params:
            user_data, destroy = (None, DestroyFn()) if pending is None else (_register(pending), _destroy)
            status = self._lib.ksr_request_open(
                self._pointer, params, user_data, destroy, byref(request), byref(error)
            )
        if status:
            raise failure(status, error)

    async def acall(
        self,
        *,
        body: Body = None,
        headers: Headers = NOT_GIVEN,
        query: Query = NOT_GIVEN,
        **keys: Key,
    ) -> Response:
        """`call` for asyncio; the other verbs are those of `aio`."""
        return await self._send_in_loop(keys, body, headers, query)

    async def _send_in_loop(
        self, keys: Mapping[str, Key], body: Body, headers: Headers, query: Query
    ) -> Response:
        self._require_usable()
        pending = _Pending(self._lib, asyncio.get_running_loop())
        with self._reader(pending.loop):
            try:
                # A thread that closes the client meanwhile waits: `destroyed` needs the handle.
                with self._under_way():
                    self._open(pending.request, keys, body, headers, query, pending)
                pending.resolve_if_over()
                return await pending.answer
            finally:
                # Cancels it, where this task was cancelled.
                self._lib.ksr_request_close_async(pending.request)

    @contextmanager
    def _reader(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """The loop dispatches the client as long as a task of it waits for an answer."""
        for closed in [other for other in tuple(self._loops) if other.is_closed()]:
            abandoned = self._loops.pop(closed, None)
            if abandoned is not None:
                abandoned.close()
        reader = self._loops.get(loop)
        if reader is None:
            original = self._lib.ksr_client_fd(self._pointer)
            if original < 0:
                raise Error(Code.CANCELLED, "the client was closed")
            reader = self._loops[loop] = _LoopReader(loop, original, self._dispatch)
        reader.waiting += 1
        try:
            yield
        finally:
            reader.waiting -= 1
            if not reader.waiting and self._loops.get(loop) is reader:
                del self._loops[loop]
                reader.close()

    def _dispatch(self) -> None:
        self._delivery.dispatch()
        self._inbox.raise_interrupt()

    def _deliver_logs(self) -> None:
        if self._inbox.on_log is not None:
            self._dispatch()

    # ---- streams

    @overload
    def stream(
        self,
        resource: Union[str, Sequence[str], Config],
        *,
        on_error: Optional[OnError] = None,
        on_state: Optional[OnState] = None,
        on_log: Optional[OnLog] = None,
        **keys: Value,
    ) -> Stream: ...

    # A dictionary that is passed as **keys may, for all a type checker knows, hold callbacks too.
    @overload
    def stream(
        self, resource: Union[str, Sequence[str], Config], **keys: Union[Value, OnError, OnState, OnLog, None]
    ) -> Stream: ...

    def stream(
        self,
        resource: Union[str, Sequence[str], Config],
        *,
        on_error: Any = None,
        on_state: Any = None,
        on_log: Any = None,
        **keys: Any,
    ) -> Stream:
        """Opens a stream over the client's connection, as ksr.open does over one of its own. The keys are those of
        queries, without server, token and the like; closing the client closes it. All streams of a client share one
        descriptor of the library's: a wait for one of them makes the callbacks of all, and inside such a callback
        none can be polled (Code.WOULD_DEADLOCK)."""
        config = config_of(resource, keys)
        with self._under_way():
            opened = Stream(config, on_error=on_error, on_state=on_state, on_log=on_log, _delivery=self._delivery)
            opened._client = self
            self._streams.add(opened)
            return opened

    # ---- state

    def stat(self, name: str) -> int:
        """The current value of a statistic that CONFIGURATION.md of libksr lists under "Requests", such as "requests" or
        "open_requests"."""
        self._require_usable()
        value = c_uint64()
        status = self._lib.ksr_client_stat(self._pointer, c_text(name, "the name of a statistic"), byref(value))
        if status:
            raise failure(status, message=f"the statistic {name!r}")
        return value.value

    @property
    def closed(self) -> bool:
        return self._closed

    def _require_usable(self) -> None:
        if os.getpid() != self._process:
            raise Error(Code.FORKED, "the client was opened before os.fork(): in the child it does not work")
        if self._closed:
            raise Error(Code.INVALID, "the client is closed")

    # ---- its end

    def cancel(self) -> None:
        """Cancels all requests under way, which raise Code.CANCELLED, and streams; no other can be opened. Never blocks, may be called
        anywhere; call close all the same."""
        self._require_usable()
        self._lib.ksr_client_cancel(self._pointer)

    def close(self) -> None:
        """Cancels all requests under way, which raise Code.CANCELLED, closes the client's streams, and releases it,
        without waiting for the network. Responses and snapshots stay. Closing again does nothing, and so does closing in a child of os.fork()."""
        if os.getpid() != self._process:
            return
        with self._state:
            if self._closed:
                return
            self._closed = True
        self._lib.ksr_client_cancel(self._pointer)
        me = threading.get_ident()
        with self._state:
            # They ask their requests how they have ended, before these are gone. This thread itself is among them
            # where a signal's handler closes the client.
            self._state.wait_for(lambda: not self._callers.keys() - {me})
        for stream in tuple(self._streams):
            stream.close()
        if self._lib.ksr_client_close(self._pointer) == Code.WOULD_DEADLOCK:
            self._lib.ksr_client_close_async(self._pointer)
        self._end.detach()
        self._inbox.raise_interrupt()

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        me = threading.get_ident()
        with self._state:
            self._require_usable()
            self._callers[me] = self._callers.get(me, 0) + 1
        try:
            yield
        finally:
            with self._state:
                self._callers[me] -= 1
                if not self._callers[me]:
                    del self._callers[me]
                    self._state.notify_all()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ksr.Client {'closed' if self._closed else 'open'}>"


class _LoopReader:
    """An event loop that is told when a client has something to dispatch."""

    def __init__(self, loop: asyncio.AbstractEventLoop, original: int, dispatch: Callable[[], None]) -> None:
        self.loop, self.waiting = loop, 0
        # Of its own, so that it outlives a client which another thread closes.
        self._number = os.dup(original)
        loop.add_reader(self._number, dispatch)

    def close(self) -> None:
        unwatch(self.loop, self._number)


class _Pending:
    """A request whose answer a task awaits. The library's `destroy` comes whatever ends it, and is the last."""

    def __init__(self, lib: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._lib, self.loop = lib, loop
        self.answer: "asyncio.Future[Response]" = loop.create_future()
        self.request = c_void_p()  # NULL until it is open
        self._over = False

    def destroyed(self) -> None:
        """On the thread that dispatches or closes the client."""
        self._over = True
        self.resolve_if_over()

    def resolve_if_over(self) -> None:
        """Asks how it has ended, once it has and its handle is known: before the client's end takes the handle."""
        if not self._over or not self.request or self.answer.done():
            return
        response, error = c_void_p(), c_void_p()
        status = self._lib.ksr_request_wait(self.request, 0, byref(response), byref(error))
        outcome = failure(status, error) if status else Response(response.value or 0)
        try:
            self.loop.call_soon_threadsafe(self._resolve, outcome)
        except RuntimeError:  # that loop is closed, and no task waits in it
            pass

    def _resolve(self, outcome: Union[Response, Error]) -> None:
        if self.answer.done():
            return
        if isinstance(outcome, Error):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class _ClientInbox:
    """What the library calls of a client's; it does not keep the client alive."""

    def __init__(self, client: Client, on_log: Optional[ClientLog]) -> None:
        self.client = weakref.ref(client)
        self.on_log = on_log
        self._interrupt: Optional[BaseException] = None

    def log(self, level: int, line: str) -> None:
        client = self.client()
        if client is not None and self.on_log is not None:
            self.on_log(client, level, line)

    def destroyed(self) -> None:
        pass

    def keep(self, interrupt: BaseException) -> None:
        self._interrupt = interrupt

    def raise_interrupt(self) -> None:
        """Raises a Ctrl-C or the like that came inside a callback, where ctypes would drop it."""
        interrupt, self._interrupt = self._interrupt, None
        if interrupt is not None:
            raise interrupt


# What user_data is to the library: a number, so that a stale one is detected instead of being dereferenced.
_registered: Dict[int, Union[_Pending, _ClientInbox]] = {}
_numbers = itertools.count(1)


def _register(one: Union[_Pending, _ClientInbox]) -> int:
    number = next(_numbers)
    _registered[number] = one
    return number


def _on_destroy(number: int) -> None:
    one = _registered.pop(number, None)
    if one is not None:
        one.destroyed()


def _on_log(level: int, message: int, length: int, number: int) -> None:
    one = _registered[number]
    assert isinstance(one, _ClientInbox)
    try:
        one.log(level, ctypes.string_at(message, length).decode(errors="replace"))
    except Exception:
        raise  # ctypes hands it to sys.unraisablehook
    except BaseException as interrupt:
        one.keep(interrupt)


_destroy = DestroyFn(_on_destroy)
_log = LogFn(_on_log)


def _open_client(config: Config, user_data: int, *, wants_log: bool) -> c_void_p:
    def open_it(pointer: c_void_p) -> c_void_p:
        lib = library()
        lib.ksr_config_on_log(pointer, _log if wants_log else LogFn())
        client, error = c_void_p(), c_void_p()
        status = lib.ksr_client_open(pointer, user_data, _destroy, byref(client), byref(error))
        if status:
            raise failure(status, error)
        return client

    return config._with_manual_delivery(open_it)


def _abandon(lib: Any, pointer: c_void_p, process: int, config: str) -> None:
    # The garbage collector may run anywhere: nothing may be waited for.
    lib.ksr_client_close_async(pointer)
    if os.getpid() == process:
        warnings.warn(f"a ksr.Client was not closed: {config}", ResourceWarning, stacklevel=2)
