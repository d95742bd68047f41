"""What an informer can say of itself, for metrics, readiness and the state dump."""

from collections import Counter
from dataclasses import dataclass, field


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
        undecodable: objects that could not be read and were passed over.
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
    lists: Counter[str] = field(default_factory=Counter)
    breaks: int = 0
    heard_ms: int | None = None
    error: str | None = None

    @property
    def relists(self) -> int:
        """Lists after the first one."""
        return self.lists.total() - self.lists["start"]

    def age_ms(self, now_ms: int) -> int | None:
        """Time since the last sign of life, None before the first list."""
        return None if self.heard_ms is None else max(0, now_ms - self.heard_ms)
