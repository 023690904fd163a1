"""What has been delivered to a stream and not been taken yet: one snapshot, with all that has changed since the one
that was taken before. The streams of a client dispatch each other, also when nobody polls this one."""

from __future__ import annotations

import threading
from typing import Dict, List, Optional

from .codes import DeltaKind
from .objects import Object
from .snapshot import Change, Snapshot


class Waiting:
    """At most one snapshot. Any thread may add one."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal's handler may take, too
        self._snapshot: Optional[Snapshot] = None
        self._changes: Optional[Dict[str, Change]] = None  # by uid; None: those of the snapshot

    def __bool__(self) -> bool:
        return self._snapshot is not None

    def add(self, snapshot: Snapshot) -> None:
        with self._lock:
            if self._snapshot is not None:
                if self._changes is None:
                    self._changes = {}
                    merge(self._changes, self._snapshot)
                merge(self._changes, snapshot)
            self._snapshot = snapshot

    def take(self) -> Optional[Snapshot]:
        with self._lock:
            snapshot, self._snapshot = self._snapshot, None
            merged, self._changes = self._changes, None
        if snapshot is not None and merged is not None:
            snapshot._merged = in_order(merged)
        return snapshot


def merge(changes: Dict[str, Change], snapshot: Snapshot) -> None:
    """Adds those of the snapshot that follows."""
    for change in snapshot.changes():
        uid = change.object.uid
        earlier = changes.pop(uid, None)
        both = change if earlier is None else _one_of(earlier, change)
        if both is not None:
            changes[uid] = both


def _one_of(earlier: Change, later: Change) -> Optional[Change]:
    """Both changes of an object as one; None when it is as it was."""
    if earlier.kind == DeltaKind.ADDED:
        return None if later.kind == DeltaKind.DELETED else later._replace(kind=DeltaKind.ADDED, before=None)
    if later.kind != DeltaKind.ADDED:
        return later._replace(before=earlier.before)
    # With `limit` an object leaves the view and comes back.
    if _is_same(earlier.before, later.object):
        return None
    return later._replace(kind=DeltaKind.MODIFIED, before=earlier.before)


def _is_same(one: Object, other: Object) -> bool:
    return one.resource_version == other.resource_version


def in_order(changes: Dict[str, Change]) -> List[Change]:
    """As the library has them."""
    return sorted(
        changes.values(),
        key=lambda change: (change.kind != DeltaKind.DELETED, change.object.namespace, change.object.name),
    )
