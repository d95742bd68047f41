"""A workload among its tenants by weights of somebody's own: tokens, requests or whatever else a query counts.

    share of t     weight of t / weights of all     of each kind of token alike
    unattributed   what has a weight and no name

The parts sum to the workload's cost, to the last nano-unit.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from aicost.domain.exact.apportion import apportion
from aicost.domain.serving.tenants import Asked, Tenancy, divide_among
from aicost.domain.serving.unit_costs import UnitCosts

QUERY = "query"
"""What stands in the place of a gateway's name."""
Weights = Mapping[str, Mapping[str, int]]
"""Model in small letters, empty where none is named -> tenant, empty where nobody is -> weight."""


def weigh(costs: UnitCosts, names: Sequence[str], weights: Weights) -> Tenancy:
    """Divide what a workload cost by weights.

    Args:
        costs: the workload.
        names: what its models are called, in small letters.
        weights: those of its models count, and where there are none those that name no model.
    """
    mine = _together([weights[name] for name in names if name in weights]) or dict(weights.get("", {}))
    if not sum(mine.values()):
        return Tenancy("", None, ())
    tokens = [kind.tokens if kind else 0 for kind in (costs.input, costs.cached, costs.output)]
    parts = [apportion(number, list(mine.values())) for number in tokens]
    asked = {tenant: Asked(*(part[index] for part in parts)) for index, tenant in enumerate(mine)}
    return divide_among(QUERY, costs, asked)


def _together(mine: Sequence[Mapping[str, int]]) -> Mapping[str, int]:
    found: dict[str, int] = defaultdict(int)
    for one in mine:
        for tenant, weight in one.items():
            found[tenant] += weight
    return found
