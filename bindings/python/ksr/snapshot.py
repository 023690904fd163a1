"""The complete view at one moment."""

from __future__ import annotations

import weakref
from ctypes import byref, c_void_p
from typing import Iterator, List, NamedTuple, Optional, Sequence, Union, overload

from ._copies import Immutable
from ._library import c_text, library, short, text_of
from .codes import DeltaKind, named
from .objects import Object, place_of


class Delta(NamedTuple):
    """One change since the snapshot before; a deleted object is in its last known state."""

    kind: DeltaKind
    object: Object


class Change(NamedTuple):
    """A Delta with what the object was before. Since 0.2."""

    kind: DeltaKind
    object: Object
    #: As the snapshot delivered before had it; None when it is ADDED.
    before: Optional[Object]
    #: DELETED only because `limit` has no place for it any more: the object exists.
    left: bool


class Snapshot(Immutable, Sequence[Object]):
    """A sequence of all objects, ordered by (namespace, name), or with `limit` most recent first. Immutable, usable on
    any thread, and alive as long as it is referred to, also beyond its stream."""

    __slots__ = ("_address", "_count", "_merged", "__weakref__")

    def __init__(self, address: int) -> None:
        """For this package: takes over a reference to a ksr_snapshot."""
        lib = library()
        self._address = address
        self._count: int = lib.ksr_snapshot_count(address)
        #: The changes, where they are not the library's, but those of several snapshots.
        self._merged: Optional[List[Change]] = None
        weakref.finalize(self, lib.ksr_snapshot_release, address).atexit = False

    _instead = "; pickle what its objects' decode() returns"

    @property
    def sequence(self) -> int:
        """1, 2, 3... within a stream."""
        return int(library().ksr_snapshot_sequence(self._address))

    @property
    def resource_version(self) -> str:
        """As of which resourceVersion the view is complete."""
        return text_of(library().ksr_snapshot_resource_version, self._address)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Object: ...

    @overload
    def __getitem__(self, index: slice) -> List[Object]: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[Object, List[Object]]:
        if isinstance(index, slice):
            return [self._at(place) for place in range(*index.indices(self._count))]
        place = range(self._count)[index]
        return self._at(place)

    def __iter__(self) -> Iterator[Object]:
        return (self._at(place) for place in range(self._count))

    def _at(self, place: int) -> Object:
        return Object(short.at(self._address, place))

    def find(self, namespace: str, name: str) -> Optional[Object]:
        """The object of that namespace ("" for cluster-scoped) and name."""
        raw = c_text(namespace, "a namespace"), c_text(name, "a name")
        return _object(library().ksr_snapshot_find(self._address, *raw))

    def find_uid(self, uid: str) -> Optional[Object]:
        return _object(library().ksr_snapshot_find_uid(self._address, c_text(uid, "a uid")))

    def deltas(self) -> Iterator[Delta]:
        """What changed since the snapshot delivered before: deleted objects first, then the others."""
        if self._merged is not None:
            for change in self._merged:
                yield Delta(change.kind, change.object)
            return
        lib = library()
        address = c_void_p()
        for place in range(lib.ksr_snapshot_delta_count(self._address)):
            kind = lib.ksr_snapshot_delta_at(self._address, place, byref(address))
            yield Delta(named(DeltaKind, kind), Object(address.value or 0))

    def changes(self) -> Iterator[Change]:
        """The deltas, each with what the object was before. Since 0.2."""
        if self._merged is not None:
            yield from self._merged
            return
        lib = library()
        for place, (kind, item) in enumerate(self.deltas()):
            before = _object(lib.ksr_snapshot_delta_before(self._address, place))
            yield Change(kind, item, before, lib.ksr_snapshot_delta_left(self._address, place) == 1)

    def by_index(self, column: int, value: str) -> List[Object]:
        """The objects that have that value in that column, from 0, of the key `columns`, such as the pods of one node, in
        the order of the snapshot. The key `index` names the columns that can be asked for; for others there are none. A
        column with * finds an object by each of its values; "" finds those whose column is empty. Since 0.2."""
        lib = library()
        raw = c_text(value, "a value")
        number = place_of(column)
        if number is None:
            return []
        count = lib.ksr_snapshot_index_count(self._address, number, raw)
        return [Object(lib.ksr_snapshot_index_at(self._address, number, raw, place)) for place in range(count)]

    def __repr__(self) -> str:
        return f"<ksr.Snapshot {self.sequence}: {len(self)} objects at {self.resource_version}>"


def _object(address: Optional[int]) -> Optional[Object]:
    return Object(address) if address else None
