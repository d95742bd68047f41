"""What labels and values mean in one namespace: the dimensions' own labels, and what policies say beside them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.identity.dimensions import LABEL_PREFIX, Dimension, Source
from aicost.domain.identity.normalise import normalise
from aicost.domain.policy.policies import Inherit, LabelKey, LabelPolicy
from aicost.domain.policy.values import canonical

_OWN = {LABEL_PREFIX + dimension: (0, dimension) for dimension in Dimension}
_SOURCES = {
    Inherit.OWNER: Source.OWNER_LABEL,
    Inherit.AIWORKLOAD: Source.AIWORKLOAD,
    Inherit.QUEUE: Source.QUEUE,
    Inherit.NAMESPACE: Source.NAMESPACE_LABEL,
    Inherit.SERVICE_ACCOUNT: Source.SERVICE_ACCOUNT,
    Inherit.GROUP: Source.REQUESTER_GROUP,
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The meaning of labels and values.

    Attributes:
        labels: label key -> rank and dimension. Of two labels of one object that mean the same the lower rank speaks:
            the dimension's own label before its aliases, these in the order of the policy.
        keys: dimension -> the keys of the policies that say which of its values mean the same.
        silenced: sources that a policy does not let a dimension be inherited from.
        defaults: dimension -> value of last resort and the policy that says so.
    """

    labels: Mapping[str, tuple[int, Dimension]] = field(default_factory=lambda: _OWN)
    keys: Mapping[Dimension, Sequence[LabelKey]] = field(default_factory=dict)
    silenced: frozenset[tuple[Source, Dimension]] = frozenset()
    defaults: Mapping[Dimension, tuple[str, str]] = field(default_factory=dict)

    def read(self, labels: Mapping[str, str]) -> Iterator[tuple[Dimension, str]]:
        """The dimensions that some labels name, with the value as written; of equal ones the strongest first."""
        known = self.labels
        found = [(*known[key], value) for key, value in labels.items() if key in known]
        if len(found) > 1:
            found.sort(key=lambda one: one[0])
        return ((dimension, value) for _, dimension, value in found)

    def value(self, dimension: Dimension, raw: str) -> str | None:
        """What a value says, in normal form and by its aliases; None where it says nothing."""
        value = normalise(dimension, raw)
        for key in self.keys.get(dimension, ()):
            value = None if value is None else canonical(key, value)
        return value


PLAIN = Vocabulary()
"""What holds where no policy says anything."""


def vocabulary_of(policies: Iterable[LabelPolicy]) -> Vocabulary:
    """What the policies that hold in a namespace say together.

    Aliases of all add up. Where two policies say different things of one label or default, the first in the alphabet
    of policies counts; aliases of values are followed policy by policy; a source that one of them silences is silent.
    """
    labels, keys = dict(_OWN), defaultdict[Dimension, list[LabelKey]](list)
    silenced, defaults = set[tuple[Source, Dimension]](), dict[Dimension, tuple[str, str]]()
    for policy in sorted(policies, key=lambda policy: policy.name):
        for key in policy.keys:
            if key.dimension is None:
                continue
            for alias in key.aliases:
                labels.setdefault(alias, (len(labels), key.dimension))
            if key.value_aliases:
                keys[key.dimension].append(key)
            silenced |= {(source, key.dimension) for how, source in _SOURCES.items() if how not in key.inherit}
            if key.default:
                defaults.setdefault(key.dimension, (key.default, f"CostLabelPolicy/{policy.name}"))
    return Vocabulary(labels, keys, frozenset(silenced), defaults)
