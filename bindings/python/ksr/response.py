"""The answer to a request."""

from __future__ import annotations

import json
import weakref
from ctypes import byref, c_size_t
from typing import Any, List, Optional

from ._copies import Immutable
from ._library import c_text, library, text_of
from .objects import Object, view_of


class Response(Immutable):
    """The answer of the server to a request, always a 2xx: another one is an Error. Immutable, usable on any thread, and
    alive as long as it is referred to, also beyond its client. Since 0.2."""

    __slots__ = ("_address", "__weakref__")

    def __init__(self, address: int) -> None:
        """For this package: takes over a reference to a ksr_response."""
        self._address = address
        weakref.finalize(self, library().ksr_response_release, address).atexit = False

    _instead = "; pickle its bytes or what json() returns"

    @property
    def http_status(self) -> int:
        """200 to 299."""
        return int(library().ksr_response_http_status(self._address))

    def header(self, name: str, default: Optional[str] = None) -> Optional[str]:
        """The values of a header, joined with ", ". The case of the name does not matter."""
        raw = c_text(name, "the name of a header")
        if library().ksr_response_header(self._address, raw, None) is None:
            return default
        return text_of(library().ksr_response_header, self._address, raw)

    @property
    def warnings(self) -> List[str]:
        """The texts with which the server warns, of a deprecated API or an unknown field for example."""
        lib = library()
        count = lib.ksr_response_warning_count(self._address)
        return [text_of(lib.ksr_response_warning, self._address, place) for place in range(count)]

    @property
    def body(self) -> memoryview:
        """What came, decompressed, without a copy: the view looks into the library and keeps the response alive."""
        length = c_size_t()
        address = library().ksr_response_body(self._address, byref(length))
        return view_of(self, address, length.value)

    def __bytes__(self) -> bytes:
        return bytes(self.body)

    def __len__(self) -> int:
        return len(self.body)

    def __bool__(self) -> bool:
        return True

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 in it is replaced."""
        return str(self.body, "utf-8", "replace")

    def json(self) -> Any:
        """The body as Python values; ValueError when it is no JSON."""
        return json.loads(bytes(self.body))

    @property
    def object(self) -> Optional[Object]:
        """The body as an Object, which may outlive the response; None when it is no JSON object."""
        address = library().ksr_response_object(self._address)
        return Object(address) if address else None

    def __repr__(self) -> str:
        return f"<ksr.Response {self.http_status}: {len(self)} bytes>"
