"""What a stream watches, or a client asks, on which server, with which credentials."""

from __future__ import annotations

import os
import threading
import weakref
from ctypes import byref, c_void_p
from datetime import timedelta
from typing import Any, Callable, Dict, Iterable, Mapping, Tuple, Union

from . import _inbox
from ._copies import NotPickled
from ._library import LogFn, c_text, library
from ._waiting import By, Sameness
from .errors import failure

Value = Union[str, bool, int, timedelta, "os.PathLike[str]", Iterable[str]]


class _NotGiven:
    def __repr__(self) -> str:
        return "NOT_GIVEN"


#: The default of arguments, since None is refused: a selector that is None by mistake would select everything.
NOT_GIVEN: Any = _NotGiven()

# They can be iterated, which would not be what was meant.
_NOT_A_LIST = (str, bytes, bytearray, memoryview, Mapping)


class Config(NotPickled):
    """Keys with values, as CONFIGURATION.md of libksr lists them.

    Keys that are not Python names are written as in `Config("pods", **{"header.X-Team": "a"})`. A value may be text, a
    bool, a number, a timedelta for a duration, a path, or several names for a list; a key that is not given has its
    default, and None is a TypeError. A wrong key or value raises Error at once. One Config may open any number of
    streams; copy.copy makes one that can be changed by itself.
    """

    _instead = ", since its keys may be secrets"

    def __init__(self, resource: Value = NOT_GIVEN, **keys: Value) -> None:
        lib = library()
        pointer = c_void_p()
        status = lib.ksr_config_new(byref(pointer))
        if status:
            raise failure(status)
        self._pointer = pointer
        self._lock = threading.Lock()
        self._entries: Dict[str, Tuple[bytes, bytes]] = {}
        weakref.finalize(self, lib.ksr_config_free, pointer).atexit = False
        if resource is not NOT_GIVEN:
            self.set("resource", resource)
        for key, value in keys.items():
            self.set(key, value)

    def set(self, key: str, value: Value) -> "Config":
        """Sets one key; the last value counts. Returns the Config."""
        if key == "delivery":
            raise TypeError("the key delivery cannot be set: a stream or client in Python delivers where it is used")
        raw_key, raw_value = c_text(key, "a key"), c_text(value_text(key, value), f"the value of {key}")
        self._put(key, raw_key, raw_value)
        return self

    def _put(self, key: str, raw_key: bytes, raw_value: bytes) -> None:
        error = c_void_p()
        with self._lock:
            status = library().ksr_config_set(self._pointer, raw_key, raw_value, byref(error))
            if not status:
                # In the order in which they were set: header.x-a replaces header.X-A.
                self._entries.pop(key, None)
                self._entries[key] = raw_key, raw_value
        if status:
            raise failure(status, error)

    def __copy__(self) -> Config:
        made = type(self).__new__(type(self))
        Config.__init__(made)
        with self._lock:
            entries = dict(self._entries)
        for key, (raw_key, raw_value) in entries.items():
            made._put(key, raw_key, raw_value)
        return made

    def __deepcopy__(self, memo: Any) -> Config:
        return self.__copy__()

    def _sameness(self) -> Sameness:
        """For Stream."""

        def has(key: str) -> bytes:
            return self._entries.get(key, (b"", b""))[1]

        by = By.TEXT if has("keep_fields") or has("drop_fields") else By.VERSION
        if has("notify") == b"columns":
            by = By.COLUMNS
        # The time by which objects are ordered is not among what they show: each version may be another place.
        if has("limit").strip(b"0"):
            by = By.VERSION
        indexed = {int(number) for number in has("index").split() if number.isdigit()}
        several = (place for place, pointer in enumerate(has("columns").split()) if b"*" in pointer.split(b"/"))
        return Sameness(by, tuple(place for place in several if place in indexed))

    def _open(self, user_data: int, *, wants_log: bool) -> c_void_p:
        """For Stream: a ksr_stream whose callbacks come from ksr_dispatch and put what they bring into the inbox."""

        def open_it(pointer: c_void_p) -> c_void_p:
            stream, error = c_void_p(), c_void_p()
            _set_callbacks(pointer, wants_log)
            status = library().ksr_open(pointer, user_data, _inbox.destroy, byref(stream), byref(error))
            if status:
                raise failure(status, error)
            return stream

        return self._with_manual_delivery(open_it)

    def _open_in(self, client: c_void_p, user_data: int, *, wants_log: bool) -> c_void_p:
        """The same over the connection and in the delivery of a ksr_client, for which a key `delivery` is refused."""
        lib = library()
        pointer, stream, error = c_void_p(), c_void_p(), c_void_p()
        status = lib.ksr_config_new(byref(pointer))
        if status:
            raise failure(status)
        try:
            for raw_key, raw_value in tuple(self._entries.values()):
                lib.ksr_config_set(pointer, raw_key, raw_value, None)
            _set_callbacks(pointer, wants_log)
            status = lib.ksr_client_stream(client, pointer, user_data, _inbox.destroy, byref(stream), byref(error))
        finally:
            lib.ksr_config_free(pointer)
        if status:
            raise failure(status, error)
        return stream

    def _with_manual_delivery(self, open_it: Callable[[c_void_p], c_void_p]) -> c_void_p:
        """For Stream and Client: what `open_it` opens, while no other thread changes the ksr_config."""
        with self._lock:
            library().ksr_config_set(self._pointer, b"delivery", b"manual", None)
            return open_it(self._pointer)

    def __repr__(self) -> str:
        # Values may be secrets.
        return f"<ksr.Config {', '.join(self._entries)}>"


def _set_callbacks(pointer: c_void_p, wants_log: bool) -> None:
    lib = library()
    lib.ksr_config_on_update(pointer, _inbox.on_update)
    lib.ksr_config_on_error(pointer, _inbox.on_error)
    lib.ksr_config_on_state(pointer, _inbox.on_state)
    lib.ksr_config_on_log(pointer, _inbox.on_log if wants_log else LogFn())


# The longest duration that the library takes.
LONGEST = timedelta(days=36_600)
# Keys whose values have blanks between them, not commas.
_BETWEEN_BLANKS = frozenset(("keep_fields", "drop_fields", "columns", "index"))


def value_text(key: str, value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, timedelta):
        return f"{min(value, LONGEST) // timedelta(milliseconds=1)}ms"
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Iterable) and not isinstance(value, _NOT_A_LIST):
        return (" " if key in _BETWEEN_BLANKS else ",").join(value_text(key, name) for name in value)
    takes = "text, a bool, an int, a timedelta, a path or a list"
    raise TypeError(f"the value of {key} must be {takes}, not {type(value).__name__}")
