"""One Kubernetes object."""

from __future__ import annotations

import ctypes
import functools
import json
import operator
import sys
from ctypes import byref, c_char, c_double, c_int, c_int64, c_size_t
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Dict, List, Optional

from ._copies import Immutable
from ._library import c_text, library, short, text_of
from .codes import Field


_NOTHING: Any = object()
# Of the library's type: ctypes cuts what is larger, silently.
_LARGEST_FIELD = 0x7FFFFFFF


def place_of(place: int) -> Optional[int]:
    """As the library can be asked for it; None where there can be nothing. TypeError for what is no integer."""
    number = operator.index(place)
    return number if 0 <= number <= sys.maxsize else None


class Object(Immutable):
    """One version of a Kubernetes object: immutable, usable on any thread, and alive as long as it is referred to, also
    beyond its snapshot and its stream. Two are equal when the library has them as one, in whatever snapshots: the same
    version of an object that was read a second time (by another stream, or again after the object had left the view) is
    another one. Compare `uid` and `resource_version` for that."""

    __slots__ = ("_address", "_texts", "__weakref__")

    def __init__(self, address: int) -> None:
        """For this package: `address` is a ksr_object that the caller keeps alive until this returns."""
        self._address: int = short.retain(address)
        self._texts: Dict[int, str] = {}  # the fields that were asked for

    # Not a weakref.finalize, which costs more than all the rest of an object's life.
    def __del__(self, short: Any = short) -> None:
        try:
            short.release(self._address)
        except AttributeError:  # it was never made
            pass

    _instead = "; pickle what decode() returns"

    def field(self, field: int) -> str:
        """The text of a Field; "" where the object has none."""
        text = self._texts.get(field)
        if text is None:
            if not 0 <= operator.index(field) <= _LARGEST_FIELD:
                return ""
            length = c_size_t()
            raw = short.field(self._address, field, byref(length)) or b""
            # The text of a field may hold a NUL character, at which ctypes ends it.
            whole = len(raw) == length.value
            text = raw.decode() if whole else text_of(library().ksr_object_field, self._address, field)
            self._texts[field] = text
        return text

    @property
    def uid(self) -> str:
        return self.field(Field.UID)

    @property
    def namespace(self) -> str:
        """ "" for a cluster-scoped object."""
        return self.field(Field.NAMESPACE)

    @property
    def name(self) -> str:
        return self.field(Field.NAME)

    @property
    def resource_version(self) -> str:
        return self.field(Field.RESOURCE_VERSION)

    @property
    def kind(self) -> str:
        return self.field(Field.KIND)

    @property
    def api_version(self) -> str:
        return self.field(Field.API_VERSION)

    @property
    def creation_timestamp(self) -> str:
        return self.field(Field.CREATION_TIMESTAMP)

    @property
    def json(self) -> memoryview:
        """The whole object as JSON in UTF-8, without a copy: the view looks into the library and keeps the object
        alive. `bytes(view)` copies it, for json.loads and the like."""
        length = c_size_t()
        address = library().ksr_object_field(self._address, Field.JSON, byref(length))
        return self._view(address, length.value)

    def raw(self, pointer: str) -> Optional[memoryview]:
        """The raw JSON that a JSON pointer (RFC 6901) names, without a copy; None when nothing is there."""
        length = c_size_t()
        address = library().ksr_object_get(self._address, c_text(pointer, "a JSON pointer"), byref(length))
        return self._view(address, length.value) if address else None

    def get(self, pointer: str, default: Any = None) -> Any:
        """The value that a JSON pointer such as "/status/phase" names, `default` when nothing is there. In a name / is
        written ~1, as in "/metadata/labels/app.kubernetes.io~1name"."""
        length = c_size_t()
        address = library().ksr_object_get(self._address, c_text(pointer, "a JSON pointer"), byref(length))
        return json.loads(ctypes.string_at(address, length.value).decode()) if address else default

    def __getitem__(self, pointer: str) -> Any:
        """The value that a JSON pointer names, as `get`; KeyError when nothing is there. Since 0.2."""
        value = self.get(pointer, _NOTHING)
        if value is _NOTHING:
            raise KeyError(pointer)
        return value

    def __contains__(self, pointer: str) -> bool:
        """Whether there is anything that a JSON pointer names. Since 0.2."""
        return bool(library().ksr_object_get(self._address, c_text(pointer, "a JSON pointer"), None))

    # Else it would be made of __getitem__.
    __iter__ = None

    def column(self, place: int) -> Optional[str]:
        """The text of a column of the key `columns`, from 0, as it was read when the object was stored: a string decoded,
        of anything else its JSON, "" where there is nothing. None when the stream has no such column. Since 0.2."""
        length = c_size_t()
        number = place_of(place)
        address = None if number is None else library().ksr_object_column(self._address, number, byref(length))
        return ctypes.string_at(address, length.value).decode() if address else None

    @property
    def columns(self) -> List[str]:
        """All columns of the object. Since 0.2."""
        all_columns: List[str] = []
        while (text := self.column(len(all_columns))) is not None:
            all_columns.append(text)
        return all_columns

    def get_str(self, pointer: str) -> Optional[str]:
        """The string that a JSON pointer names; None when none is there. This and the like need no parser of JSON. Since
        0.2."""
        raw = c_text(pointer, "a JSON pointer")
        return _decoded(lambda to, size: int(library().ksr_object_get_string(self._address, raw, to, size)))

    def get_int(self, pointer: str) -> Optional[int]:
        """An integer of 64 bits, such as 3 or 1e3; None when none is there. Since 0.2."""
        found: Optional[int] = self._number(library().ksr_object_get_int64, pointer, c_int64())
        return found

    def get_float(self, pointer: str) -> Optional[float]:
        """A number; None when none is there. Since 0.2."""
        found: Optional[float] = self._number(library().ksr_object_get_double, pointer, c_double())
        return found

    def get_bool(self, pointer: str) -> Optional[bool]:
        """True or False; None when neither is there. Since 0.2."""
        found = self._number(library().ksr_object_get_bool, pointer, c_int())
        return None if found is None else bool(found)

    def get_time(self, pointer: str) -> Optional[datetime]:
        """A string that is an RFC 3339 time, as a datetime of UTC, cut to milliseconds; None when none is there, or one
        outside the years 1 to 9999, which datetime does not have. Since 0.2."""
        unix_ms = self._number(library().ksr_object_get_time, pointer, c_int64())
        if unix_ms is None:
            return None
        try:
            return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=unix_ms)
        except OverflowError:
            return None

    def size_of(self, pointer: str) -> Optional[int]:
        """How many elements an array has, or members an object; None when neither is there. Since 0.2."""
        size = int(library().ksr_object_size(self._address, c_text(pointer, "a JSON pointer")))
        return None if size < 0 else size

    def keys_of(self, pointer: str) -> List[str]:
        """The names of the members of an object, in the order of the text; [] where none is. Since 0.2."""
        raw = c_text(pointer, "a JSON pointer")
        keys: List[str] = []
        while True:
            place = len(keys)
            key = _decoded(lambda to, size: int(library().ksr_object_key(self._address, raw, place, to, size)))
            if key is None:
                return keys
            keys.append(key)

    def _number(self, function: Any, pointer: str, value: Any) -> Any:
        found = function(self._address, c_text(pointer, "a JSON pointer"), byref(value))
        return value.value if found == 1 else None

    def decode(self) -> Any:
        """The whole object as Python values."""
        length = c_size_t()
        address = library().ksr_object_field(self._address, Field.JSON, byref(length))
        return json.loads(ctypes.string_at(address, length.value))

    def _view(self, address: int, length: int) -> memoryview:
        return view_of(self, address, length)

    def __eq__(self, other: object) -> bool:
        return self._address == other._address if isinstance(other, Object) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._address)

    def __repr__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"<ksr.Object {self.kind} {place} {self.resource_version}>"


def _decoded(write: Callable[[Any, int], int]) -> Optional[str]:
    """A string that the library writes into a buffer whose size it tells."""
    size = 128
    while True:
        text = ctypes.create_string_buffer(size)
        length = write(text, size)
        if length < 0:
            return None
        if length < size:
            return text.raw[:length].decode()
        size = length + 1


def view_of(owner: object, address: int, length: int) -> memoryview:
    """Memory of the library, without a copy; the view keeps its owner alive."""
    if not length:
        return memoryview(b"")
    memory = _bytes_type(length).from_address(address)
    memory.owner = owner
    return memoryview(memory).cast("B").toreadonly()


@functools.lru_cache(maxsize=512)
def _bytes_type(length: int) -> Any:
    return c_char * length
