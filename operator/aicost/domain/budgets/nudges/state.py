"""What is remembered of a nudge from one evaluation to the next."""

from dataclasses import dataclass, replace

from aicost.domain.budgets.plans import NudgeOn
from aicost.domain.exact.windows import DAY_MS, HOUR_MS

CALM_MS = 6 * HOUR_MS
"""So long something must be within its normal, in a row, to be back to normal."""
REFRACTORY_MS = DAY_MS
"""For so long nobody is told again of the same thing: half of all alarms repeat the one before."""
SHOWN_MS = DAY_MS
"""For so long what is over is still shown; after that it is forgotten."""


@dataclass(frozen=True, slots=True)
class NudgeState:
    """How one thing that left its normal stands.

    Attributes:
        name, on, subject: which nudge, and about what: the GPU model, or empty for the whole scope.
        since_ms: since when it is out of its normal.
        told_ms: when people were told of it last, or of the same thing before; None: not yet.
        calm_ms: since when it is within its normal without a break; None while it is not.
        until_ms: when it was back to normal; None while it lasts.
        message: what was found, against what is normal.
    """

    name: str
    on: NudgeOn
    subject: str
    since_ms: int
    told_ms: int | None = None
    calm_ms: int | None = None
    until_ms: int | None = None
    message: str = ""

    @property
    def lasts(self) -> bool:
        """Whether it is not back to normal yet."""
        return self.until_ms is None

    def is_due(self, now_ms: int) -> bool:
        """Whether people are to be told: once while it lasts, and not within a day of the time before."""
        told = self.told_ms
        return told is None or (told < self.since_ms and now_ms - told >= REFRACTORY_MS)


def unusual(old: NudgeState | None, new: NudgeState, now_ms: int) -> NudgeState:
    """It is out of its normal: still, or anew."""
    if old is not None and old.lasts:
        return replace(old, calm_ms=None)
    return replace(new, since_ms=now_ms, told_ms=old.told_ms if old else None)


def calm(old: NudgeState, now_ms: int) -> NudgeState | None:
    """It is within its normal. None: it is over for so long that it is forgotten."""
    if old.until_ms is not None:
        return old if now_ms - old.until_ms < SHOWN_MS else None
    since = now_ms if old.calm_ms is None else old.calm_ms
    return replace(old, calm_ms=since, until_ms=since if now_ms - since >= CALM_MS else None)


def unknown(old: NudgeState, now_ms: int) -> NudgeState | None:
    """Nothing is known: what lasts goes on lasting, and its calm hours are counted anew."""
    return replace(old, calm_ms=None) if old.lasts else calm(old, now_ms)
