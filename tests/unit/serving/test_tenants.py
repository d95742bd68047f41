"""A shared endpoint among those who asked: the parts sum to the whole, and what nobody claims stays visible."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.identity.dimensions import Dimension
from aicost.domain.sampling.counters.growth import Growth
from aicost.domain.serving.gateways import GATEWAYS
from aicost.domain.serving.meters import Count
from aicost.domain.serving.phases import phases_of
from aicost.domain.serving.tallies import Grown, Tally
from aicost.domain.serving.tenants import Asked, asked_by, share
from aicost.domain.serving.unit_costs import Spent, unit_costs

DOLLAR = 10**9


def grew(name, by, **labels):
    return Grown(name, labels, Growth(float(by), is_whole=True))


def litellm(team, tokens, kind="output", model="m"):
    return grew(f"litellm_{kind}_tokens_metric_total", tokens, team_alias=team, model=model)


def costs(cost=10 * DOLLAR, idle=4 * DOLLAR, **counts):
    did = Tally(counts={Count[name.upper()]: number for name, number in counts.items()})
    return unit_costs(Spent(cost, idle, "USD"), did, phases_of(did))


def shared(series, found, dimension=Dimension.TEAM, models=("m",)):
    tenancy = share(found, models, asked_by(series, dimension))
    return tenancy, {one.tenant: one.cost_nanos for one in tenancy.shares}


def test_a_tenant_bears_what_it_asked_for_and_the_rest_is_nobodys():
    tenancy, bears = shared([litellm("Growth Team", 50), litellm("search", 30)], costs(output=100))
    assert bears == {"growth-team": 5 * DOLLAR, "search": 3 * DOLLAR, "": 2 * DOLLAR}
    assert (tenancy.gateway, tenancy.coverage) == ("litellm", Fraction(4, 5))
    assert [one.idle_nanos for one in tenancy.shares] == [2 * DOLLAR, 1_200_000_000, 800_000_000]


def test_who_said_nothing_is_no_tenant():
    _, bears = shared([litellm("None", 50), litellm("", 10), litellm("search", 40)], costs(output=100))
    assert bears == {"search": 4 * DOLLAR, "": 6 * DOLLAR}


def test_each_kind_of_token_is_divided_by_itself():
    series = [litellm("a", 100, "input"), litellm("a", 40, "input_cached"), litellm("b", 10, "output")]
    _, bears = shared(series, costs(51, None, input=100, cached=40, output=10))
    assert bears["b"] == costs(51, None, input=100, cached=40, output=10).output.cost_nanos
    assert bears == {"a": 51 - bears["b"], "b": bears["b"], "": 0}


def test_prompts_of_a_gateway_that_does_not_tell_cached_ones_apart_are_of_both_kinds():
    kong = [
        grew("kong_ai_llm_tokens_total", by, token_type=kind, ai_model="m", workspace=who)
        for who, part in (("a", 4), ("b", 1))
        for kind, by in (("prompt_tokens", 200 * part), ("completion_tokens", 10 * part))
    ]
    tenancy, bears = shared(kong, costs(input=1_000, cached=300, output=50))
    assert bears == {"a": 8 * DOLLAR, "b": 2 * DOLLAR, "": 0}
    assert [one.asked for one in tenancy.shares] == [Asked(560, 240, 40), Asked(140, 60, 10), Asked()]


def test_cached_tokens_that_the_engine_does_not_tell_apart_are_prompts():
    series = [litellm("a", 800, "input"), litellm("a", 300, "input_cached"), litellm("b", 200, "input")]
    tenancy, bears = shared(series, costs(input=1_000))
    assert bears == {"a": 8 * DOLLAR, "b": 2 * DOLLAR, "": 0}
    assert [one.asked for one in tenancy.shares] == [Asked(800), Asked(200), Asked()]


def test_token_types_that_overlap_are_not_added():
    told = {"input": 100, "cached_input": 40, "cache_creation_input": 30, "output": 10, "reasoning": 9}
    series = [
        grew("gen_ai_client_token_usage_token_sum", by, gen_ai_token_type=kind, gen_ai_response_model="m", team="a")
        for kind, by in told.items()
    ]
    (asked,) = asked_by(series, Dimension.TEAM)["envoy-ai-gateway"]["m"].values()
    assert asked == Asked(60, 40, 10)


def test_totals_beside_their_parts_are_not_added():
    series = [
        grew("kong_ai_llm_tokens_total", by, token_type=kind, ai_model="m", workspace="a")
        for kind, by in (("prompt_tokens", 10), ("completion_tokens", 5), ("total_tokens", 15))
    ]
    (asked,) = asked_by(series, Dimension.TEAM)["kong"]["m"].values()
    assert asked.total == 15


def test_two_spellings_of_one_counter_are_one():
    labels = {"gen_ai_token_type": "output", "gen_ai_response_model": "m", "team": "a"}
    names = ("gen_ai_client_token_usage_token_sum", "gen_ai_client_token_usage_sum")
    (asked,) = asked_by([grew(name, 10, **labels) for name in names], Dimension.TEAM)["envoy-ai-gateway"]["m"].values()
    assert asked.output == 10


def test_of_several_gateways_one_is_read():
    epp = grew("llm_d_epp_request_output_tokens_sum", 90, target_model_name="m", fairness_id="b")
    tenancy, bears = shared([litellm("a", 50), epp], costs(output=100))
    assert (tenancy.gateway, set(bears)) == ("litellm", {"a", ""})


def test_a_gateway_that_counts_other_models_says_nothing():
    tenancy, bears = shared([litellm("a", 50, model="other")], costs(output=100))
    assert (tenancy.gateway, tenancy.coverage, bears) == ("", None, {})


def test_a_gateway_that_counts_more_than_the_engine_leaves_nothing_over():
    tenancy, bears = shared([litellm("a", 150), litellm("b", 50)], costs(output=100))
    assert bears == {"a": 7_500_000_000, "b": 2_500_000_000, "": 0}
    assert tenancy.coverage == 2


def test_each_gateway_tells_teams_and_models():
    for gateway in GATEWAYS:
        assert gateway.model_labels
        assert {meter.count for meter in gateway.meters} >= {Count.INPUT, Count.OUTPUT}
        assert Dimension.TEAM in gateway.tenants


tokens = st.integers(0, 10**9)
kinds = st.sampled_from(["input", "input_cached", "output"])


@given(
    st.integers(0, 10**15),
    st.integers(0, 10**15),
    st.dictionaries(st.sampled_from(["input", "cached", "output"]), tokens),
    st.lists(st.tuples(st.sampled_from(["a", "b", "c", ""]), tokens, kinds)),
)
def test_the_tenants_and_nobody_bear_the_whole_to_the_nano(cost, idle, counts, asked):
    found = costs(max(cost, idle), min(cost, idle), **counts)
    tenancy, bears = shared([litellm(team, number, kind) for team, number, kind in asked], found)
    if tenancy.shares:
        assert sum(bears.values()) == max(cost, idle)
        known = [one.idle_nanos for one in tenancy.shares if one.idle_nanos is not None]
        assert not known or sum(known) == min(cost, idle)
        assert all(one.cost_nanos >= 0 for one in tenancy.shares)
