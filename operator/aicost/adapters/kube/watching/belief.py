"""What an informer believes to be there, and how lists and events change that belief. No I/O, no clock."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from aicost.adapters.kube.watching.notices import Changed, Gone, Seen
from aicost.domain.exact.windows import Window

T = TypeVar("T")

_GRAVES = 4_096
"""Deletions remembered, so that a late or repeated event cannot bring an object back to life."""


@dataclass(slots=True)
class _Entry(Generic[T]):
    version: str
    object: T
    seen_ms: int


class Belief(Generic[T]):
    """Objects by uid. A name that comes back with a new uid is another object."""

    def __init__(self, known: Mapping[str, Seen[T]] | None = None) -> None:
        self._entries = {uid: _Entry("", seen.object, seen.seen_ms) for uid, seen in (known or {}).items()}
        self._listed: set[str] = set()
        self._graves: OrderedDict[str, str] = OrderedDict()
        self.heard_ms: int | None = None
        """Up to here nothing was missed: the last event, bookmark or complete list."""

    def __len__(self) -> int:
        return len(self._entries)

    def begin_list(self) -> None:
        """A new list begins. It is the truth even where its versions are lower (etcd restored from a backup)."""
        self._listed.clear()
        self._graves.clear()

    def list_one(self, uid: str, version: str, found: T, at_ms: int) -> Changed[T] | None:
        """An object of a list; None where nothing is new about it."""
        self._listed.add(uid)
        entry = self._entries.get(uid)
        if entry is not None and entry.version == version:
            entry.seen_ms = at_ms
            return None
        self._entries[uid] = _Entry(version, found, at_ms)
        return Changed(uid, found, at_ms, initial=True)

    def list_unreadable(self, uid: str) -> None:
        """An object of a list that cannot be decoded: it is there, as it was last known."""
        self._listed.add(uid)

    def end_list(self, at_ms: int) -> Iterator[Gone[T]]:
        """What was there before and is not in the list: it went unseen, within the gap that each notice carries."""
        missing = [uid for uid in self._entries if uid not in self._listed]
        for uid in missing:
            entry = self._entries.pop(uid)
            last = max(entry.seen_ms, self.heard_ms or entry.seen_ms)
            yield Gone(uid, entry.object, at_ms, span(last, at_ms))
        self._listed.clear()
        self.heard_ms = at_ms

    def change(self, uid: str, version: str, found: T, at_ms: int, blind: Window | None = None) -> Changed[T] | None:
        """An event says that the object is there; None where we know that already, or know better.

        Args:
            uid: which object.
            version: its resource version.
            found: its state.
            at_ms: when we learnt it.
            blind: span in which we saw nothing, where the event comes from there.
        """
        entry = self._entries.get(uid)
        known = entry.version if entry is not None else self._graves.get(uid)
        if known is not None and _is_no_newer(version, known):
            return None
        seen_ms = at_ms if blind is None else max(blind.start_ms, entry.seen_ms if entry else blind.start_ms)
        self._entries[uid] = _Entry(version, found, seen_ms)
        self._listed.add(uid)  # an event between the objects of a streamed list
        return Changed(uid, found, at_ms, initial=blind is not None, gap=blind and span(seen_ms, at_ms))

    def remove(self, uid: str, version: str, last: T | None, at_ms: int, blind: Window | None) -> Gone[T] | None:
        """An event says that the object went; None where we know that already.

        Args:
            uid: which object.
            version: resource version of the deletion.
            last: its state at deletion, None if that cannot be read.
            at_ms: when we learnt it.
            blind: span in which we saw nothing, where the event comes from there.
        """
        entry = self._entries.pop(uid, None)
        if entry is None:
            return None
        self._graves[uid] = version
        while len(self._graves) > _GRAVES:
            self._graves.popitem(last=False)
        gap = None if blind is None else span(max(blind.start_ms, entry.seen_ms), at_ms)
        return Gone(uid, entry.object if last is None else last, at_ms, gap)


def span(start_ms: int, end_ms: int) -> Window:
    """The span between two readings of a clock that may have been set back between them."""
    return Window(min(start_ms, end_ms), end_ms)


def _is_no_newer(version: str, known: str) -> bool:
    """Resource versions of one resource are ordered as numbers; unordered ones can only be the same or not."""
    if version.isdecimal() and known.isdecimal():
        return int(version) <= int(known)
    return version == known
