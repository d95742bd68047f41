"""The cost of a shared endpoint among those who asked.

The level is the engine's, the shares are the gateway's, the money is the ledger's:

    share of t, of each kind of token   tokens of t / max(tokens of the engine, tokens of all tenants)
    unattributed                        what the engine counted and no gateway claimed

Where only the engine or only the gateway tells cached prompts apart, each tenant's are as the engine's.

The parts sum to the workload's cost, to the last nano-unit.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.exact.apportion import apportion
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.normalise import normalise
from aicost.domain.serving.gateways import GATEWAYS, NOBODY, Gateway
from aicost.domain.serving.meters import Count, Meter
from aicost.domain.serving.tallies import Grown
from aicost.domain.serving.unit_costs import TokenCost, UnitCosts

_LONGEST = 63
"""Characters of the name of a provider."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Tokens that one tenant asked for; of a kind that the gateway does not count there are none."""

    computed: int = 0
    cached: int = 0
    output: int = 0

    @property
    def total(self) -> int:
        """Of all kinds."""
        return self.computed + self.cached + self.output

    def __add__(self, other: "Asked") -> "Asked":
        """Both together."""
        return Asked(self.computed + other.computed, self.cached + other.cached, self.output + other.output)


@dataclass(frozen=True, slots=True)
class TenantCount:
    """What a gateway counted for one tenant and model.

    Attributes:
        model: as the gateway calls it, in small letters.
        tenants: dimension -> who asked, in normal form; what nobody said is absent.
        provider: who sells the model, as the gateway calls them, in small letters; empty where it does not say.
    """

    gateway: str
    model: str
    tenants: Mapping[Dimension, str]
    asked: Asked
    provider: str = ""


@dataclass(frozen=True, slots=True)
class TenantShare:
    """What one tenant bears.

    Attributes:
        tenant: its name; empty for what nobody claimed.
        cost_nanos: the part of the workload's cost, idle included, in proportion to what was asked for.
        idle_nanos: the part of it that idled; None where that is not known.
    """

    tenant: str
    asked: Asked
    cost_nanos: int
    idle_nanos: int | None


@dataclass(frozen=True, slots=True)
class Tenancy:
    """A workload among its tenants.

    Attributes:
        gateway: whose counts the shares rest on; empty where no gateway counts these models.
        coverage: tokens of the gateway over tokens of the engine; above 1 where the gateway counts more.
        shares: the dearest first; the one without a name is unattributed.
    """

    gateway: str
    coverage: Fraction | None
    shares: tuple[TenantShare, ...]


Asking = Mapping[str, Mapping[str, Mapping[str, Asked]]]
"""Gateway -> model in small letters -> tenant -> tokens."""


def tenant_counts(grown: Iterable[Grown]) -> tuple[TenantCount, ...]:
    """What gateways counted, by all that they say of who asks."""
    counts: dict[tuple[str, str, tuple[tuple[Dimension, str], ...], str], dict[Count, float]]
    counts = defaultdict(lambda: defaultdict(float))
    series = [one for one in grown if one.growth is not None]
    for gateway in GATEWAYS:
        read = _read(gateway, series)
        rank = min((meter.rank for meter, _ in read), default=0)
        for meter, one in read:
            model = _model(gateway, one.labels)
            if meter.rank == rank and model and one.growth is not None:
                key = gateway.name, model, _tenants(gateway, one.labels), _provider(gateway, one.labels)
                counts[key][meter.count] += one.growth.by
    return tuple(
        TenantCount(name, model, dict(tenants), _asked(mine), provider)
        for (name, model, tenants, provider), mine in counts.items()
    )


def asking(counts: Iterable[TenantCount], dimension: Dimension) -> Asking:
    """The same by one dimension; a tenant is empty where nobody said who asks."""
    found: dict[str, dict[str, dict[str, Asked]]] = defaultdict(lambda: defaultdict(dict))
    for one in counts:
        tenant, mine = one.tenants.get(dimension, ""), found[one.gateway][one.model]
        mine[tenant] = mine.get(tenant, Asked()) + one.asked
    return found


def asked_by(grown: Iterable[Grown], dimension: Dimension) -> Asking:
    """What gateways counted by one dimension."""
    return asking(tenant_counts(grown), dimension)


def share(costs: UnitCosts, models: Sequence[str], gateways: Asking) -> Tenancy:
    """Divide what a workload cost among those who asked its models.

    Args:
        costs: the workload.
        models: what its engines call their models.
        gateways: as `asked_by` gives it.
    """
    named = {model.lower() for model in models}
    for gateway in GATEWAYS:
        mine = [tenants for model, tenants in gateways.get(gateway.name, {}).items() if model in named]
        asked = _together(mine)
        if any(tenant for tenant in asked):
            return divide_among(gateway.name, costs, asked)
    return Tenancy("", None, ())


