"""What goes wrong with an exporter or a GPU, as data with a time span."""

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """The kinds of trouble; the comment says what a reader sees."""

    # the whole answer
    GAP = "gap"  # the connection is dropped without an answer
    UNAVAILABLE = "unavailable"  # status 503
    HTML = "html"  # status 200 and a web page
    HALF_LINE = "half-line"  # the body ends in the middle of a row
    HUGE = "huge"  # 10 MB in one line that never ends
    EMPTY = "empty"  # status 200 and nothing
    SLOW = "slow"  # the right answer, `amount` real milliseconds late
    # single values
    SENTINEL = "sentinel"  # the driver's "not available": about 9.2e18
    NAN = "nan"
    NEGATIVE = "negative"
    ABOVE_ONE = "above-one"  # 1.29 times the truth
    ABSENT = "absent"  # the rows are not there
    FROZEN = "frozen"  # everything stays as it was at `from_ms`, the energy counter too
    COUNTER_RESET = "counter-reset"  # the energy counter starts again from 0 at `from_ms`
    # labels
    LABELS_MISSING = "labels-missing"  # pod labels come and go, each `amount` ms
    LINGERING = "lingering"  # a pod that has ended is still shown
    ODD_LABELS = "odd-labels"  # a label with quotes, a line break and 4 KiB of text
    DUPLICATE_ROWS = "duplicate-rows"  # each row stands twice in one answer
    # the GPU itself
    LOST = "lost"  # off the bus: no rows, not allocatable, still billed
    XID = "xid"  # the error gauge shows `amount`


WHOLE_ANSWER = frozenset(
    {FaultKind.GAP, FaultKind.UNAVAILABLE, FaultKind.HTML, FaultKind.HALF_LINE, FaultKind.HUGE, FaultKind.EMPTY}
)
SPOILED_VALUE = frozenset({FaultKind.SENTINEL, FaultKind.NAN, FaultKind.NEGATIVE, FaultKind.ABSENT})
ACTIVITY = frozenset({"util", "engine", "sm", "device_busy"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One trouble during `[from_ms, to_ms)`.

    Attributes:
        kind: what happens.
        from_ms: when it begins.
        to_ms: when it is over.
        uuids: the GPUs it touches; empty means all of the node.
        meanings: the fields it touches (`engine`, `util`, ...); empty means all.
        exporter: index of the exporter it touches; None means all of the node.
        amount: a number that the kind explains.
    """

    kind: FaultKind
    from_ms: int
    to_ms: int
    uuids: tuple[str, ...] = ()
    meanings: tuple[str, ...] = ()
    exporter: int | None = None
    amount: int = 15_000

    def touches(self, at_ms: int, *, exporter: int, uuid: str = "", meaning: str = "") -> bool:
        """Whether it is felt at this moment by this exporter, GPU and field; an empty GPU or field asks for any."""
        return (
            self.from_ms <= at_ms < self.to_ms
            and self.exporter in (None, exporter)
            and (not uuid or not self.uuids or uuid in self.uuids)
            and (not meaning or not self.meanings or meaning in self.meanings)
        )

    def blinds(self, uuid: str, exporter: int, exported: frozenset[str]) -> bool:
        """Whether it leaves no usable activity of a GPU at one exporter that exports these fields.

        A frozen exporter blinds: its energy counter stands still while power is drawn, so its values prove nothing.
        """
        if self.exporter not in (None, exporter) or (self.uuids and uuid not in self.uuids):
            return False
        if self.kind in WHOLE_ANSWER or self.kind is FaultKind.FROZEN:
            return True
        left = (exported & ACTIVITY) - set(self.meanings) if self.meanings else frozenset()
        return self.kind in SPOILED_VALUE and not left
