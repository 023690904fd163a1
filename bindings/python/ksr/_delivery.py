"""The delivery of a client: callbacks of its requests and streams."""

from __future__ import annotations

import threading
from ctypes import c_void_p
from typing import Any, Set


class Delivery:
    """Dispatches a ksr_client, on whatever thread waits for something of it."""

    def __init__(self, lib: Any, pointer: c_void_p) -> None:
        self._lib, self.pointer = lib, pointer
        self._threads: Set[int] = set()

    def inside(self) -> bool:
        """The calling thread is inside a callback, where nothing more is dispatched."""
        return threading.get_ident() in self._threads

    def dispatch(self) -> int:
        me = threading.get_ident()
        if me in self._threads:
            return 0
        self._threads.add(me)
        try:
            return int(self._lib.ksr_client_dispatch(self.pointer))
        finally:
            self._threads.discard(me)
