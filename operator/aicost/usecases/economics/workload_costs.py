"""What one workload cost by the unit: as one engine, as two pools of pods, or as several models."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from aicost.domain.ledger.rows import Bucket, Component
from aicost.domain.reporting.sums import GroupSum
from aicost.domain.serving.counted import PodName
from aicost.domain.serving.phases import PoolCost, Priors, phases_of, phases_of_pools
from aicost.domain.serving.pods.models import ModelCosts, PodCost, among_models
from aicost.domain.serving.pods.pools import ROLE_LABELS, Role, are_pools, as_one, role_of
from aicost.domain.serving.tallies import Tally, add_up
from aicost.domain.serving.unit_costs import Spent, UnitCosts, unit_costs

IDENTITY = ("namespace", "pod", "workload", "controller", *(f"label:{label}" for label in ROLE_LABELS))
"""Keys of the ledger that say whose pod it is, and which phase it runs."""
BLIND_SHARE = 10
"""With more than one part in ten of the GPU cost unmeasured, what idled is not known."""
_ROLES = slice(len(IDENTITY) - len(ROLE_LABELS), len(IDENTITY))

Did = Mapping[PodName, Mapping[str, Tally]]


def costs_of(sums: Sequence[GroupSum], did: Did, priors: Priors) -> UnitCosts:
    """What the pods of a workload cost, in one currency, over what their engines did.

    Where some of them run prompts and the others answers, each phase costs what its pods cost. Pods beside them that
    run no engine, such as a router, are borne by both in proportion.
    """
    told = {pod_of(one): role_of(one.keys[_ROLES], did.get(pod_of(one), {})) for one in sums}
    roles = {pod: role for pod, role in told.items() if pod in did or role is not Role.BOTH}
    if are_pools(list(roles.values())):
        prompts, answers = (
            [one for one in sums if roles.get(pod_of(one)) is role] for role in (Role.PREFILL, Role.DECODE)
        )
        both = as_one(_tallies(prompts, did), _tallies(answers, did))
        phases = phases_of_pools(both, _pool(prompts), _pool(answers), priors)
        return unit_costs(spent_of(sums), both, phases or phases_of(both, priors))
    whole = add_up(_tallies(sums, did))
    return unit_costs(spent_of(sums), whole, phases_of(whole, priors))


def models_of(sums: Sequence[GroupSum], did: Did, priors: Priors) -> tuple[ModelCosts, ...]:
    """The cost of a workload among its models; empty where it serves one alone."""
    pods: dict[PodName, list[GroupSum]] = defaultdict(list)
    for one in sums:
        pods[pod_of(one)].append(one)
    if len({model for pod in pods for model in did.get(pod, {})}) < _SEVERAL:
        return ()
    return among_models((PodCost(spent_of(mine), did.get(pod, {})) for pod, mine in sorted(pods.items())), priors)


Done = Mapping[str, tuple[int, int]]
"""Model in small letters -> generated tokens and requests."""


def done_of(pods: Iterable[PodName], did: Did) -> Done:
    """What the engines of some pods did for each model."""
    found: dict[str, tuple[int, int]] = {}
    for pod in pods:
        for model, one in did.get(pod, {}).items():
            tokens, requests = found.get(model.lower(), (0, 0))
            found[model.lower()] = tokens + (one.output or 0), requests + (one.requests or 0)
    return found


def parts_of(mine: Done, whole: Done) -> Mapping[str, Fraction]:
    """Model -> the part that one of several workloads has of it: what a gateway counts of a model is of all of them.

    By generated tokens, else by requests; all of it where neither is counted.
    """
    return {model: _part(done, whole[model]) for model, done in mine.items() if model}


def _part(mine: tuple[int, int], whole: tuple[int, int]) -> Fraction:
    return next((Fraction(part, total) for part, total in zip(mine, whole, strict=True) if total), Fraction(1))


def spent_of(sums: Sequence[GroupSum]) -> Spent:
    """The cost of some pods, and what of it idled."""
    gpu = dict.fromkeys(Bucket, 0)
    for one in sums:
        if one.component == Component.GPU:
            gpu[Bucket(one.bucket)] += one.cost_nanos
    blind = gpu[Bucket.ALLOCATED_UNMEASURED] * BLIND_SHARE > sum(gpu.values())
    cost = sum(one.cost_nanos for one in sums)
    return Spent(cost, None if blind else gpu[Bucket.ALLOCATED_IDLE], sums[0].currency, sum(gpu.values()))


def pod_of(one: GroupSum) -> PodName:
    """The pod that a sum is of."""
    return one.keys[0], one.keys[1]


_SEVERAL = 2


def _tallies(sums: Sequence[GroupSum], did: Did) -> list[Tally]:
    return [one for pod in sorted({pod_of(one) for one in sums}) for one in did.get(pod, {}).values()]


def _pool(sums: Sequence[GroupSum]) -> PoolCost:
    spent = spent_of(sums)
    return PoolCost(spent.cost_nanos, None if spent.idle_nanos is None else spent.cost_nanos - spent.idle_nanos)
