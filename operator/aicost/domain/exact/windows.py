"""Half-open spans of time in integer milliseconds since the Unix epoch, UTC."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_millis(moment: datetime) -> int:
    """Milliseconds since the epoch of an aware datetime, sub-millisecond digits cut off.

    Raises:
        ValueError: the datetime has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone: a moment must say which one it is in")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def to_datetime(millis: int) -> datetime:
    """The aware UTC datetime of milliseconds since the epoch."""
    return _EPOCH + timedelta(milliseconds=millis)


def to_rfc3339(millis: int) -> str:
    """Print a moment as Kubernetes does: `2026-11-20T10:00:00Z`, with milliseconds only where there are some."""
    text = to_datetime(millis).isoformat(timespec="milliseconds" if millis % SECOND_MS else "seconds")
    return text.replace("+00:00", "Z")


def from_rfc3339(text: str) -> int:
    """Read an RFC 3339 timestamp as milliseconds.

    Raises:
        ValueError: it is not one, or it names no time zone.
    """
    return to_millis(datetime.fromisoformat(text))


def describe_length(milliseconds: int) -> str:
    """Print a length of time for people, in whole minutes: `2 d 4 h`, `30 min`."""
    minutes = milliseconds // MINUTE_MS
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "under a minute"


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The half-open span [start_ms, end_ms)."""

    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        if self.end_ms < self.start_ms:
            raise ValueError(
                f"window ends at {to_rfc3339(self.end_ms)}, before it starts at {to_rfc3339(self.start_ms)}"
            )

    @property
    def length_ms(self) -> int:
        """Length in milliseconds."""
        return self.end_ms - self.start_ms

    def __contains__(self, at_ms: int) -> bool:
        return self.start_ms <= at_ms < self.end_ms

    def __str__(self) -> str:
        return f"{to_rfc3339(self.start_ms)}/{to_rfc3339(self.end_ms)}"

    def overlaps(self, other: "Window") -> bool:
        """Whether the two share time."""
        return max(self.start_ms, other.start_ms) < min(self.end_ms, other.end_ms)

    def overlap(self, other: "Window") -> "Window | None":
        """The common part, or None where there is none of positive length."""
        start, end = max(self.start_ms, other.start_ms), min(self.end_ms, other.end_ms)
        return Window(start, end) if start < end else None


@dataclass(frozen=True, slots=True)
class Grid:
    """The billing windows: spans of equal length aligned to the epoch, hence to UTC.

    Attributes:
        length_ms: one hour, or 15 minutes for zones with offsets of a fraction of an hour.
    """

    length_ms: int = HOUR_MS

    def __post_init__(self) -> None:
        if self.length_ms <= 0 or DAY_MS % self.length_ms:
            raise ValueError(f"window length {self.length_ms} ms must divide a day")

    def containing(self, at_ms: int) -> Window:
        """The window that a moment lies in."""
        start = at_ms - at_ms % self.length_ms
        return Window(start, start + self.length_ms)

    def covering(self, span: Window) -> Iterator[Window]:
        """Each window that shares time with the span, in order."""
        start = self.containing(span.start_ms).start_ms
        while start < span.end_ms:
            yield Window(start, start + self.length_ms)
            start += self.length_ms
