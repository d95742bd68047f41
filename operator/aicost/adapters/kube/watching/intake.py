"""Turns raw objects of lists and events into notices."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import msgspec

from aicost.adapters.kube.seen.values import BadObject
from aicost.adapters.kube.watching.belief import Belief
from aicost.adapters.kube.watching.events import Event, read_identity
from aicost.adapters.kube.watching.notices import Notice
from aicost.adapters.kube.watching.stats import InformerStats
from aicost.domain.exact.windows import Window
from aicost.ports.errors import AicostError

T = TypeVar("T")


class Intake(Generic[T]):
    """Decodes, updates the belief, counts, and tells what is new.

    Args:
        belief: what is believed to be there.
        decode: makes of an object's JSON the value that is kept, or says what is wrong with it.
        stats: what to count in.
    """

    def __init__(self, belief: Belief[T], decode: Callable[[bytes], T | BadObject], stats: InformerStats) -> None:
        self.belief, self._decode, self._stats = belief, decode, stats
        self.handle: Callable[[Notice[T]], None] | None = None

    def begin_list(self) -> None:
        """A new list begins."""
        self.belief.begin_list()
        self._stats.bad.clear()

    def list_one(self, raw: msgspec.Raw, at_ms: int) -> None:
        """An object of a list."""
        identity = read_identity(raw)
        found = self._read(identity.uid, raw)
        if found is None:
            self.belief.list_unreadable(identity.uid)
        else:
            self._tell(self.belief.list_one(identity.uid, identity.resource_version, found, at_ms))

    def end_list(self, at_ms: int) -> None:
        """The list is complete: tell what is missing in it."""
        self._tell_all(self.belief.end_list(at_ms))
        self.hear(at_ms)

    def take(self, event: Event, at_ms: int, blind: Window | None) -> str:
        """An object event of the stream; gives its resource version.

        Args:
            event: ADDED, MODIFIED or DELETED.
            at_ms: when it came.
            blind: span in which we saw nothing, where the event comes from there.
        """
        identity = read_identity(event.object)
        version = identity.resource_version
        found = self._read(identity.uid, event.object)
        notice: Notice[T] | None = None
        if event.type == "DELETED":
            self._stats.bad.pop(identity.uid, None)
            notice = self.belief.remove(identity.uid, version, found, at_ms, blind)
        elif found is not None:
            notice = self.belief.change(identity.uid, version, found, at_ms, blind)
        self._stats.events += 1
        self._stats.repeated += notice is None and found is not None
        self._tell(notice)
        return version

    def hear(self, at_ms: int) -> None:
        """Up to now nothing was missed."""
        self.belief.heard_ms = self._stats.heard_ms = at_ms
        self._stats.objects = len(self.belief)

    def _read(self, uid: str, raw: msgspec.Raw) -> T | None:
        """None for what cannot be read: the object stays as it was last known, and the rest goes on."""
        try:
            found = self._decode(bytes(raw))
        except (ValueError, msgspec.MsgspecError) as error:
            self._stats.refuse(uid, f"object {uid}: {error}")
            return None
        if isinstance(found, BadObject):
            self._stats.refuse(uid, str(found))
            return None
        self._stats.bad.pop(uid, None)
        return found

    def _tell_all(self, notices: Iterable[Notice[T]]) -> None:
        for notice in notices:
            self._tell(notice)

    def _tell(self, notice: Notice[T] | None) -> None:
        """A failing consumer must end the informer: taken for a failing stream, its notice would be lost."""
        if notice is None or self.handle is None:
            return
        try:
            self.handle(notice)
        except (AicostError, msgspec.MsgspecError) as error:
            raise RuntimeError(f"the consumer of {self._stats.resource} failed: {error}") from error
