"""What copy and pickle make of what stands for something of the library's: never a second owner of it."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

Self = TypeVar("Self")


class NotPickled:
    """Another process has no part of it."""

    __slots__ = ()

    #: What to do instead, for the message.
    _instead = ""

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a ksr.{type(self).__name__} cannot be pickled{self._instead}")


class Immutable(NotPickled):
    """A copy is the same one, since it never changes."""

    __slots__ = ()

    def __copy__(self: Self) -> Self:
        return self

    def __deepcopy__(self: Self, memo: Any) -> Self:
        return self


class Single(NotPickled):
    """It is open, and what its copy would close is its own."""

    __slots__ = ()

    def __copy__(self) -> NoReturn:
        raise TypeError(f"a ksr.{type(self).__name__} cannot be copied: open another one")

    def __deepcopy__(self, memo: Any) -> NoReturn:
        self.__copy__()
