"""How much of the cost in a scope carries the labels that policies require: what a hard gate rests on."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from aicost.domain.budgets.spend.scopes import Scope
from aicost.domain.budgets.spend.sums import Sums
from aicost.domain.coverage.keys import WantedKey, value_in
from aicost.domain.coverage.spend import Spend
from aicost.domain.coverage.weights import together
from aicost.domain.identity.dimensions import UNTAGGED, Dimension
from aicost.domain.ledger.rows import HELD
from aicost.domain.reporting.sums import GroupSum

_HELD = frozenset(bucket.value for bucket in HELD)
_STAGE = Dimension.STAGE.value


def label_keys(keys: Iterable[WantedKey]) -> tuple[str, ...]:
    """The group keys that label coverage is read from."""
    own = [group for key in keys for group in (*key.groups, key.source_group) if group]
    return tuple(dict.fromkeys(["namespace", _STAGE, *own]))


def label_coverage(parts: Sequence[Sums], scope: Scope, keys: Sequence[WantedKey]) -> Fraction | None:
    """The share of the held cost in scope that carries all required keys, as coverage reports have it.

    Args:
        parts: sums by at least `label_keys(keys)` and the keys of the scope.
        scope: what counts.
        keys: what policies want.
    """
    spends = [
        _spend(dict(zip(sums.groups.keys, one.keys, strict=True)), one, keys)
        for sums in parts
        for one in sums.inside(scope)
        if one.bucket in _HELD
    ]
    return together(spends, (), keys).by_cost


def _spend(group: Mapping[str, str], one: GroupSum, keys: Sequence[WantedKey]) -> Spend:
    stage = group.get(_STAGE, "")
    values = {key.key: value for key in keys if (value := value_in(key, group))}
    sources = {key.key: said for key in keys if key.key in values and (said := group.get(key.source_group, ""))}
    return Spend(
        of=(group.get("namespace", ""), "", ""),
        workload="",
        stage="" if stage == UNTAGGED else stage,
        values=values,
        sources=sources,
        cost_nanos=one.cost_nanos,
        gpu_milliseconds=one.gpu_milliseconds,
    )
