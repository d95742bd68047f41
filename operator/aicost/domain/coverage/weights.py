"""Label coverage: by cost and by count, per key, per namespace, and among the objects that cost most."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from aicost.domain.coverage.keys import WantedKey
from aicost.domain.coverage.spend import Spend
from aicost.domain.coverage.subjects import Subject
from aicost.domain.reporting.ratios import ratio

TOP_SHARE = Fraction(80, 100)
"""The objects that together make up this share of the cost are looked at by themselves."""


@dataclass(frozen=True, slots=True)
class Weight:
    """How much of a whole carries what is asked.

    Attributes:
        covered_nanos, whole_nanos: cost; the whole is what pods held.
        covered, objects: count of objects; of those that a key is required of.
    """

    covered_nanos: int = 0
    whole_nanos: int = 0
    covered: int = 0
    objects: int = 0

    @property
    def by_cost(self) -> Fraction | None:
        """Share of the cost; None where nothing has a cost, which is not zero."""
        return ratio(self.covered_nanos, self.whole_nanos)

    @property
    def by_count(self) -> Fraction | None:
        """Share of the objects; None where there is none."""
        return ratio(self.covered, self.objects)


@dataclass(frozen=True, slots=True)
class KeyCoverage:
    """Coverage of one key.

    Attributes:
        by_source: who gave the values -> cost that rests on it; `policy_default` stands there and is not covered.
    """

    key: str
    required: bool
    weight: Weight
    by_source: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NamespaceCoverage:
    """Coverage of one namespace by all required keys together, and key by key."""

    namespace: str
    weight: Weight
    keys: Mapping[str, Weight] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopSpend:
    """The fewest objects that make up `TOP_SHARE` of the cost, and their coverage.

    Attributes:
        objects: how many they are.
        of: out of how many that cost something.
    """

    objects: int
    of: int
    weight: Weight


def key_coverage(key: WantedKey, spends: Sequence[Spend], subjects: Sequence[Subject]) -> KeyCoverage:
    """Coverage of a key. A key that is required in some stages is measured there alone."""
    asked = [spend for spend in spends if spend.needs(key) or not key.required]
    by_source: Counter[str] = Counter()
    for spend in asked:
        if key.key in spend.values:
            by_source[spend.sources.get(key.key, "")] += spend.cost_nanos
    named = [spend for spend in asked if spend.covers(key)]
    counted = [subject for subject in subjects if _is_asked(key, subject)]
    weight = Weight(
        covered_nanos=sum(spend.cost_nanos for spend in named),
        whole_nanos=sum(spend.cost_nanos for spend in asked),
        covered=sum(_has(key, subject) for subject in counted),
        objects=len(counted),
    )
    return KeyCoverage(key.key, key.required, weight, dict(by_source.most_common()))


def _is_asked(key: WantedKey, subject: Subject) -> bool:
    """Whether an object counts for a key: one that is there and must have it, or, with no audit, one with a cost."""
    if subject.audited is None:
        return True
    return key.key in subject.audited.required if key.required else subject.audited.runs.is_ai


def _has(key: WantedKey, subject: Subject) -> bool:
    return key.key not in subject.missing if key.required else key.key in subject.values


def together(spends: Sequence[Spend], subjects: Sequence[Subject], keys: Sequence[WantedKey]) -> Weight:
    """Coverage by all required keys at once: a cost that lacks one of them is not covered.

    Cost of which no key is required, in a stage or a namespace that policies leave alone, is no part of the whole.
    """
    asked = [spend for spend in spends if any(map(spend.needs, keys))]
    counted = [one for one in subjects if one.audited is None or one.audited.required]
    return Weight(
        covered_nanos=sum(spend.cost_nanos for spend in asked if not spend.missing(keys)),
        whole_nanos=sum(spend.cost_nanos for spend in asked),
        covered=sum(not one.missing for one in counted),
        objects=len(counted),
    )


def by_namespace(
    spends: Sequence[Spend], subjects: Sequence[Subject], keys: Sequence[WantedKey]
) -> tuple[NamespaceCoverage, ...]:
    """Coverage of each namespace, the one with the largest uncovered cost first."""
    paid: defaultdict[str, list[Spend]] = defaultdict(list)
    there: defaultdict[str, list[Subject]] = defaultdict(list)
    for spend in spends:
        paid[spend.of[0]].append(spend)
    for subject in subjects:
        there[subject.of[0]].append(subject)
    found = [
        NamespaceCoverage(
            name,
            together(paid[name], there[name], keys),
            {key.key: key_coverage(key, paid[name], there[name]).weight for key in keys if key.required},
        )
        for name in sorted(paid.keys() | there.keys())
    ]
    return tuple(sorted(found, key=lambda one: (one.weight.covered_nanos - one.weight.whole_nanos, one.namespace)))


def top_spend(subjects: Sequence[Subject]) -> TopSpend:
    """The objects that together make up `TOP_SHARE` of the cost; they are given the costliest first."""
    costly = [one for one in subjects if one.cost_nanos > 0]
    whole, reached, top = sum(one.cost_nanos for one in costly), 0, list[Subject]()
    for subject in costly:
        if reached >= whole * TOP_SHARE:
            break
        top.append(subject)
        reached += subject.cost_nanos
    weight = Weight(
        covered_nanos=sum(one.cost_nanos - one.uncovered_nanos for one in top),
        whole_nanos=reached,
        covered=sum(not one.uncovered_nanos for one in top),
        objects=len(top),
    )
    return TopSpend(len(top), len(costly), weight)
