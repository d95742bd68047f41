"""What a statement is made of: sums of the ledger, sorted by payer, cluster and reason."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from aicost.domain.reporting.idle import is_held
from aicost.domain.reporting.keys import shown
from aicost.domain.reporting.tally import Contribution
from aicost.domain.statements.corrections import REASON_KEY
from aicost.domain.statements.spreading import Basis, Pool
from aicost.domain.statements.values import Keys, SharedRule

CLUSTER_KEY = "cluster"


@dataclass(frozen=True, slots=True)
class Sums:
    """Contributions of one currency, grouped by keys of which some stand for the payer.

    Attributes:
        keys: the group keys of each contribution.
        payer: the keys among them that name a payer.
    """

    keys: Keys
    payer: Keys
    items: Sequence[Contribution]

    def value(self, item: Contribution, key: str) -> str:
        """What a contribution says under a key, as it is shown."""
        return shown(key, item.group.keys[self.keys.index(key)])

    def payer_of(self, item: Contribution) -> Keys:
        """Whose a held contribution is."""
        return tuple(self.value(item, key) for key in self.payer)

    def where(self, items: Iterable[Contribution]) -> "Sums":
        """The same with other items."""
        return replace(self, items=tuple(items))

    def own(self, rule: SharedRule) -> "Sums":
        """What payers owe by themselves."""
        return self.where(item for item in self.items if rule.is_own(item.group.bucket))


def by_payer(sums: Sums) -> dict[Keys, Sums]:
    """Held contributions, payer by payer."""
    found: defaultdict[Keys, list[Contribution]] = defaultdict(list)
    for item in filter(is_held, sums.items):
        found[sums.payer_of(item)].append(item)
    return {payer: sums.where(items) for payer, items in found.items()}


def bases(sums: Sums, rule: SharedRule) -> dict[str, dict[Keys, Basis]]:
    """Cluster -> payer -> what is its own there."""
    found: defaultdict[str, defaultdict[Keys, Basis]] = defaultdict(lambda: defaultdict(Basis))
    own = sums.own(rule)
    for item in own.items:
        amount = Basis(item.group.cost_nanos, item.group.gpu_milliseconds)
        found[sums.value(item, CLUSTER_KEY)][sums.payer_of(item)] += amount
    return {cluster: dict(payers) for cluster, payers in found.items()}


def pools(sums: Sums, rule: SharedRule, *, shared: bool) -> tuple[Pool, ...]:
    """What the rule spreads, or what it leaves with the platform, by cluster and bucket."""
    nanos: Counter[Keys] = Counter()
    time: Counter[Keys] = Counter()
    for item in sums.items:
        bucket = item.group.bucket
        if rule.is_own(bucket) or rule.is_shared(bucket) is not shared:
            continue
        place = (sums.value(item, CLUSTER_KEY), bucket)
        nanos[place] += item.group.cost_nanos
        time[place] += item.group.gpu_milliseconds
    return tuple(
        Pool(cluster, bucket, nanos[cluster, bucket], time[cluster, bucket]) for cluster, bucket in sorted(time)
    )


def rehomed(sums: Sums, home: str) -> Sums:
    """Unpriced time that names no currency in the home currency: it is of no other."""
    if not home:
        return sums
    return sums.where(
        item if item.group.currency else replace(item, group=replace(item.group, currency=home)) for item in sums.items
    )


def home_currency(items: Iterable[Contribution]) -> str:
    """The one currency that there is; empty where there are several, or none."""
    named = {item.group.currency for item in items} - {""}
    return named.pop() if len(named) == 1 else ""


@dataclass(frozen=True, slots=True)
class Moment:
    """The ledger at one moment, as far as a statement asks.

    Attributes:
        everyone: sums by cluster, payer and reason over all rows.
        lines: sums by the payer's keys, the statement's keys and reason over the rows of the payers that are stated.
    """

    everyone: Sums
    lines: Sums

    @property
    def currencies(self) -> tuple[str, ...]:
        """Currencies with rows, in order of their names."""
        return tuple(sorted({item.group.currency for item in self.everyone.items}))

    def payers(self) -> frozenset[Keys]:
        """All that hold or held something."""
        return frozenset(by_payer(self.everyone))

    def of(self, currency: str) -> "Moment":
        """The part in one currency."""
        everyone, lines = (
            sums.where(item for item in sums.items if item.group.currency == currency)
            for sums in (self.everyone, self.lines)
        )
        return Moment(everyone, lines)

    def at_home(self, home: str) -> "Moment":
        """The same with unpriced time that names no currency in the home currency."""
        return Moment(rehomed(self.everyone, home), rehomed(self.lines, home))

    def first_postings(self) -> "Moment":
        """What was posted for each window at first, and the open window: no correction."""
        everyone, lines = (
            sums.where(item for item in sums.items if not sums.value(item, REASON_KEY))
            for sums in (self.everyone, self.lines)
        )
        return Moment(everyone, lines)
