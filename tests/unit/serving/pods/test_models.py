"""Several models in one pod: the parts sum to the whole, by the best that is counted of all of them."""

from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.serving.meters import Count, Outcome
from aicost.domain.serving.pods.models import Division, PodCost, among_models
from aicost.domain.serving.tallies import Tally
from aicost.domain.serving.unit_costs import Spent

DOLLAR = 10**9


def did(outcomes=None, **counts):
    return Tally(counts={Count[name.upper()]: number for name, number in counts.items()}, outcomes=outcomes or {})


def pod(cost, idle=None, /, **models):
    return PodCost(Spent(cost, idle, "USD", cost), models)


def bears(*pods):
    return {one.model: (one.costs.spent.cost_nanos, one.divisions) for one in among_models(pods)}


def test_a_model_bears_the_time_that_it_kept_the_engine_busy():
    found = bears(pod(10 * DOLLAR, a=did({Outcome.SUCCESS: 90}, busy=3_000), b=did({Outcome.SUCCESS: 10}, busy=1_000)))
    assert found == {
        "a": (7_500_000_000, (Division.BUSY_TIME,)),
        "b": (2_500_000_000, (Division.BUSY_TIME,)),
    }


def test_what_is_counted_of_one_model_alone_divides_nothing():
    a, b = did({Outcome.SUCCESS: 1}, busy=5, input=100), did({Outcome.SUCCESS: 3}, output=25)
    assert bears(pod(4, a=a, b=b)) == {"a": (2, (Division.TOKENS,)), "b": (2, (Division.TOKENS,))}
    assert bears(pod(4, a=a, b=did({Outcome.SUCCESS: 3}, vectors=9))) == {
        "b": (3, (Division.REQUESTS,)),
        "a": (1, (Division.REQUESTS,)),
    }


def test_where_nothing_is_counted_of_all_the_cost_is_nobodys():
    assert bears(pod(4, a=did(busy=5), b=did(vectors=9))) == {"": (4, (Division.NOTHING,))}


def test_pods_that_were_not_heard_stay_visible():
    assert bears(pod(4, a=did(output=1)), pod(6)) == {"a": (4, (Division.ALONE,)), "": (6, (Division.NOTHING,))}


def test_a_model_of_several_pods_sums_what_it_bears_and_did():
    (one, other) = among_models([pod(6, 2, a=did(output=5)), pod(4, 2, a=did(output=1), b=did(output=3))])
    assert (one.model, one.costs.spent.cost_nanos, one.costs.spent.idle_nanos) == ("a", 7, 3)
    assert (one.costs.did.output, one.divisions) == (6, (Division.ALONE, Division.TOKENS))
    assert (other.model, other.costs.spent.cost_nanos) == ("b", 3)


amounts = st.integers(0, 10**15)
counts = st.dictionaries(st.sampled_from(list(Count)), st.integers(0, 10**12))
ended = st.dictionaries(st.sampled_from(list(Outcome)), st.integers(0, 10**9))
models = st.dictionaries(st.sampled_from(["", "a", "b", "c"]), st.builds(Tally, counts=counts, outcomes=ended))
pods = st.lists(
    st.builds(
        lambda cost, idle, known, did: PodCost(Spent(max(cost, idle), min(cost, idle) if known else None, "USD"), did),
        amounts, amounts, st.booleans(), models,
    ),
    max_size=4,
)  # fmt: skip


@given(pods)
def test_models_bear_the_whole_to_the_nano(given_pods):
    found = among_models(given_pods)
    assert sum(one.costs.spent.cost_nanos for one in found) == sum(one.spent.cost_nanos for one in given_pods)
    if all(one.spent.idle_nanos is not None for one in given_pods):
        assert sum(one.costs.spent.idle_nanos for one in found) == sum(one.spent.idle_nanos for one in given_pods)
