"""What the ledger says of each object: its cost, split by the values that it carried."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.coverage.keys import NOT_EARNED, WantedKey, value_in
from aicost.domain.identity.dimensions import UNTAGGED, Dimension
from aicost.domain.reporting.query import Report, ReportLine
from aicost.domain.reporting.ratios import gpu_time

ObjectKey = tuple[str, str, str]
"""Namespace, kind and name of an object."""


@dataclass(frozen=True, slots=True)
class Spend:
    """What one object cost while it carried one set of values.

    Attributes:
        of: the object: the last owner of its pods, as the ledger names it.
        workload: the AIWorkload that claimed its pods, empty for none.
        stage: empty where nothing named one.
        values: key -> value, for keys that have one.
        sources: key -> who gave the value, a lower-case name of `Source`; own keys, which are labels of pods, are
            absent.
        cost_nanos: cost that its pods held; what nobody held has no owner who could label it.
        gpu_milliseconds: device time, priced or not.
        unpriced_gpu_milliseconds: the part of it without a price.
    """

    of: ObjectKey
    workload: str
    stage: str
    values: Mapping[str, str]
    sources: Mapping[str, str]
    cost_nanos: int
    gpu_milliseconds: int
    unpriced_gpu_milliseconds: int = 0

    def covers(self, key: WantedKey) -> bool:
        """Whether this cost carries the key; a policy's default does not count."""
        return bool(self.values.get(key.key)) and self.sources.get(key.key) not in NOT_EARNED

    def missing(self, keys: Sequence[WantedKey]) -> tuple[str, ...]:
        """The required keys that this cost does not carry."""
        return tuple(key.key for key in keys if self.needs(key) and not self.covers(key))

    def needs(self, key: WantedKey) -> bool:
        """Whether a policy requires the key of this cost."""
        return key.applies(self.stage, self.of[0])


@dataclass(slots=True)
class Carried:
    """What carried one value.

    Attributes:
        cost_nanos: cost with that value.
        objects: who carried it.
    """

    cost_nanos: int = 0
    objects: set[ObjectKey] = field(default_factory=set)


def spends_of(report: Report, keys: Sequence[WantedKey]) -> tuple[Spend, ...]:
    """Read the lines of a report by `group_keys(keys)`."""
    return tuple(_spend(dict(zip(report.query.group_by, line.keys, strict=True)), line, keys) for line in report.lines)


def _spend(group: Mapping[str, str], line: ReportLine, keys: Sequence[WantedKey]) -> Spend:
    kind, _, name = group["controller"].partition("/")
    stage = group.get(Dimension.STAGE.value, "")
    values = {key.key: value for key in keys if (value := value_in(key, group))}
    sources = {key.key: said for key in keys if key.key in values and (said := group.get(key.source_group, ""))}
    return Spend(
        of=(group["namespace"], kind, name),
        workload=group["workload"],
        stage="" if stage == UNTAGGED else stage,
        values=values,
        sources=sources,
        cost_nanos=line.amounts.cost_nanos,
        gpu_milliseconds=gpu_time(line.amounts),
        unpriced_gpu_milliseconds=line.amounts.unpriced_gpu_milliseconds,
    )


def carried(spends: Sequence[Spend], key: WantedKey) -> Mapping[str, Carried]:
    """Value -> what carried it, for values that somebody gave."""
    found: defaultdict[str, Carried] = defaultdict(Carried)
    for spend in spends:
        if spend.covers(key):
            one = found[spend.values[key.key]]
            one.cost_nanos += spend.cost_nanos
            one.objects.add(spend.of)
    return found
