"""The delivery of a client: callbacks of its requests and streams."""

from __future__ import annotations

import threading
from ctypes import c_void_p
from typing import Any, Set

# Seconds between two looks at a client that another thread dispatches.
REST = 0.005


class Delivery:
    """Dispatches a ksr_client, on whatever thread waits for something of it."""

    def __init__(self, lib: Any, pointer: c_void_p) -> None:
        self._lib, self.pointer = lib, pointer
        self._threads: Set[int] = set()
        self._idle = threading.Condition()

    def elsewhere(self) -> bool:
        """Another thread is inside the client's callbacks: its descriptor stays readable, but not for this thread."""
        return bool(self._threads - {threading.get_ident()})

    def rest(self) -> None:
        """Waits for the end of that, a short while: what it waits for may be this thread."""
        with self._idle:
            if self.elsewhere():
                self._idle.wait(REST)

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
            with self._idle:
                self._idle.notify_all()
