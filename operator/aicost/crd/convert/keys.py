"""The keys of a CostLabelPolicy as the domain knows them: values in normal form, patterns that every engine can run."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from aicost.crd.convert.parsing import Converted, SpecProblem
from aicost.crd.convert.scopes import namespace_scope
from aicost.crd.models.policy import keys as api
from aicost.domain.identity.dimensions import LABEL_PREFIX, Dimension
from aicost.domain.policy.expressions.patterns import check_pattern
from aicost.domain.policy.policies import AllowedValues, Case, ConfigMapKey, Inherit, LabelKey
from aicost.domain.policy.values import form_of

_NEAR = 0.85
"""From here on a key without a prefix is a dimension that was misspelt; `state` (0.8) is not `stage`."""


class _Form(NamedTuple):
    """How values of one key are written."""

    dimension: Dimension | None
    case: Case

    def of(self, raw: str) -> str:
        """The normal form; empty where the value says nothing."""
        return form_of(self.dimension, self.case, raw) or ""

    def all(self, raws: Iterable[str]) -> tuple[str, ...]:
        """The normal forms, each once, without those that say nothing."""
        return tuple(dict.fromkeys(value for value in map(self.of, raws) if value))


def label_key(key: api.LabelKeyPolicy, where: str) -> Converted[LabelKey]:
    """Read a key.

    One that is nearly a dimension is not used, because nobody would find its labels; nor is one with a pattern that not
    every engine reads alike.
    """
    dimension = Dimension(key.key) if key.key in set(Dimension) else None
    if dimension is None and (meant := _misspelt(key.key)):
        fix = f"did you mean {meant}? If you do mean {key.key}, make it an alias of {meant}, or give it a prefix"
        return Converted(None, (SpecProblem(f"{where}.key", repr(key.key), fix),))
    if unreadable := tuple(_unreadable(key, where)):
        return Converted(None, unreadable)
    form = _Form(dimension, key.case)
    read = LabelKey(
        key=key.key,
        label=f"{LABEL_PREFIX}{key.key}" if dimension else key.key,
        dimension=dimension,
        aliases=tuple(key.aliases or ()),
        value_aliases=_spelt(form, key.value_aliases or {}),
        case=key.case,
        convention=key.convention or "",
        convention_hint=key.convention_hint or "",
        allowed=_allowed(form, key.allowed),
        need=key.required,
        stages=tuple(key.stages or ()),
        inherit=_inherit(key.inherit),
        groups={group: value for group, raw in (key.groups or {}).items() if (value := form.of(raw))},
        default=form.of(key.default or ""),
        immutable=key.immutable,
    )
    return Converted(read)


def first_of_each(keys: Sequence[LabelKey]) -> tuple[LabelKey, ...]:
    """The keys, each once."""
    first: dict[str, LabelKey] = {}
    for key in keys:
        first.setdefault(key.key, key)
    return tuple(first.values())


def repeated(keys: Sequence[LabelKey]) -> Iterator[SpecProblem]:
    """Keys that stand there more than once: the first holds."""
    for key, count in Counter(key.key for key in keys).items():
        if count > 1:
            yield SpecProblem("spec.keys", repr(key), f"it stands there {count} times and the first holds: keep one")


def _misspelt(key: str) -> str:
    near = get_close_matches(key.lower(), [] if "/" in key else list(Dimension), 1, _NEAR)
    return near[0] if near else ""


def _unreadable(key: api.LabelKeyPolicy, where: str) -> Iterator[SpecProblem]:
    """Patterns that the API server takes and that the engines do not all read alike."""
    for field, pattern in (("convention", key.convention), ("allowed.pattern", key.allowed and key.allowed.pattern)):
        if pattern and (problem := check_pattern(pattern)):
            yield SpecProblem(f"{where}.{field}", repr(pattern), problem)


def _spelt(form: _Form, spellings: Mapping[str, str]) -> dict[str, str]:
    """Spellings and what they stand for, both in normal form; what stands for itself is no alias."""
    pairs = ((form.of(written), form.of(meant)) for written, meant in spellings.items())
    return {written: meant for written, meant in pairs if written and meant and written != meant}


def _inherit(chosen: Sequence[Inherit] | None) -> tuple[Inherit, ...]:
    """Where values may come from, in the order of the one precedence."""
    return tuple(one for one in Inherit if chosen is None or one in chosen)


def _allowed(form: _Form, allowed: api.AllowedValues | None) -> AllowedValues:
    if allowed is None:
        return AllowedValues()
    source = allowed.config_map
    scopes = ((form.of(one.value), namespace_scope(one.namespaces)) for one in allowed.bound or ())
    return AllowedValues(
        values=form.all(allowed.values or ()),
        pattern=allowed.pattern or "",
        config_map=None if source is None else ConfigMapKey(source.namespace, source.name, source.key),
        bound={value: scope for value, scope in scopes if value and scope is not None},
    )
