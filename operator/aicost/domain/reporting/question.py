"""A question to the ledger as people write it, in a terminal or in a URL."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aicost.domain.reporting.ordering import SortKey
from aicost.domain.reporting.query import IdlePolicy

NAMESPACE, TEAM, COMPONENT = "namespace", "team", "component"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, still in words.

    Attributes:
        window: a window expression, see `parse_span`.
        group_by: group keys.
        filters: key -> accepted values.
        namespace: the one namespace to report on, whatever the filters say; None for all.
        idle: name of an `IdlePolicy`.
        compare: whether to report the span before as well.
        time_zone: zone in which days and months begin.
        sort: name of a `SortKey`.
        reverse: the smallest first.
        limit: lines to show before the rest is merged into one; None for all.
        adjusted: whether to report what was posted as corrections as well.
        team: the one team to report on, whatever the filters say; None for all.
    """

    window: str = "month-to-date"
    group_by: tuple[str, ...] = (NAMESPACE,)
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    namespace: str | None = None
    idle: str = IdlePolicy.TO_HOLDER.value
    compare: bool = False
    time_zone: str = "UTC"
    sort: str = SortKey.COST.value
    reverse: bool = False
    limit: int | None = None
    adjusted: bool = False
    team: str | None = None

    @property
    def scoped_filters(self) -> dict[str, tuple[str, ...]]:
        """The filters, with the namespace and the team in place of any that they name."""
        scope = {NAMESPACE: self.namespace, TEAM: self.team}
        return {**self.filters, **{key: (value,) for key, value in scope.items() if value is not None}}


def read_keys(texts: Iterable[str]) -> tuple[str, ...]:
    """Group keys of lists such as `team,model`, each once, in the order in which they are named."""
    named = (key.strip() for text in texts for key in text.split(","))
    return tuple(dict.fromkeys(key for key in named if key))


def read_filters(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Filters of texts such as `team=vision,speech`. A key that is named twice accepts the values of both.

    Raises:
        ValueError: a text names no key or no value.
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        key, sign, values = text.partition("=")
        accepted = tuple(value.strip() for value in values.split(",") if value.strip())
        if not (sign and key.strip() and accepted):
            raise ValueError(f"filter: {text[:80]!r} names no key and value: write key=value, such as team=vision")
        found[key.strip()] = (*found.get(key.strip(), ()), *accepted)
    return found


def write_filters(filters: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The texts that `read_filters` reads."""
    return [f"{key}={','.join(values)}" for key, values in filters.items()]


def read_sort(name: str) -> SortKey:
    """The order of a name.

    Raises:
        ValueError: there is no such order.
    """
    if name not in set(SortKey):
        raise ValueError(f"sort: {name[:40]!r} is no order: use {', '.join(SortKey)}")
    return SortKey(name)
