"""Values of a key in CEL: their normal form, aliases, and which of them are allowed.

Only what labels can hold has to come out as in `domain.policy.values`: letters and digits of ASCII, dots, dashes and
underscores.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby

from aicost.crd.vap.language.cel import all_of, any_of, text, texts
from aicost.domain.identity.dimensions import UNTAGGED, Dimension
from aicost.domain.policy.policies import Case, ConfigMapKey, LabelKey
from aicost.domain.policy.values import canonical, known_values

Listed = Mapping[ConfigMapKey, tuple[str, ...]]
_SPEC_FIELDS = (Dimension.MODEL, Dimension.WORKLOAD_TYPE, Dimension.STAGE)
"""Dimensions that are fields of an AIWorkload's spec itself; the others stand under `spec.dimensions`."""
_PARTS = "findAll('[-_]+|[^-_]+')"


def normal(key: LabelKey, value: str) -> str:
    """The normal form of a value without aliases.

    Args:
        key: whose value it is.
        value: expression of a text.
    """
    if key.dimension is None:
        return f"{value}.trim().lowerAscii()" if key.case is Case.LOWER else f"{value}.trim()"
    return model(value) if key.dimension is Dimension.MODEL else plain(value)


def model(value: str) -> str:
    """The normal form of a label's value as a model has it: two dashes stand for a slash."""
    parts = f"({value}.startsWith('models--') ? {value}.substring(8) : {value}).lowerAscii().{_PARTS}"
    return f"{parts}.map(p, p == '--' ? '/' : p.matches('^[-_]') ? '-' : p).join('')"


def plain(value: str) -> str:
    """The normal form of a label's value as all dimensions but the model have it."""
    return f"{value}.lowerAscii().replace('_', '-').split('-').filter(p, p != '').join('-')"


def aliases(key: LabelKey) -> dict[str, str]:
    """Value in normal form -> the value that counts."""
    return {alias: meant for alias in key.value_aliases if (meant := canonical(key, alias)) is not None}


def counted(key: LabelKey, value: str, meant: str) -> str:
    """The value that counts for a written one, with aliases followed.

    Args:
        key: whose value it is.
        value: expression of a text.
        meant: expression of `aliases` as a map.
    """
    if not aliases(key):
        return normal(key, value)
    return f"[{normal(key, value)}].map(n, {meant}[?n].orValue(n))[0]"


def spelled(key: LabelKey, labels: str, meant: str) -> str:
    """What labels say of a key, as a list of values that count: its own label first, then its aliases.

    Args:
        key: the key.
        labels: expression of a map; it is written twice, so give a variable.
        meant: expression of `aliases` as a map.
    """
    names = texts(dict.fromkeys((key.label, *key.aliases)))
    value = counted(key, f"{labels}[k]", meant)
    return f"{names}.filter(k, k in {labels}).map(k, {value}).filter(v, v != '' && v != {text(UNTAGGED)})"


def is_known(key: LabelKey, listed: Listed, value: str) -> str:
    """True for an allowed value that counts. Where a list cannot be read, or is empty, all values are allowed."""
    allowed = key.allowed
    if allowed.config_map is not None and not listed.get(allowed.config_map):
        return "true"
    known = known_values(key, listed)
    terms = [f"{value} in {texts(known)}"] if known else []
    terms += [matches(allowed.pattern, value)] if allowed.pattern else []
    return any_of(terms) if terms else "true"


def matches(pattern: str, value: str) -> str:
    """True where a value matches a pattern as a whole."""
    return f"{value}.matches({text(f'^(?:{pattern})$')})"


def is_foreign(key: LabelKey, value: str, inside: Mapping[str, str]) -> str:
    """True for a value that says who pays, outside the namespaces that may use it.

    Args:
        key: the key.
        value: expression of a value that counts.
        inside: value -> expression that holds in its namespaces.
    """
    order = sorted(key.allowed.bound, key=lambda one: (inside[one], one))
    groups = [(scope, list(values)) for scope, values in groupby(order, key=lambda one: inside[one])]
    return any_of(all_of([f"{value} in {texts(values)}", f"!({scope})"]) for scope, values in groups)


def some_of(values: Iterable[str]) -> str:
    """The first few of several values, for people."""
    shown = list(values)
    more = [f"+{len(shown) - 3}"] if len(shown) > 3 else []
    return ", ".join([*shown[:3], *more])


def spec_field(key: LabelKey) -> str:
    """Pointer to the field of an AIWorkload that states a key, empty for none."""
    if key.dimension is None:
        return ""
    first, *rest = key.dimension.split("-")
    name = first + "".join(part.capitalize() for part in rest)
    return f"/spec/{name}" if key.dimension in _SPEC_FIELDS else f"/spec/dimensions/{name}"
