"""What has been delivered to a stream and not been taken yet: one snapshot, with all that has changed since the one
that was taken before. The streams of a client dispatch each other, also when nobody polls this one."""

from __future__ import annotations

import enum
import threading
from ctypes import byref, c_size_t
from typing import Dict, List, NamedTuple, Optional, Tuple

from ._library import library
from .codes import DeltaKind, Field
from .objects import Object
from .snapshot import Change, Snapshot


class By(enum.Enum):
    """What two states of an object must have in common to be the same, beside their columns."""

    VERSION = enum.auto()  # and all that is shown: a server that was restored gives its versions a second time
    TEXT = enum.auto()  # but for the resourceVersion: fields that are not kept may have changed
    COLUMNS = enum.auto()


class Sameness(NamedTuple):
    """When two states of an object are the same, as the library has it by the keys of a stream."""

    by: By
    # Columns by each of whose values an index finds objects: "a,b" may be one value or two.
    joined: Tuple[int, ...]


class Waiting:
    """At most one snapshot. Any thread may add one."""

    def __init__(self, sameness: Sameness) -> None:
        self._sameness = sameness
        self._lock = threading.RLock()  # a signal's handler may take, too
        self._snapshot: Optional[Snapshot] = None
        self._changes: Optional[Dict[str, Change]] = None  # by uid; None: those of the snapshot
        self._began = False  # the first one was taken

    def __bool__(self) -> bool:
        return self._snapshot is not None

    def add(self, snapshot: Snapshot) -> None:
        with self._lock:
            if self._snapshot is not None:
                if self._changes is None:
                    self._changes = {}
                    merge(self._changes, self._snapshot, self._sameness)
                merge(self._changes, snapshot, self._sameness)
                if not self._changes and self._began:
                    # All is as it was in the one that was taken.
                    self._snapshot = self._changes = None
                    return
            self._snapshot = snapshot

    def take(self) -> Optional[Snapshot]:
        with self._lock:
            snapshot, self._snapshot = self._snapshot, None
            merged, self._changes = self._changes, None
            self._began = self._began or snapshot is not None
        if snapshot is not None and merged is not None:
            snapshot._merged = in_order([_as_shown(change, snapshot) for change in merged.values()])
        return snapshot


def merge(changes: Dict[str, Change], snapshot: Snapshot, sameness: Sameness) -> None:
    """Adds those of the snapshot that follows."""
    for change in snapshot.changes():
        uid = change.object.uid
        earlier = changes.pop(uid, None)
        both = change if earlier is None else _one_of(earlier, change, sameness)
        if both is not None:
            changes[uid] = both


def _one_of(earlier: Change, later: Change, sameness: Sameness) -> Optional[Change]:
    """Both changes of an object as one; None when it is as it was."""
    before = earlier.before
    if later.kind == DeltaKind.DELETED:
        return None if before is None else later._replace(before=before)
    if before is None:
        return later._replace(kind=DeltaKind.ADDED, before=None)
    # It has changed back, or, with `limit`, has left the view and come back.
    if _is_same(before, later.object, sameness):
        return None
    return later._replace(kind=DeltaKind.MODIFIED, before=before)


def _as_shown(change: Change, snapshot: Snapshot) -> Change:
    """What is no change has moved objects on since."""
    if change.kind == DeltaKind.DELETED:
        return change
    return change._replace(object=snapshot.find_uid(change.object.uid) or change.object)


def _is_same(one: Object, other: Object, sameness: Sameness) -> bool:
    if one.columns != other.columns or any("," in (one.column(place) or "") for place in sameness.joined):
        return False
    if sameness.by == By.VERSION:
        return one.resource_version == other.resource_version and bytes(one.json) == bytes(other.json)
    return sameness.by == By.COLUMNS or _text_around_version(one) == _text_around_version(other)


def _text_around_version(one: Object) -> Tuple[bytes, bytes]:
    json, length = bytes(one.json), c_size_t()
    whole = library().ksr_object_field(one._address, Field.JSON, byref(c_size_t()))
    version = library().ksr_object_get(one._address, b"/metadata/resourceVersion", byref(length))
    if not version:
        return json, b""
    return json[: version - whole], json[version - whole + length.value :]


def in_order(changes: List[Change]) -> List[Change]:
    """As the library has them."""
    return sorted(
        changes,
        key=lambda change: (change.kind != DeltaKind.DELETED, change.object.namespace, change.object.name),
    )
