"""What labels say of a key: under the key's own label and under its aliases."""

from collections.abc import Mapping
from dataclasses import dataclass

from aicost.domain.policy.policies import LabelKey
from aicost.domain.policy.values import canonical


@dataclass(frozen=True, slots=True)
class Spelling:
    """One label that speaks of a key.

    Attributes:
        label: the label as it stands there.
        raw: its value as written.
        value: the value that counts.
    """

    label: str
    raw: str
    value: str


def spellings(key: LabelKey, labels: Mapping[str, str]) -> tuple[Spelling, ...]:
    """All labels that say something of a key: its own first, then its aliases in their order."""
    found = ((label, labels[label]) for label in dict.fromkeys((key.label, *key.aliases)) if label in labels)
    values = ((label, raw, canonical(key, raw)) for label, raw in found)
    return tuple(Spelling(label, raw, value) for label, raw, value in values if value is not None)


def stated(key: LabelKey, labels: Mapping[str, str]) -> Spelling | None:
    """What counts of all that labels say of a key: the key's own label, then the first alias."""
    return next(iter(spellings(key, labels)), None)
