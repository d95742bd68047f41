"""What an informer tells, and what it must be told after a restart."""

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from aicost.domain.exact.windows import Window

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """An object that was there before a restart, and when it was last seen."""

    object: T
    seen_ms: int


@dataclass(frozen=True, slots=True)
class Changed(Generic[T]):
    """An object is there, new or with new content.

    Attributes:
        at_ms: when we learnt it, by our own clock.
        initial: it came with a list, or from a span in which we saw nothing: it may have become so at any time before.
        gap: that span: it was so at some time of it, and need not be so now; None for a list and for what we saw.
    """

    uid: str
    object: T
    at_ms: int
    initial: bool
    gap: Window | None = None


@dataclass(frozen=True, slots=True)
class Gone(Generic[T]):
    """An object is no more.

    Attributes:
        object: its last known state: that of the deletion itself where we saw it.
        at_ms: when we learnt it, by our own clock.
        gap: span in which it went, where nobody was looking then; None where we saw it happen.
    """

    uid: str
    object: T
    at_ms: int
    gap: Window | None


Notice: TypeAlias = Changed[T] | Gone[T]
