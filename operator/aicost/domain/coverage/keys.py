"""The keys whose coverage is measured, and where the ledger has their values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.identity.dimensions import UNTAGGED, Dimension, Source
from aicost.domain.identity.stages import Stage
from aicost.domain.policy.policies import ConfigMapKey, LabelKey, LabelPolicy, Need
from aicost.domain.reporting.query import LABEL_KEY, SOURCE_KEY

NOT_EARNED = frozenset({Source.POLICY_DEFAULT.name.lower()})
"""Sources that do not count as coverage: a default names somebody so that nothing is nameless, and nobody said it."""
OBJECT_KEYS = ("namespace", "controller", "workload", Dimension.STAGE.value)
"""Group keys that every coverage query begins with."""


@dataclass(frozen=True, slots=True)
class WantedKey:
    """A key whose coverage is measured.

    Attributes:
        key: as policies name it: `team`, or `acme.com/owner`.
        label: the label that people set: `aicost.dev/team`.
        groups: group keys of the ledger that hold its value, the first that has one counts.
        required: whether any policy requires it of GPU workloads; others are shown and judge nothing.
        stages: stages in which it is required; empty: in all.
        namespaces: where it is required; None: everywhere.
        allowed: values that policies allow; empty where anything is.
    """

    key: str
    label: str
    groups: tuple[str, ...]
    required: bool = True
    stages: tuple[str, ...] = ()
    namespaces: tuple[str, ...] | None = None
    allowed: tuple[str, ...] = ()

    @property
    def source_group(self) -> str:
        """The group key that says who gave the value; empty for a key that is no dimension: its pods' labels say it."""
        return f"{SOURCE_KEY}{self.key}" if self.key in set(Dimension) else ""

    def applies(self, stage: str, namespace: str) -> bool:
        """Whether it is required there. Of what names no stage all is required, whatever the stage."""
        here = self.namespaces is None or namespace in self.namespaces
        return self.required and here and (not self.stages or not stage or stage in self.stages)


TEAM = WantedKey(Dimension.TEAM.value, f"aicost.dev/{Dimension.TEAM.value}", (Dimension.TEAM.value,))
"""What is asked where no policy says anything: whose cost it is."""

Reach = frozenset[str] | None
"""Namespaces in which a policy holds; None: in all."""


@dataclass(slots=True)
class _Merged:
    """What several policies say of one key together."""

    first: LabelKey
    required: bool = False
    stages: set[Stage] | None = field(default_factory=set)
    namespaces: set[str] | None = field(default_factory=set)
    groups: dict[str, None] = field(default_factory=dict)
    allowed: set[str] = field(default_factory=set)


def wanted_keys(
    policies: Iterable[LabelPolicy], listed: Mapping[ConfigMapKey, Sequence[str]], reach: Mapping[str, Reach]
) -> tuple[WantedKey, ...]:
    """The keys of some policies, in the order in which they name them; `team` alone where they name none.

    A key that several policies require in different stages or namespaces is required in all of these.

    Args:
        policies: accepted policies.
        listed: values that ConfigMaps hold.
        reach: name of a policy -> namespaces in which it holds.
    """
    found: dict[str, _Merged] = {}
    for policy in sorted(policies, key=lambda one: one.name):
        for key in policy.keys:
            _merge(found.setdefault(key.key, _Merged(key)), key, reach.get(policy.name), listed)
    return tuple(_wanted(one) for one in found.values()) or (TEAM,)


def _merge(into: _Merged, key: LabelKey, reach: Reach, listed: Mapping[ConfigMapKey, Sequence[str]]) -> None:
    if key.need is not Need.NEVER:
        into.required = True
        into.stages = None if into.stages is None or not key.stages else into.stages | set(key.stages)
        into.namespaces = None if into.namespaces is None or reach is None else into.namespaces | reach
    own = [key.dimension.value] if key.dimension else [f"{LABEL_KEY}{name}" for name in (key.label, *key.aliases)]
    into.groups |= dict.fromkeys(own)
    into.allowed |= {*key.allowed.values, *(listed.get(key.allowed.config_map, ()) if key.allowed.config_map else ())}


def _wanted(merged: _Merged) -> WantedKey:
    first = merged.first
    return WantedKey(
        key=first.key,
        label=first.label,
        groups=tuple(merged.groups),
        required=merged.required,
        stages=tuple(stage.value for stage in Stage if stage in (merged.stages or ())),
        namespaces=None if merged.namespaces is None else tuple(sorted(merged.namespaces)),
        allowed=tuple(sorted(merged.allowed)),
    )


def group_keys(keys: Sequence[WantedKey]) -> tuple[str, ...]:
    """The group keys of the one query that answers everything about these keys."""
    own = [group for key in keys for group in (*key.groups, key.source_group) if group]
    return tuple(dict.fromkeys([*OBJECT_KEYS, *own]))


def value_in(key: WantedKey, group: Mapping[str, str]) -> str:
    """The value of a key in a group of the ledger, empty for none."""
    found = (group.get(name, "") for name in key.groups)
    return next((value for value in found if value and value != UNTAGGED), "")
