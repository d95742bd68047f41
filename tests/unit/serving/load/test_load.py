"""How long requests took and what long prompts cost: bounds that are true, bands that sum to the whole."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.sampling.counters.growth import Growth
from aicost.domain.serving.load.context import Band, bands
from aicost.domain.serving.load.latency import Bound, quantile
from aicost.domain.serving.meters import BOUNDS, BUCKETS, NAMES, PROMPT_BOUNDS, WITHIN_MS, Count
from aicost.domain.serving.phases import phases_of
from aicost.domain.serving.tallies import Grown, Tally, tally
from aicost.domain.serving.unit_costs import Spent, unit_costs

DOLLAR = 10**9
HALF, MOST = Fraction(1, 2), Fraction(95, 100)


def did(**counts):
    return Tally(counts={Count[name.upper()]: number for name, number in counts.items()})


def costs(one, cost=10 * DOLLAR):
    return unit_costs(Spent(cost, None, "USD"), one, phases_of(one))


def grew(name, by, **labels):
    return Grown(name, {"model_name": "m"} | labels, Growth(float(by), is_whole=True))


def test_a_share_of_requests_took_at_most_so_long():
    one = did(timed=100, within_1s=40, within_2s=80, within_10s=95, within_60s=99)
    assert quantile(one, HALF) == Bound(2_000, is_upper=True)
    assert quantile(one, MOST) == Bound(10_000, is_upper=True)
    assert quantile(one, Fraction(999, 1000)) == Bound(60_000, is_upper=False)


def test_without_buckets_nobody_knows():
    assert quantile(did(timed=100), HALF) is None
    assert quantile(did(timed=0, within_1s=0), HALF) is None


def test_buckets_are_read_as_engines_and_servers_write_them():
    name = "vllm:request_prompt_tokens_bucket"
    (one,) = tally([grew(name, 5, le="1000.0"), grew(name, 9, le="2000"), grew(name, 12, le="+Inf"),
                    grew(name, 7, le="1500.0"), grew(name, 7, le="x")]).values()  # fmt: skip
    assert one.counts == {Count.PROMPTS_TO_1000: 5, Count.PROMPTS_TO_2000: 9, Count.PROMPTS: 12}
    assert {"1000.0", "1000", "+Inf"} <= set(BOUNDS)


def test_of_buckets_only_a_few_are_asked_for():
    assert not set(BUCKETS) & set(NAMES)
    assert len(BOUNDS) < 40


def test_golden_bands_by_hand():
    """10 prompts of about 750 tokens, 10 of 7,500, 2 with what is left of 117,500: $4 by tokens, $6 by requests."""
    one = did(
        input=117_500, output=1_000, prefill_busy=4, decode_busy=6, prompts=22, prompts_to_500=0, prompts_to_1000=10,
        prompts_to_2000=10, prompts_to_5000=10, prompts_to_10000=20,
    )  # fmt: skip
    short, middle, long = bands(costs(one))
    assert (short.above, short.to, short.requests, short.prompt_tokens) == (0, 1_000, 10, 7_500)
    assert (middle.above, middle.to, middle.requests, middle.prompt_tokens) == (1_000, 10_000, 10, 75_000)
    assert (long.above, long.to, long.requests, long.prompt_tokens) == (10_000, None, 2, 35_000)
    assert short.cost_nanos + middle.cost_nanos + long.cost_nanos == 10 * DOLLAR
    assert long.per_request == Fraction(long.cost_nanos, 2)
    assert abs(long.cost_nanos - (4 * DOLLAR * 35_000 // 117_500 + 6 * DOLLAR * 2 // 22)) <= 2


def test_a_bound_that_is_not_counted_joins_two_bands():
    one = did(input=100, output=100, prompts=4, prompts_to_500=1, prompts_to_5000=4)
    assert bands(costs(one)) == (Band(0, None, 4, 100, 10 * DOLLAR),)


def test_without_lengths_there_are_no_bands():
    assert bands(costs(did(input=5, output=5))) == ()
    assert bands(costs(did(input=5, output=5, prompts=0, prompts_to_1000=0))) == ()
    assert bands(costs(did(prompts=4, prompts_to_1000=4))) == ()


def test_what_a_cache_saved_is_what_its_tokens_would_have_cost():
    found = costs(did(input=2_000, cached=1_000, output=0), cost=11 * DOLLAR)
    assert (found.input.cost_nanos, found.cached.cost_nanos) == (10 * DOLLAR, DOLLAR)
    assert found.cache_savings == 9 * DOLLAR
    assert costs(did(input=5, cached=5, output=5)).cache_savings is None


counts = st.dictionaries(st.sampled_from(list(Count)), st.integers(0, 10**12))


@given(st.integers(0, 10**15), counts, st.dictionaries(st.sampled_from(list(PROMPT_BOUNDS)), st.integers(0, 10**6)))
def test_bands_bear_the_cost_of_all_tokens_to_the_nano(cost, told, lengths):
    found = costs(Tally(counts={**told, **lengths, Count.PROMPTS: 10**6}), cost)
    mine = bands(found)
    kinds = [kind.cost_nanos for kind in (found.input, found.cached, found.output) if kind]
    assert not mine or sum(one.cost_nanos for one in mine) == sum(kinds) == cost
    assert not mine or sum(one.requests for one in mine) == 10**6
    assert all(one.requests > 0 <= one.prompt_tokens for one in mine)


@given(st.dictionaries(st.sampled_from(list(WITHIN_MS)), st.integers(0, 100)), st.fractions(0, 1))
def test_a_bound_holds_what_it_says(within, share):
    found = quantile(Tally(counts={**within, Count.TIMED: 100}), share)
    assert found is None or not found.is_upper or max(
        number for count, number in within.items() if WITHIN_MS[count] == found.millis
    ) >= share * 100  # fmt: skip
