"""A workload among its tenants by somebody's own weights."""

from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.serving.measures.counts import Count
from aicost.domain.serving.phases import phases_of
from aicost.domain.serving.pipelines.weighing import weigh
from aicost.domain.serving.tallies import Tally
from aicost.domain.serving.unit_costs import Spent, unit_costs


def costs(nanos=10**9, computed=300, output=100):
    did = Tally(frozenset({"vllm"}), {Count.INPUT: computed, Count.OUTPUT: output})
    return unit_costs(Spent(nanos, nanos // 2, "USD"), did, phases_of(did))


def shares(tenancy):
    return {one.tenant: one.cost_nanos for one in tenancy.shares}


def test_cost_goes_by_weight_and_what_has_no_name_is_nobodys():
    tenancy = weigh(costs(), ["m"], {"m": {"growth": 60, "search": 30, "": 10}})
    assert shares(tenancy) == {"growth": 6 * 10**8, "search": 3 * 10**8, "": 10**8}
    assert (tenancy.gateway, float(tenancy.coverage)) == ("query", 0.9)


def test_weights_of_its_models_come_before_those_that_name_none():
    weights = {"m": {"growth": 1}, "other": {"search": 5}, "": {"everybody": 9}}
    assert shares(weigh(costs(), ["m"], weights)) == {"growth": 10**9, "": 0}
    assert shares(weigh(costs(), ["x"], weights)) == {"everybody": 10**9, "": 0}


def test_without_a_weight_nobody_knows():
    assert weigh(costs(), ["m"], {"other": {"a": 1}}).shares == ()
    assert weigh(costs(), ["m"], {"m": {"a": 0}}).shares == ()


@given(
    st.integers(0, 10**12),
    st.integers(0, 10**9),
    st.integers(1, 10**9),
    st.dictionaries(st.sampled_from(["", "a", "b", "c"]), st.integers(0, 10**20), min_size=1),
)
def test_the_parts_sum_to_the_cost(nanos, computed, output, weights):
    tenancy = weigh(costs(nanos, computed, output), [], {"": weights})
    assert not tenancy.shares or sum(shares(tenancy).values()) == nanos
