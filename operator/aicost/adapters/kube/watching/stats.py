"""What an informer can say of itself, for metrics, readiness and the state dump."""

from collections import Counter
from dataclasses import dataclass, field

_BAD_KEPT = 100


@dataclass(slots=True)
class InformerStats:
    """Counters and states of one informer; it writes, others read.

    Attributes:
        resource: what it watches, such as `pods`.
        synced: the first list is complete.
        objects: how many are there.
        events: changes and deletions told by the stream since the start.
        bookmarks: bookmarks received.
        repeated: events that told nothing new and were dropped.
        undecodable: times that an object could not be read and was passed over.
        bad: what is wrong with those of them that are still there, by uid; the first hundred.
        lists: complete lists by reason: `start`, `expired`, `lost`.
        breaks: streams that ended otherwise than on time.
        heard_ms: when it last knew that it had missed nothing, by our own clock; None before the first list.
        error: why it cannot list or watch just now, None while it can.
    """

    resource: str
    synced: bool = False
    objects: int = 0
    events: int = 0
    bookmarks: int = 0
    repeated: int = 0
    undecodable: int = 0
    bad: dict[str, str] = field(default_factory=dict)
    lists: Counter[str] = field(default_factory=Counter)
    breaks: int = 0
    heard_ms: int | None = None
    error: str | None = None

    def refuse(self, uid: str, problem: str) -> None:
        """An object could not be read."""
        self.undecodable += 1
        if uid in self.bad or len(self.bad) < _BAD_KEPT:
            self.bad[uid] = problem

    @property
    def relists(self) -> int:
        """Lists after the first one."""
        return self.lists.total() - self.lists["start"]

    def age_ms(self, now_ms: int) -> int | None:
        """Time since the last sign of life, None before the first list."""
        return None if self.heard_ms is None else max(0, now_ms - self.heard_ms)
