"""What others bill us for: models behind an API, and the AI services of a cloud. Lines in, rows of the ledger out."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from aicost.domain.exact.apportion import rescale
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import LABEL_PREFIX, Dimension
from aicost.domain.identity.normalise import normalise
from aicost.domain.ledger.rows import Bucket, Component, Holder, Method, Place, Quality, Row

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_BY_USERS = "user:"
"""What a cloud writes before tags of its users."""
ATTOS_PER_NANO = 10**9
"""Bills carry up to eighteen digits behind the point. They are rounded once, day by day."""


NAMESPACE = "namespace"
"""What a tag may name beside a dimension, where a rule says so: whose namespace pays."""


class Basis(StrEnum):
    """Who says what a line cost."""

    BILL = "bill"
    """The provider: that is what is owed."""
    GATEWAY = "gateway"
    """A gateway, at the list prices that it knows: an estimate."""
    LIST = "list"
    """Nobody yet: tokens that a gateway counted, at a list price: an estimate."""


@dataclass(frozen=True, slots=True)
class SpendLine:
    """One line of a bill, or of what a gateway saw.

    Attributes:
        day: the day in UTC that it is about.
        provider: who bills: `anthropic`, `openai`, `aws` ...
        cost_attos: amount in 10^-18 of the currency; negative for a credit.
        item: what was bought, as the provider calls it.
        model: the model, empty where the line is about none.
        quantity: how many of `unit`; 0 where the bill does not say.
        tags: what the provider keeps beside it: workspace, project, key, tags of resources.
        basis: who says what it cost.
        source: for an estimate, which prices it rests on.
    """

    day: Window
    provider: str
    cost_attos: int
    currency: str
    item: str = ""
    model: str = ""
    region: str = ""
    quantity: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    basis: Basis = Basis.BILL
    source: str = ""


def _as_written(name: str) -> str:
    return name


@dataclass(frozen=True, slots=True)
class Mapped:
    """Which tag of a provider names which dimension: `workspace_id` -> team.

    Attributes:
        keys: tag -> dimension. Beside these, a tag that is called as a dimension is that dimension.
        values: (dimension or `namespace`, value in normal form) -> the name that we use.
        namespaces: tags that name the namespace that pays. No tag does by its own name: whoever writes tags would
            choose whose budget pays.
        customer: what a customer is called in the ledger.
    """

    keys: Mapping[str, Dimension] = field(default_factory=dict)
    values: Mapping[tuple[str, str], str] = field(default_factory=dict)
    namespaces: frozenset[str] = frozenset()
    customer: Callable[[str], str] = _as_written

    def dimension(self, key: str) -> Dimension | None:
        """The dimension that a tag names, None for one that names none."""
        if key in self.keys:
            return self.keys[key]
        plain = key.removeprefix(_BY_USERS).removeprefix(LABEL_PREFIX).lower().replace("_", "-").replace(" ", "-")
        return Dimension(plain) if plain in set(Dimension) else None


def named_value(key: str, value: str, name: str) -> tuple[tuple[str, str], str]:
    """One of `Mapped.values`: a value in the form that it is looked up by, and the name in that of the ledger.

    Args:
        key: a dimension, or `namespace`.
        value: as the provider writes it.
        name: what it is called here.
    """
    if key == NAMESPACE:
        return (key, value.strip().lower()), name
    dimension = Dimension(key)
    return (key, normalise(dimension, value) or value), normalise(dimension, name) or name


AS_NAMED = Mapped()
"""Tags that are called as dimensions, and no others."""


@dataclass(slots=True)
class _Sum:
    """Lines that are one row."""

    line: SpendLine
    attos: int = 0
    quantity: int = 0


def rows_of_bill(
    account: str, lines: Iterable[SpendLine], mapped: Mapped = AS_NAMED
) -> Mapping[Window, tuple[Row, ...]]:
    """The rows of an account's bill by day; a day's rows sum to the day's lines, rounded once for each currency.

    Args:
        account: key of the account in the ledger, in the place of a cluster.
        lines: of any days, in any order.
        mapped: what tags mean.
    """
    sums: dict[tuple[object, ...], _Sum] = {}
    for line in lines:
        mine = sums.setdefault(_key(line), _Sum(line))
        mine.attos += line.cost_attos
        mine.quantity += line.quantity
    parts: dict[tuple[Window, str], list[_Sum]] = defaultdict(list)
    for _, mine in sorted(sums.items(), key=lambda one: repr(one[0])):
        parts[mine.line.day, mine.line.currency].append(mine)
    days: dict[Window, list[Row]] = defaultdict(list)
    for (day, _), together in sorted(parts.items(), key=lambda one: (one[0][0].start_ms, one[0][1])):
        days[day] += _rounded(account, together, mapped)
    return {day: tuple(rows) for day, rows in days.items()}


def _key(line: SpendLine) -> tuple[object, ...]:
    """What tells two rows apart."""
    tags = tuple(sorted(line.tags.items()))
    what = line.provider, line.currency, line.item, line.model, line.region
    return line.day.start_ms, line.day.end_ms, *what, line.basis, line.source, tags


def _rounded(account: str, sums: Sequence[_Sum], mapped: Mapped) -> list[Row]:
    """Amounts in nano-units: what is rounded off one goes to another, so that they sum to the day."""
    nanos = rescale([one.attos for one in sums], 1, ATTOS_PER_NANO)
    return [_row(account, one, amount, mapped) for one, amount in zip(sums, nanos, strict=True)]


def _row(account: str, summed: _Sum, nanos: int, mapped: Mapped) -> Row:
    line = summed.line
    dimensions = _dimensions(line, mapped)
    billed = line.basis is Basis.BILL
    return Row(
        window=line.day,
        revision=0,
        component=Component.API,
        place=Place(cluster=account, node="", device="", provider=line.provider, region=line.region),
        holder=Holder(
            namespace=_namespace(line, mapped),
            controller_kind="ProviderAccount",
            controller=account,
            dimensions={key: value for key, (value, _) in dimensions.items()},
            provenance={key: origin for key, (_, origin) in dimensions.items()},
            labels=_labels(line, mapped),
        ),
        bucket=Bucket.USED,
        method=Method.BILLED if billed else Method.ESTIMATED,
        quality=Quality.MEASURED_COUNTER if billed else Quality.ESTIMATED,
        signal=line.item,
        currency=line.currency,
        cost_nanos=nanos,
        gpu_milliseconds=0,
        measured_milliseconds=0,
        error_nanos=0,  # tokens are counted, not sampled; that the price is a list price is marked
        price=f"{line.basis}/{line.source or line.provider}",
        list_price=not billed,
        quantity=summed.quantity,
    )


def _namespace(line: SpendLine, mapped: Mapped) -> str:
    """The namespace that pays, by the first tag that names one."""
    for tag in sorted(mapped.namespaces & line.tags.keys()):
        name = line.tags[tag].strip().lower()
        name = mapped.values.get((NAMESPACE, name), name)
        if is_namespace(name):
            return name
    return ""


def is_namespace(name: str) -> bool:
    """Whether a namespace may be called so."""
    return bool(_NAMESPACE.fullmatch(name))


def _labels(line: SpendLine, mapped: Mapped) -> dict[str, str]:
    """The tags; whoever must not be named in the ledger is named in none of them."""
    named = {tag for tag in line.tags if mapped.dimension(tag) is Dimension.CUSTOMER}
    return {tag: mapped.customer(value) if tag in named else value for tag, value in line.tags.items()}


def _dimensions(line: SpendLine, mapped: Mapped) -> dict[str, tuple[str, str]]:
    """Dimension -> value and what said it: a rule before a tag's own name, the line's model before both."""
    found: dict[str, tuple[str, str]] = {}
    for tag, raw in sorted(line.tags.items(), key=lambda one: (one[0] in mapped.keys, one[0])):
        dimension = mapped.dimension(tag)
        value = normalise(dimension, raw) if dimension else None
        if dimension and value:
            named = mapped.values.get((dimension.value, value), value)
            shown = mapped.customer(named) if dimension is Dimension.CUSTOMER else named
            found[dimension.value] = shown, f"bill tag {tag}"
    model = normalise(Dimension.MODEL, line.model)
    if model:
        found[Dimension.MODEL.value] = mapped.values.get((Dimension.MODEL.value, model), model), "bill"
    return dict(sorted(found.items()))
