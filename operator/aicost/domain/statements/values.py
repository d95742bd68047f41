"""A statement: what one payer, or each of them, owes for a time, and how that adds up to the ledger."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import HELD, Bucket
from aicost.domain.reporting.query import Amounts

Keys = tuple[str, ...]
POSTING_KEY = "posting"
"""Key of a row that says with which window and revision it was posted. People do not group by it."""
SHARED_BUCKETS = (
    Bucket.UNALLOCATED,
    Bucket.STRANDED,
    Bucket.UNHEALTHY,
    Bucket.SYSTEM,
    Bucket.UNATTRIBUTED,
)
"""Buckets that a rule may spread over payers. What a pod used or reserved is its payer's own under each rule."""


class Spread(StrEnum):
    """How shared costs are spread over payers, within each cluster."""

    NONE = "none"
    """Not at all: they stay with the platform. The default."""
    COST = "cost"
    """In proportion to each payer's own cost."""
    GPU_HOURS = "gpu-hours"
    """In proportion to each payer's own device time."""
    EVEN = "even"
    """In equal parts among payers that held a device or have a cost."""
    FIXED = "fixed"
    """By shares that people agreed on; what is left of the whole stays with the platform."""


@dataclass(frozen=True, slots=True)
class SharedRule:
    """The rule that shared costs are spread by.

    Attributes:
        buckets: what is shared, some of `SHARED_BUCKETS`.
        shares: payer -> its share, for `fixed`: each from 0 to 1, at most 1 in all.
    """

    spread: Spread = Spread.NONE
    buckets: tuple[Bucket, ...] = SHARED_BUCKETS
    shares: Mapping[str, Fraction] = field(default_factory=dict)

    def is_shared(self, bucket: str) -> bool:
        """Whether the cost of a bucket is spread by this rule."""
        return self.spread is not Spread.NONE and bucket in self.buckets

    def is_own(self, bucket: str) -> bool:
        """Whether the cost of a bucket is its payer's own."""
        return bucket in HELD and not self.is_shared(bucket)


@dataclass(frozen=True, slots=True)
class StatementLine:
    """What a payer owes for one group of rows.

    Attributes:
        keys: values in the order of the statement's keys.
        components: component -> nano-units; they sum to the cost.
        merged: how many lines stand behind this one; above zero for the line `other` alone.
    """

    keys: Keys
    amounts: Amounts
    components: Mapping[str, int]
    merged: int = 0


@dataclass(frozen=True, slots=True)
class SharedLine:
    """A payer's part of one shared cost.

    Attributes:
        pool_nanos: the shared cost in all.
        basis, whole: the payer's part of it is `basis / whole`, before it was apportioned: nano-units for `cost`,
            milliseconds for `gpu-hours`, a count for `even`, a share in lowest terms for `fixed`.
        nanos: the payer's part.
    """

    cluster: str
    bucket: str
    pool_nanos: int
    basis: int
    whole: int
    nanos: int


@dataclass(frozen=True, slots=True)
class AdjustedLine:
    """What a difference changes about one group of rows."""

    keys: Keys
    nanos: int
    gpu_milliseconds: int


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What was posted, after the figures that a statement is compared with, for one reason.

    Attributes:
        reason: as in the ledger (`late-data`, `price-change`, `retag ...`); `closed-later` for windows that were first
            posted since, `shared-costs` for what the rule makes of it all.
        lines: what changes for which group, the largest first. Their sums are the adjustment's.
        windows, revisions: how many windows, and up to which revision, where that is known.
    """

    reason: str
    lines: tuple[AdjustedLine, ...]
    windows: int = 0
    first: Window | None = None
    last: Window | None = None

    @property
    def nanos(self) -> int:
        """What the total changes by."""
        return sum(line.nanos for line in self.lines)

    @property
    def gpu_milliseconds(self) -> int:
        """What the device time changes by."""
        return sum(line.gpu_milliseconds for line in self.lines)


@dataclass(frozen=True, slots=True)
class Account:
    """What one payer owes.

    Attributes:
        payer: values of the payer's keys; empty where the statement names no key.
        lines: its own cost, the largest first.
        own: sums over all its own rows.
        shared: its parts of shared costs.
        issued: sums over its own rows before the adjustments.
        issued_nanos: the total before the adjustments.
        adjustments: `issued_nanos` and these sum to the total.
    """

    payer: Keys
    lines: tuple[StatementLine, ...]
    own: Amounts
    shared: tuple[SharedLine, ...]
    issued: Amounts
    issued_nanos: int
    adjustments: tuple[Adjustment, ...]

    @property
    def shared_nanos(self) -> int:
        """Its part of all shared costs."""
        return sum(line.nanos for line in self.shared)

    @property
    def total_nanos(self) -> int:
        """What it owes."""
        return self.own.cost_nanos + self.shared_nanos


@dataclass(frozen=True, slots=True)
class Left:
    """A cost that no payer owes under the rule: it stays with the platform."""

    cluster: str
    bucket: str
    nanos: int
    gpu_milliseconds: int


@dataclass(frozen=True, slots=True)
class Part:
    """A statement in one currency: sums never mix currencies.

    Attributes:
        accounts: of the payer that was named, or of each one, the largest first.
        others: how many payers have no account here; what they owe in all.
        left: what the rule spreads over nobody.
        ledger: sums over all rows of the ledger for the time. Accounts, others and what is left sum to it.
    """

    currency: str
    accounts: tuple[Account, ...]
    others: int
    others_nanos: int
    left: tuple[Left, ...]
    ledger: Amounts

    def with_windows(self, beside: Callable[[Adjustment], Adjustment]) -> "Part":
        """The part with the windows of its adjustments told."""
        accounts = tuple(replace(one, adjustments=tuple(map(beside, one.adjustments))) for one in self.accounts)
        return replace(self, accounts=accounts)


@dataclass(frozen=True, slots=True)
class Posted:
    """Which postings of a cluster a statement rests on.

    Attributes:
        windows: how many windows have rows in the time.
        expected: how many there would be if each had some: fewer is a cluster in which nothing ran, or hours that were
            never posted. None where windows are not all of one length.
        revised: how many of them were posted again.
        highest: the highest revision.
    """

    cluster: str
    windows: int
    expected: int | None
    revised: int
    highest: int
    first: Window
    last: Window
    digest: str
    """Hash of the list of windows with their highest revision."""
