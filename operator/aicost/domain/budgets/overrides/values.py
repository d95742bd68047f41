"""Requests for more, and what may become of them."""

from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """What a request is for."""

    RAISE_LIMIT = "RaiseLimit"
    STOP_PRODUCTION = "StopProduction"
    BREAK_GLASS = "BreakGlass"


class OverrideClass(StrEnum):
    """How much a request asks for, and so who may allow it."""

    MINOR = "Minor"
    MAJOR = "Major"


class Ruling(StrEnum):
    """What was decided."""

    APPROVED = "Approved"
    DENIED = "Denied"


class Phase(StrEnum):
    """What became of a request."""

    PENDING = "Pending"
    ACTIVE = "Active"
    DENIED = "Denied"
    EXPIRED = "Expired"
    REVIEW_DUE = "ReviewDue"


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as it was written.

    Attributes:
        at_ms: when we first saw it; None while it is new.
    """

    ruling: Ruling
    as_class: OverrideClass
    by: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """A request for more.

    Attributes:
        nanos, percent: how much; exactly one for RaiseLimit, none for the others.
        active_ms: since when it holds, as its status says; None where it never did.
        reviewed_by: who reviewed a break-glass, empty for nobody.
        lapsed: whether nobody decided in time, as its status says: a later decision changes nothing.
    """

    namespace: str
    name: str
    uid: str
    purpose: Purpose
    requested_by: str
    created_ms: int
    reason: str = ""
    nanos: int | None = None
    percent: int | None = None
    until_ms: int | None = None
    decided: Decided | None = None
    active_ms: int | None = None
    reviewed_by: str = ""
    lapsed: bool = False

    def asked_nanos(self, base_nanos: int) -> int:
        """What it adds to a limit; a percentage is of the limit before anything was approved."""
        if self.nanos is not None:
            return self.nanos
        return base_nanos * (self.percent or 0) // 100
