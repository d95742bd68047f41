"""One model behind several workloads: a gateway's tokens count once, over all of them."""

from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.serving.measures.counts import Count
from aicost.domain.serving.pipelines.asking import asking_of, served
from aicost.domain.serving.tallies import Tally
from aicost.domain.serving.tenants import Asked


def did(computed, output):
    return Tally(frozenset({"vllm"}), {Count.INPUT: computed, Count.OUTPUT: output})


def test_each_workload_gets_its_part_of_what_was_asked_of_the_model():
    one, other = served([{"M": did(300, 10)}]), [{"M": did(100, 30)}]
    whole = served([{"M": did(300, 10)}, *other])
    asking = {"litellm": {"m": {"growth": Asked(200, 0, 40)}, "else": {"growth": Asked(1, 1, 1)}}}
    assert asking_of(asking, one, whole) == {"litellm": {"m": {"growth": Asked(150, 0, 10)}}}


def test_who_serves_a_model_alone_gets_all_of_it():
    alone = served([{"m": did(3, 1)}, {"m": did(4, 2)}])
    tenants = {"a": Asked(5, 0, 2)}
    assert asking_of({"kong": {"m": tenants}}, alone, alone)["kong"]["m"] is tenants


def test_a_kind_of_token_that_no_engine_counts_goes_by_all_tokens():
    one = served([{"m": did(300, 0)}])
    whole = served([{"m": did(400, 0)}])
    assert asking_of({"g": {"m": {"a": Asked(0, 0, 8)}}}, one, whole)["g"]["m"]["a"].output == 6


TOKENS = st.integers(0, 10**6)


@given(st.lists(st.tuples(TOKENS, TOKENS), min_size=1, max_size=6), TOKENS, TOKENS)
def test_parts_sum_to_what_was_asked_within_half_a_token_each(workloads, computed, output):
    pods = [{"m": did(*tokens)} for tokens in workloads]
    whole = served(pods)
    parts = [
        asking_of({"g": {"m": {"a": Asked(computed, 0, output)}}}, served([one]), whole)["g"]["m"]["a"] for one in pods
    ]
    for kind, asked, served_tokens in (("computed", computed, 0), ("output", output, 1)):
        whole_sum = sum(getattr(one, kind) for one in parts)
        if sum(tokens[served_tokens] for tokens in workloads):
            assert abs(whole_sum - asked) <= len(parts) / 2
