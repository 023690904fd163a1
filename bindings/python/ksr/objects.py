"""One Kubernetes object."""

from __future__ import annotations

import ctypes
import functools
import json
from ctypes import byref, c_char, c_size_t
from typing import Any, Dict, NoReturn, Optional

from ._library import c_text, library, short, text_of
from .codes import Field


class Object:
    """One version of a Kubernetes object: immutable, usable on any thread, and alive as long as it is referred to, also
    beyond its snapshot and its stream. Two are equal when they are the same version of the same object."""

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

    def __copy__(self) -> Object:
        return self

    def __deepcopy__(self, memo: Any) -> Object:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a ksr.Object cannot be pickled; pickle what decode() returns")

    def field(self, field: int) -> str:
        """The text of a Field; "" where the object has none."""
        text = self._texts.get(field)
        if text is None:
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
