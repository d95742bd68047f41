"""Several models in one pod: its cost among them, by what each of them did.

busy-time   the engine's own time for each model
tokens      their tokens, by the usual weights
requests    their requests

The first of these is taken that is counted of every model of the pod. Where none is, the cost is nobody's.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.exact.apportion import apportion
from aicost.domain.serving.meters import Count
from aicost.domain.serving.phases import USUAL, Priors, phases_of
from aicost.domain.serving.tallies import Tally, add_up
from aicost.domain.serving.unit_costs import Spent, UnitCosts, unit_costs


class Division(StrEnum):
    """What the cost of a pod was divided by."""

    ALONE = "alone"
    """It served one model."""
    BUSY_TIME = "busy-time"
    TOKENS = "tokens"
    REQUESTS = "requests"
    NOTHING = ""
    """Nothing that is counted of all of them."""


@dataclass(frozen=True, slots=True)
class ModelCosts:
    """One model of a workload.

    Attributes:
        model: as its engine calls it; empty for what no model bears.
        divisions: what its part rests on: one for each kind of pod that it ran in.
    """

    model: str
    costs: UnitCosts
    divisions: tuple[Division, ...]


@dataclass(frozen=True, slots=True)
class PodCost:
    """What one pod cost, and what each of its models did; empty where its engine was not heard."""

    spent: Spent
    did: Mapping[str, Tally]


def among_models(pods: Iterable[PodCost], priors: Priors = USUAL) -> tuple[ModelCosts, ...]:
    """The cost of pods of one currency among their models, the dearest first; the parts sum to the whole."""
    spent: dict[str, list[Spent]] = defaultdict(list)
    did: dict[str, list[Tally]] = defaultdict(list)
    divisions: dict[str, set[Division]] = defaultdict(set)
    for pod in pods:
        division, parts = _parts(pod)
        for model, part in parts.items():
            spent[model].append(part)
            divisions[model].add(division)
        for model, one in pod.did.items():
            did[model].append(one)
    found = [
        ModelCosts(model, _costs(_sum(spent[model]), add_up(did[model]), priors), tuple(sorted(divisions[model])))
        for model in spent
    ]
    return tuple(sorted(found, key=lambda one: (not one.model, -one.costs.spent.cost_nanos, one.model)))


def divide_by(did: Mapping[str, Tally]) -> tuple[Division, Mapping[str, int]]:
    """By what the cost of a pod divides among its models, and what each of them weighs."""
    if len(did) == 1:
        return Division.ALONE, dict.fromkeys(did, 1)
    for division, weigh in _WEIGHTS:
        weights = {model: weigh(one) for model, one in did.items()}
        known = {model: weight for model, weight in weights.items() if weight is not None}
        if len(known) == len(did) and any(known.values()):
            return division, known
    return Division.NOTHING, {"": 1}


def _parts(pod: PodCost) -> tuple[Division, Mapping[str, Spent]]:
    division, weights = divide_by(pod.did) if pod.did else (Division.NOTHING, {"": 1})
    models, of = list(weights), list(weights.values())
    cost = apportion(pod.spent.cost_nanos, of)
    idle = [None] * len(of) if pod.spent.idle_nanos is None else list(apportion(pod.spent.idle_nanos, of))
    gpu = [None] * len(of) if pod.spent.gpu_nanos is None else list(apportion(pod.spent.gpu_nanos, of))
    columns = zip(models, cost, idle, gpu, strict=True)
    return division, {model: Spent(nanos, i, pod.spent.currency, g) for model, nanos, i, g in columns}


def _costs(spent: Spent, did: Tally, priors: Priors) -> UnitCosts:
    return unit_costs(spent, did, phases_of(did, priors))


def _sum(parts: Sequence[Spent]) -> Spent:
    return Spent(
        sum(one.cost_nanos for one in parts), _known([one.idle_nanos for one in parts]), parts[0].currency,
        _known([one.gpu_nanos for one in parts]),
    )  # fmt: skip


def _known(amounts: Sequence[int | None]) -> int | None:
    """Their sum; not known where one of them is not."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


def _busy(did: Tally) -> int | None:
    if did.get(Count.BUSY) is not None:
        return did.get(Count.BUSY)
    prefill, decode = did.get(Count.PREFILL_BUSY), did.get(Count.DECODE_BUSY)
    return None if prefill is None and decode is None else (prefill or 0) + (decode or 0)


def _tokens(did: Tally) -> int | None:
    if did.computed is None and did.output is None:
        return None
    prompt = (did.computed or 0) * USUAL.computed + (did.cached or 0) * USUAL.cached
    return prompt + (did.output or 0) * USUAL.output


def _requests(did: Tally) -> int | None:
    return did.requests


_WEIGHTS: tuple[tuple[Division, Callable[[Tally], int | None]], ...] = (
    (Division.BUSY_TIME, _busy),
    (Division.TOKENS, _tokens),
    (Division.REQUESTS, _requests),
)
