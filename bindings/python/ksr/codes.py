"""The constants of ksr.h. A number that is not here comes from a newer library and stays a plain int."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Type, TypeVar, Union, cast


class Numbered(IntEnum):
    """Its members, and numbers of a newer library, which are instances too, can be pickled and copied."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        return named, (type(self), int(self))


class Code(Numbered):
    """The kind of failure of an Error."""

    OK = 0
    INVALID = -1
    NOMEM = -2
    INTERNAL = -3
    UNKNOWN_KEY = -4
    WOULD_DEADLOCK = -5
    FORKED = -6
    CANCELLED = -7
    TIMEOUT = -8
    UNSUPPORTED = -9
    TRANSPORT = -20
    TLS = -21
    PROTOCOL = -22
    TOO_LARGE = -23
    LOST = -24
    AUTH = -40
    FORBIDDEN = -41
    NOT_FOUND = -42
    GONE = -43
    THROTTLED = -44
    SERVER = -45
    CONFLICT = -46
    REJECTED = -47


class State(Numbered):
    """What a stream is doing."""

    CONNECTING = 1
    LISTING = 2
    LIVE = 3
    WAITING = 4
    CLOSED = 5


class EventKind(Numbered):
    """What happens to a channel besides its bytes. Since 0.2."""

    CONNECTING = 1
    OPEN = 2
    #: Lines of the log are missing here.
    GAP = 6
    #: What follows is the log of the container's next instance.
    RESTARTED = 7
    #: The error says why; the channel goes on.
    INTERRUPTED = 8


class Part(Numbered):
    """What of a channel is read or written."""

    DATA = 0
    STDOUT = 1
    STDERR = 2
    TEXT = 16
    BINARY = 17


class DeltaKind(Numbered):
    """What happened to an object since the snapshot before."""

    ADDED = 1
    MODIFIED = 2
    DELETED = 3


class Field(Numbered):
    """The texts of an object that need no parsing."""

    JSON = 1
    UID = 2
    NAMESPACE = 3
    NAME = 4
    RESOURCE_VERSION = 5
    KIND = 6
    API_VERSION = 7
    CREATION_TIMESTAMP = 8


Named = TypeVar("Named", bound=IntEnum)


def named(kind: Type[Named], number: int) -> Named:
    """The member of that number; the number itself where it is not known, which an IntEnum compares with as well."""
    try:
        return kind(number)
    except ValueError:
        return cast(Named, _unnamed(kind, number))


def _unnamed(kind: Type[IntEnum], number: int) -> Union[int, IntEnum]:
    other = int.__new__(kind, number)
    other._name_ = f"UNKNOWN_{number}".replace("-", "MINUS_")
    other._value_ = number
    return other