def divide_among(source: str, costs: UnitCosts, asked: Mapping[str, Asked]) -> Tenancy:
    """Each kind of token by itself: what the engine counted beyond all tenants is nobody's.

    Args:
        source: who says what was asked.
        costs: the workload.
        asked: tenant -> tokens; what has no name is nobody's.
    """
    claimed = {tenant: one for tenant, one in sorted(_as_counted(asked, costs).items()) if tenant}
    kinds = (costs.input, costs.cached, costs.output)
    if all(kind is None for kind in kinds):
        return Tenancy("", None, ())
    nanos: dict[str, int] = defaultdict(int)
    left = [0, 0, 0]
    for index, kind in enumerate(kinds):
        tokens = [_of_kind(one, index) for one in claimed.values()]
        left[index] = max(0, (kind.tokens if kind else 0) - sum(tokens))
        parts = _apportion(kind, [*tokens, left[index]])
        for tenant, part in zip((*claimed, ""), parts, strict=True):
            nanos[tenant] += part
    everybody = {**claimed, "": Asked(*left)}
    idle = _idle(costs, [nanos[tenant] for tenant in everybody])
    shares = [
        TenantShare(tenant, one, nanos[tenant], idle_nanos)
        for (tenant, one), idle_nanos in zip(everybody.items(), idle, strict=True)
    ]
    level = sum(kind.tokens for kind in kinds if kind)
    whole = sum(one.total for one in claimed.values())
    ordered = sorted(shares, key=lambda one: (not one.tenant, -one.cost_nanos, one.tenant))
    return Tenancy(source, Fraction(whole, level) if level else None, tuple(ordered))


def _as_counted(asked: Mapping[str, Asked], costs: UnitCosts) -> Mapping[str, Asked]:
    """Where only one of both tells which prompts a cache held, those of each tenant are as the engine's are."""
    mix = [kind.tokens if kind else 0 for kind in (costs.input, costs.cached)]
    told = any(one.cached for one in asked.values())
    if not sum(mix) or told == bool(mix[1]):
        return asked
    return {tenant: _mixed(one, mix) for tenant, one in asked.items()}


def _mixed(one: Asked, mix: Sequence[int]) -> Asked:
    computed, cached = apportion(one.computed + one.cached, mix)
    return Asked(computed, cached, one.output)


def _apportion(kind: TokenCost | None, tokens: Sequence[int]) -> list[int]:
    """A kind's cost by tokens; all of it is nobody's where no token of the kind was counted."""
    if kind is None:
        return [0] * len(tokens)
    return apportion(kind.cost_nanos, tokens if sum(tokens) else [*([0] * (len(tokens) - 1)), 1])


def _idle(costs: UnitCosts, nanos: Sequence[int]) -> list[int | None]:
    """What idled, in proportion to what each bears."""
    idle = costs.spent.idle_nanos
    if idle is None or not sum(nanos):
        return [None] * len(nanos)
    return list(apportion(idle, nanos))


def _of_kind(one: Asked, index: int) -> int:
    return (one.computed, one.cached, one.output)[index]


def _together(mine: Sequence[Mapping[str, Asked]]) -> Mapping[str, Asked]:
    found: dict[str, Asked] = {}
    for tenants in mine:
        for tenant, one in tenants.items():
            found[tenant] = found.get(tenant, Asked()) + one
    return found


def _read(gateway: Gateway, series: Sequence[Grown]) -> list[tuple[Meter, Grown]]:
    named: dict[str, list[Meter]] = defaultdict(list)
    for meter in gateway.meters:
        named[meter.name].append(meter)
    return [
        (meter, one)
        for one in series
        for meter in named.get(one.name, ())
        if all(one.labels.get(key) == value for key, value in meter.where.items())
    ]


def _asked(counts: Mapping[Count, float]) -> Asked:
    """Tokens by kind: the input has the cached ones in it."""
    cached = min(counts.get(Count.CACHED, 0.0), counts.get(Count.INPUT, 0.0))
    return Asked(int(counts.get(Count.INPUT, 0.0) - cached), int(cached), int(counts.get(Count.OUTPUT, 0.0)))


def _tenants(gateway: Gateway, labels: Mapping[str, str]) -> tuple[tuple[Dimension, str], ...]:
    named = ((dimension, _tenant(gateway, labels, dimension)) for dimension in gateway.tenants)
    return tuple(sorted((dimension, tenant) for dimension, tenant in named if tenant))


def _model(gateway: Gateway, labels: Mapping[str, str]) -> str:
    return next((labels[label] for label in gateway.model_labels if labels.get(label)), "").lower()


def _provider(gateway: Gateway, labels: Mapping[str, str]) -> str:
    """Who sells the model; empty where nobody said it, or in no word that can be shown."""
    told = next((labels[label] for label in gateway.provider_labels if labels.get(label)), "").strip().lower()
    return told[:_LONGEST] if told.isprintable() and told not in NOBODY else ""


def _tenant(gateway: Gateway, labels: Mapping[str, str], dimension: Dimension) -> str:
    """The tenant in normal form; empty where nobody said who asks."""
    for label in gateway.tenants.get(dimension, ()):
        raw = labels.get(label, "")
        if raw.strip().lower() not in NOBODY:
            return normalise(dimension, raw) or ""
    return ""
