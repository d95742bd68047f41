"""The coverage report: how much of the cost, and of the objects, has an owner, and what to do about the rest."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.coverage.keys import WantedKey
from aicost.domain.coverage.line import Lever, Line, lever, line
from aicost.domain.coverage.maturity import Maturity, Standing, judge, line_of
from aicost.domain.coverage.objects import Audit, PolicyState
from aicost.domain.coverage.spend import Spend
from aicost.domain.coverage.subjects import Subject, join
from aicost.domain.coverage.values import ValueFinding, odd_values
from aicost.domain.coverage.weights import (
    KeyCoverage,
    NamespaceCoverage,
    TopSpend,
    Weight,
    by_namespace,
    key_coverage,
    together,
    top_spend,
)
from aicost.domain.exact.apportion import divide
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.policy.decisions import Verdict

MONTH_MS = 30 * DAY_MS
LINE_PPM = 900_000
"""Coverage to reach where no policy names another: compliance as the FinOps framework measures it."""
SHORTEST_MS = DAY_MS
"""From a shorter time nobody should tell what a month costs."""


@dataclass(frozen=True, slots=True)
class CoverageInput:
    """What a coverage report rests on, all of one currency and one scope.

    Attributes:
        span: time asked for.
        covered: the part of it that the ledger answers for, None for none.
        spends: what objects cost in it.
        recent: the same for the last `unused_days`; None where the ledger does not reach back so far.
        unused_days: days after which a value counts as unused.
        telemetry, price: shares of device time with samples and with a price.
        audit: the last look at the objects that are there; None where nobody looked.
        unaudited: why nobody looked.
        everywhere: whether all namespaces are in scope.
    """

    currency: str
    span: Window
    covered: Window | None
    keys: tuple[WantedKey, ...]
    spends: tuple[Spend, ...]
    recent: tuple[Spend, ...] | None
    unused_days: int = 30
    telemetry: Fraction | None = None
    price: Fraction | None = None
    audit: Audit | None = None
    unaudited: str = ""
    everywhere: bool = True


@dataclass(frozen=True, slots=True)
class WouldDeny:
    """What admission would say to the objects that are there, were they created now.

    Attributes:
        now: objects that today's modes refuse.
        strict: objects that mode Deny would refuse.
        of: objects that policies judge.
        by_code: code of a problem -> objects that have it.
    """

    now: int
    strict: int
    of: int
    by_code: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """The answer.

    Attributes:
        required: keys that count together.
        total: coverage by all of them at once.
        bare: objects that no key at all has a value for, the costliest first.
        offenders: objects with uncovered cost or with problems, the costliest first.
        denied: None where no policy could be asked.
        line: None where there is no cost.
        month_ms: time that monthly costs rest on, None where it is too short to tell.
        not_assessed: what cannot be said from here, and why.
    """

    currency: str
    span: Window
    covered: Window | None
    audited_ms: int | None
    required: tuple[str, ...]
    total: Weight
    keys: tuple[KeyCoverage, ...]
    namespaces: tuple[NamespaceCoverage, ...]
    top: TopSpend
    bare: tuple[Subject, ...]
    offenders: tuple[Subject, ...]
    values: tuple[ValueFinding, ...]
    denied: WouldDeny | None
    line: Line | None
    lever: Lever | None
    maturity: Maturity
    month_ms: int | None
    not_assessed: tuple[str, ...] = ()

    def monthly(self, nanos: int) -> int | None:
        """What a cost of the span comes to in 30 days at the same pace; None where the span is too short to tell."""
        return None if self.month_ms is None else divide(nanos * MONTH_MS, self.month_ms)


def cover(given: CoverageInput) -> CoverageReport:
    """Put a coverage report together."""
    audited = given.audit.objects if given.audit else ()
    subjects = join(given.spends, audited, given.keys)
    counted = subjects if given.audit is None else tuple(one for one in subjects if one.audited)
    total = together(given.spends, counted, given.keys)
    target = line_of(max((one.min_coverage_ppm for one in policies_of(given)), default=LINE_PPM))
    denied, found = would_deny(given.audit), lever(total, given.spends, given.keys)
    return CoverageReport(
        currency=given.currency,
        span=given.span,
        covered=given.covered,
        audited_ms=given.audit.at_ms if given.audit else None,
        required=tuple(key.key for key in given.keys if key.required),
        total=total,
        keys=tuple(key_coverage(key, given.spends, counted) for key in given.keys),
        namespaces=by_namespace(given.spends, counted, given.keys),
        top=top_spend(subjects),
        bare=tuple(one for one in subjects if one.bare and _is_costly_or_ai(one)),
        offenders=tuple(one for one in subjects if one.uncovered_nanos or _breaks(one)),
        values=tuple(odd for key in given.keys for odd in _odd(key, given)),
        denied=denied,
        line=line(total, subjects, target),
        lever=found,
        maturity=judge(_standing(given, total, target, denied, found)),
        month_ms=month_of(given.covered),
        not_assessed=tuple(_not_assessed(given)),
    )


def month_of(covered: Window | None) -> int | None:
    """The time that monthly costs rest on; None where it is too short to tell."""
    return covered.length_ms if covered and covered.length_ms >= SHORTEST_MS else None


def policies_of(given: CoverageInput) -> tuple[PolicyState, ...]:
    """The policies of the audit; none where nobody looked."""
    return given.audit.policies if given.audit else ()


def would_deny(audit: Audit | None) -> WouldDeny | None:
    """What admission would say to the objects that are there; None where there is no policy or nobody looked."""
    if audit is None or not audit.policies:
        return None
    codes = Counter(code for one in audit.objects for code in {problem.code.value for problem in one.breaks})
    return WouldDeny(
        now=sum(one.verdict is Verdict.DENY for one in audit.objects),
        strict=sum(bool(one.breaks) for one in audit.objects),
        of=len(audit.objects),
        by_code=dict(codes.most_common()),
    )


def _odd(key: WantedKey, given: CoverageInput) -> tuple[ValueFinding, ...]:
    audited = given.audit.objects if given.audit else ()
    return odd_values(key, given.spends, audited, given.recent, everywhere=given.everywhere)


def _is_costly_or_ai(subject: Subject) -> bool:
    return subject.cost_nanos > 0 or (subject.audited is not None and subject.audited.runs.is_ai)


def _breaks(subject: Subject) -> bool:
    return subject.audited is not None and bool(subject.audited.breaks)


def _standing(
    given: CoverageInput, total: Weight, target: Fraction, denied: WouldDeny | None, found: Lever | None
) -> Standing:
    return Standing(
        by_cost=total.by_cost,
        by_count=total.by_count,
        line=target,
        modes=tuple(one.mode for one in policies_of(given) if one.keys),
        policies_known=given.audit is not None,
        would_deny=denied.strict if denied else None,
        telemetry=given.telemetry,
        price=given.price,
        lever=found.advice if found else "",
    )


def _not_assessed(given: CoverageInput) -> Iterator[str]:
    """What cannot be said from here, and why."""
    if given.covered is None:
        yield "coverage by cost: the ledger holds nothing for this time"
    if given.audit is None:
        yield f"objects that are there, and what would be denied: {given.unaudited or 'nobody looked at them'}"
    else:
        yield from (f"objects of a kind: {reason}" for reason in given.audit.unread)
        if not given.audit.policies:
            yield "what would be denied: there is no CostLabelPolicy"
    if given.recent is None:
        yield f"values that are not used any more: the ledger does not reach back {given.unused_days} days"
    if month_of(given.covered) is None:
        yield "monthly cost: less than a day of cost is known"
