"""Redlines: limits beside the ladder that fail one experiment fast, on what it costs and on what it achieves.

A redline is no rung. After some evaluations on fresh data, and enough units, it goes straight to FastFail for the
workload that crossed it, with a notice of its own, in the stages that it names.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from aicost.domain.budgets.plans import Redline, RedlineMetric
from aicost.domain.budgets.units.counts import UnitCount, cost_per_success, cost_per_unit, success_rate
from aicost.domain.exact.amounts import format_decimal
from aicost.domain.exact.apportion import divide
from aicost.domain.identity.stages import Stage

_PPB = 1_000_000_000
_FINE = 100_000
"""Amounts are shown to the fourth decimal."""
_SMALL = 10_000_000
"""Below a hundredth they are shown with all digits that they have: a token costs less."""


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """A workload that redlines judge: an AIWorkload, or the controller of pods that none claims."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of a workload over the span of a redline.

    Attributes:
        cost_nanos: what it cost.
        count: what it did; None where nobody counts.
        stage: empty where nothing names one.
    """

    subject: Subject
    cost_nanos: int
    count: UnitCount | None
    stage: str


class RedlineMove(StrEnum):
    """What happens to a workload by a redline."""

    NEAR = "Near"
    ANNOUNCED = "Announced"
    WAITING = "Waiting"
    DUE = "Due"
    WITHDRAWN = "Withdrawn"


@dataclass(frozen=True, slots=True)
class RedlineState:
    """How a redline stands for one workload.

    Attributes:
        agreed: evaluations in a row that found it crossed.
        crossed_ms: since when it counts as crossed; None while too few agree.
        due_ms: when the workload is stopped.
        value: the figure, for people.
    """

    name: str
    subject: Subject
    agreed: int = 0
    crossed_ms: int | None = None
    due_ms: int | None = None
    value: str = ""
    evaluated_ms: int = -1


@dataclass(frozen=True, slots=True)
class RedlineFinding:
    """What becomes of a workload by a redline now."""

    redline: Redline
    move: RedlineMove
    state: RedlineState


def judge_redline(
    redline: Redline, judged: Iterable[Judged], previous: Sequence[RedlineState], now_ms: int, *, blind: bool
) -> tuple[RedlineFinding, ...]:
    """Judge each workload by one redline. While the figures cannot be trusted everything stays as it was.

    Returns:
        Findings of workloads that are beyond the line, or were; those that are not, and never were, are left out.
    """
    before = {one.subject: one for one in previous if one.name == redline.name}
    found = {one.subject: one for one in judged}
    subjects = sorted(before.keys() | found.keys())
    results = (
        _judge(
            redline, found.get(subject), before.get(subject, RedlineState(redline.name, subject)), now_ms, blind=blind
        )
        for subject in subjects
    )
    return tuple(one for one in results if one is not None)


def _judge(
    redline: Redline, judged: Judged | None, old: RedlineState, now_ms: int, *, blind: bool
) -> RedlineFinding | None:
    if blind or now_ms <= old.evaluated_ms:
        return RedlineFinding(redline, RedlineMove.WAITING, old) if old.agreed else None
    figure = _figure(redline, judged) if judged and _may_stop(redline, judged) else None
    if figure is None or not _is_beyond(redline, figure):
        return RedlineFinding(redline, RedlineMove.WITHDRAWN, replace(old, agreed=0)) if old.crossed_ms else None
    state = replace(old, agreed=old.agreed + 1, value=_shown(redline, figure), evaluated_ms=now_ms)
    if state.agreed < redline.evaluations:
        return RedlineFinding(redline, RedlineMove.NEAR, state)
    if state.crossed_ms is None:
        announced = replace(state, crossed_ms=now_ms, due_ms=now_ms + redline.notice_ms)
        return RedlineFinding(redline, RedlineMove.ANNOUNCED, announced)
    is_due = state.due_ms is not None and now_ms >= state.due_ms
    return RedlineFinding(redline, RedlineMove.DUE if is_due else RedlineMove.WAITING, state)


def _may_stop(redline: Redline, judged: Judged) -> bool:
    return judged.stage in {stage.value for stage in redline.stages if isinstance(stage, Stage)}


def _figure(redline: Redline, judged: Judged) -> Fraction | None:
    """The figure of a workload; None where it is not defined, or rests on too little."""
    if redline.metric is RedlineMetric.TOTAL_COST:
        return Fraction(judged.cost_nanos)
    count = judged.count
    if count is None or (count.units or 0) < redline.min_samples:
        return None
    match redline.metric:
        case RedlineMetric.COST_PER_UNIT:
            return cost_per_unit(judged.cost_nanos, count)
        case RedlineMetric.COST_PER_SUCCESS:
            return cost_per_success(judged.cost_nanos, count)
        case _:
            rate = success_rate(count)
            return None if rate is None else rate * _PPB


def _is_beyond(redline: Redline, figure: Fraction) -> bool:
    above = redline.above is not None and figure > redline.above
    return above or (redline.below is not None and figure < redline.below)


def _shown(redline: Redline, figure: Fraction) -> str:
    """The figure as people write it: an amount, or a share."""
    if redline.metric is RedlineMetric.SUCCESS_RATE:
        return f"{float(figure * 100 / _PPB):.1f}%"
    nanos = divide(figure.numerator, figure.denominator)
    return format_decimal(divide(nanos, _FINE) * _FINE if abs(nanos) >= _SMALL else nanos)
