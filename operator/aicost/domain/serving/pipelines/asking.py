"""What was asked of each of several workloads that serve one model: a gateway knows the model, not who answered.

    tokens of tenant t at workload w = tokens of t x tokens of w / tokens of all that serve the model

Each kind of token by itself, to the nearest token; of a kind that no engine counts all tokens say how much.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from aicost.domain.exact.apportion import divide
from aicost.domain.serving.tallies import Tally, add_up
from aicost.domain.serving.tenants import Asked, Asking

Served = Mapping[str, Tally]
"""Model in small letters -> what engines did with it."""


def served(pods: Iterable[Mapping[str, Tally]]) -> Served:
    """What some pods did, by model."""
    found: dict[str, list[Tally]] = defaultdict(list)
    for models in pods:
        for model, did in models.items():
            found[model.lower()].append(did)
    return {model: add_up(mine) for model, mine in found.items()}


def asking_of(asking: Asking, mine: Served, whole: Served) -> Asking:
    """What was asked of one workload.

    Args:
        asking: what was asked of the models.
        mine: what the workload did.
        whole: what all did that serve these models, the workload among them.
    """
    return {
        gateway: {model: _part(models[model], did, whole[model]) for model, did in mine.items() if model in models}
        for gateway, models in asking.items()
    }


def _part(tenants: Mapping[str, Asked], mine: Tally, whole: Tally) -> Mapping[str, Asked]:
    part, every = _tokens(mine), _tokens(whole)
    if part == every:
        return tenants
    (computed, of_computed), (cached, of_cached), (output, of_output) = (
        (part[kind], every[kind]) if every[kind] else (sum(part), sum(every)) for kind in range(3)
    )
    return {
        tenant: Asked(
            divide(asked.computed * computed, of_computed or 1),
            divide(asked.cached * cached, of_cached or 1),
            divide(asked.output * output, of_output or 1),
        )
        for tenant, asked in tenants.items()
    }


def _tokens(did: Tally) -> tuple[int, int, int]:
    return did.computed or 0, did.cached or 0, did.output or 0
