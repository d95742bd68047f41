"""Pools of prompts and of answers: a request passes both and counts once, and each phase costs what its pods cost."""

import pytest

from aicost.domain.serving.meters import Count, Outcome
from aicost.domain.serving.phases import PhaseMethod, PoolCost, phases_of_pools
from aicost.domain.serving.pods.pools import Role, are_pools, as_one, role_of
from aicost.domain.serving.tallies import Tally
from aicost.domain.serving.unit_costs import Spent, unit_costs

DOLLAR = 10**9
PROMPTS = Tally(
    frozenset({"vllm"}),
    {Count.INPUT: 1_000, Count.CACHED: 400, Count.OUTPUT: 10, Count.FINISHED: 10, Count.RECOMPUTED: 3},
    {Outcome.TRUNCATED: 10, Outcome.REJECTED: 2},
)
"""A pod that runs prompts ends each request after one token, which is no answer that was cut."""
ANSWERS = Tally(
    frozenset({"vllm"}),
    {Count.INPUT: 1_000, Count.CACHED: 1_000, Count.OUTPUT: 500, Count.FINISHED: 450, Count.RECOMPUTED: 4},
    {Outcome.SUCCESS: 9, Outcome.ABORTED: 1},
)
"""To a pod that runs answers each prompt comes out of a cache."""


def test_a_request_that_passes_both_counts_once():
    one = as_one([PROMPTS], [ANSWERS])
    assert (one.computed, one.cached, one.output, one.get(Count.FINISHED)) == (600, 400, 500, 450)
    assert one.outcomes == {Outcome.SUCCESS: 9, Outcome.ABORTED: 1, Outcome.REJECTED: 2}
    assert one.recomputed == 7


def test_golden_by_hand():
    """$6.40 of prompts: 600 computed and 400 cached tokens weigh 6,000 and 400 tenths. $4 of answers. Half was idle."""
    did = as_one([PROMPTS], [ANSWERS])
    phases = phases_of_pools(did, PoolCost(6_400_000_000, 3_200_000_000), PoolCost(4 * DOLLAR, 2 * DOLLAR))
    found = unit_costs(Spent(10_400_000_000, 5_200_000_000, "USD"), did, phases)
    assert (phases.method, phases.confidence) == (PhaseMethod.POOLS, "exact")
    assert [one.cost_nanos for one in (found.input, found.cached, found.output)] == [
        6 * DOLLAR,
        400_000_000,
        4 * DOLLAR,
    ]
    assert found.input.active == found.input.full / 2
    assert found.output.active == 2 * DOLLAR * 10**6 // 500


def test_what_idled_may_divide_otherwise_than_the_whole():
    did = as_one([PROMPTS], [ANSWERS])
    phases = phases_of_pools(did, PoolCost(6_400_000_000, 0), PoolCost(4 * DOLLAR, 4 * DOLLAR))
    found = unit_costs(Spent(10_400_000_000, 6_400_000_000, "USD"), did, phases)
    assert (found.input.active, found.cached.active) == (0, 0)
    assert found.output.active == found.output.full


def test_where_all_of_it_idled_nothing_is_active():
    did = as_one([PROMPTS], [ANSWERS])
    found = unit_costs(Spent(10, 10, "USD"), did, phases_of_pools(did, PoolCost(6, 0), PoolCost(4, 0)))
    assert [one.active for one in (found.input, found.cached, found.output)] == [0, 0, 0]


def test_a_pool_that_costs_and_counts_no_token_divides_nothing():
    quiet = as_one([Tally()], [ANSWERS])
    assert phases_of_pools(quiet, PoolCost(5, None), PoolCost(5, None)) is None
    assert phases_of_pools(quiet, PoolCost(0, None), PoolCost(5, None)) is not None


@pytest.mark.parametrize(
    ("labels", "counts", "role"),
    [
        (("prefill", ""), (), Role.PREFILL),
        (("", "Decode"), (), Role.DECODE),
        (("both", ""), (Count.POOL_PREFILL,), Role.BOTH),
        (("", ""), (Count.POOL_PREFILL,), Role.PREFILL),
        (("", ""), (Count.POOL_DECODE,), Role.DECODE),
        (("", ""), (Count.POOL_DECODE, Count.POOL_PREFILL), Role.BOTH),
        (("", ""), (), Role.BOTH),
    ],
)
def test_labels_say_the_role_before_the_engine_does(labels, counts, role):
    assert role_of(labels, {"m": Tally(counts=dict.fromkeys(counts, 1))}) is role


def test_pools_are_one_of_each_and_nothing_else():
    assert are_pools([Role.PREFILL, Role.DECODE, Role.DECODE])
    assert not are_pools([Role.PREFILL, Role.DECODE, Role.BOTH])
    assert not are_pools([Role.DECODE])
