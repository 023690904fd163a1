"""The descriptor that is readable while a stream has something to dispatch, and how to wait for it."""

from __future__ import annotations

import asyncio
import os
import select
import weakref
from typing import Optional, Set, Tuple

from ._deadline import is_over, left_ms

# poll takes milliseconds in a C int.
_LONGEST_WAIT_MS = 3_600_000

#: Tasks that wait, each in its loop.
Sleepers = Set[Tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]]


class Descriptor:
    """A duplicate of ksr_fd that stays open until no task or thread waits for it, even if the stream is closed.
    Any thread may wait."""

    def __init__(self, original: int, news: Optional[int] = None) -> None:
        """With `news` it is readable also while that is."""
        self.number = os.dup(original) if news is None else _both(original, news)
        self._over = False
        self._sleepers: Sleepers = set()
        weakref.finalize(self, os.close, self.number).atexit = False

    def wait(self, deadline: Optional[float]) -> bool:
        """Blocks until it is readable; False when the time limit is exceeded."""
        poll = select.poll()
        poll.register(self.number, select.POLLIN)
        while True:
            if poll.poll(left_ms(deadline, _LONGEST_WAIT_MS)):
                return True
            if is_over(deadline):
                return False

    async def readable(self) -> None:
        """Waits in the running event loop, until it is readable or `wake_sleepers` is called."""
        loop = asyncio.get_running_loop()
        woken: "asyncio.Future[None]" = loop.create_future()
        # A descriptor of its own, since a loop keeps one reader for each descriptor and several tasks may wait.
        number = os.dup(self.number)
        forget_closed(self._sleepers)
        self._sleepers.add((loop, woken))
        try:
            loop.add_reader(number, _wake, woken)
            # After the sleeper is registered: either it is woken, or it sees that it need not sleep.
            if not self._over:
                await woken
        finally:
            self._sleepers.discard((loop, woken))
            unwatch(loop, number)

    def wake_sleepers(self) -> None:
        """Wakes all of them, from any thread, for good: the descriptor may never be readable again."""
        self._over = True
        for loop, woken in tuple(self._sleepers):
            try:
                loop.call_soon_threadsafe(_wake, woken)
            except RuntimeError:  # that loop is closed, and no task waits in it
                pass


def forget_closed(sleepers: Sleepers) -> None:
    """Lets go of tasks that a loop still had when it was closed, and so of what they hold."""
    for sleeper in tuple(sleepers):
        if sleeper[0].is_closed():
            sleepers.discard(sleeper)


def unwatch(loop: asyncio.AbstractEventLoop, number: int) -> None:
    """Takes the reader of a descriptor of its own away, also after the loop was closed."""
    try:
        if not loop.is_closed():
            loop.remove_reader(number)
    finally:
        os.close(number)


class News:
    """What makes a descriptor readable, for a stream of a client: others that wait for the client's descriptor may
    have dispatched what this one waits for."""

    def __init__(self) -> None:
        self.number, self._other_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for number in (self.number, self._other_end):
            weakref.finalize(self, os.close, number).atexit = False

    def set(self) -> None:
        try:
            os.write(self._other_end, b"!")
        except BlockingIOError:  # it is readable already
            pass

    def clear(self) -> None:
        try:
            while os.read(self.number, 4096):
                pass
        except BlockingIOError:
            pass


def _both(first: int, second: int) -> int:
    both = select.epoll()
    try:
        for number in (first, second):
            both.register(number, select.EPOLLIN)
        return os.dup(both.fileno())
    finally:
        both.close()


def _wake(woken: "asyncio.Future[None]") -> None:
    if not woken.done():
        woken.set_result(None)
