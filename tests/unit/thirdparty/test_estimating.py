"""Counted tokens at list prices: exact, base prices alone, and nothing that a pod serves."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.pricing.tokens.bundled import BundledPrices
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, Window, from_rfc3339
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.ledger.rows import Method, Quality
from aicost.domain.sampling.counters.growth import Growth
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.api_prices import ApiPrice
from aicost.domain.serving.counted import WindowCounts, rows_of, tenants_of
from aicost.domain.serving.meters import Count
from aicost.domain.serving.tallies import Grown, Tally
from aicost.domain.serving.tenants import Asked, TenantCount, tenant_counts
from aicost.domain.thirdparty.estimating import chosen, estimate
from aicost.domain.thirdparty.lines import rows_of_bill
from aicost.domain.thirdparty.providers import billed_by, maker_of
from aicost.usecases.economics.spend.estimate_spend import CountedSpend, counted_in, read_from
from support.fakes.counts import MemoryCounts

DAY = Window(from_rfc3339("2026-03-02T00:00:00Z"), from_rfc3339("2026-03-03T00:00:00Z"))
SEARCH = {Dimension.TEAM: "search"}


def price(provider="anthropic", paid=3, cached=0.3, output=15, currency="USD"):
    nanos = [None if one is None else int(one * 10**9) for one in (paid, cached, output)]
    return ApiPrice("claude-sonnet-5", provider, *nanos, currency, "a list")


def count(model="claude-sonnet-5", gateway="litellm", tenants=SEARCH, **tokens):
    return TenantCount(gateway, model, tenants, Asked(**tokens))


def found(*counts, served=(), prices=lambda *_: [price()]):
    return estimate(DAY, counts, set(served), prices)


def test_each_kind_of_token_has_its_own_price_to_the_last_digit():
    (line,) = found(count(computed=1_000_001, cached=2_000_000, output=7)).lines
    assert line.cost_attos == (1_000_001 * 3_000_000 + 2_000_000 * 300_000 + 7 * 15_000_000) * 10**6
    (row,) = rows_of_bill("counted", [line])[DAY]
    assert (row.cost_nanos, row.method, row.quality, row.list_price) == (
        3_600_108_000, Method.ESTIMATED, Quality.ESTIMATED, True,
    )  # fmt: skip
    assert (row.price, row.quantity, row.holder.dimensions["team"]) == ("list/a list", 3_000_008, "search")


def test_tokens_of_a_cache_without_a_price_cost_as_all_others():
    (line,) = found(count(cached=10**6), prices=lambda *_: [price(cached=None)]).lines
    assert line.cost_attos == 3 * 10**18


def test_a_model_that_pods_serve_is_left_out_whatever_its_maker_is_called():
    one = found(count("meta/llama-3.1-8b", computed=5), count(computed=1), served={"llama-3.1-8b"})
    assert (len(one.lines), one.served) == (1, 5)


def test_of_two_gateways_that_count_a_model_the_first_is_taken():
    one = found(count(gateway="kong", computed=100), count(computed=10), count("other", "kong", computed=7))
    assert sorted(line.quantity for line in one.lines) == [7, 10]


def test_what_counts_for_engines_alone_is_no_spend():
    assert found(count(gateway="llm-d-epp", computed=5), count(gateway="sglang-labels", computed=5)).lines == ()


@pytest.mark.parametrize("prices", [[], [price("a"), price("b")], [price(output=None)]])
def test_a_model_without_one_price_is_told_and_costs_nothing_that_is_made_up(prices):
    one = found(count("some-model", computed=3, output=2), prices=lambda *_: prices)
    assert (one.lines, one.unpriced) == ((), {"some-model": 5})


def test_of_several_sellers_the_maker_is_meant():
    assert chosen("claude-sonnet-5", [price("aws"), price(), price("vertex")]).provider == "anthropic"
    assert chosen("qwen3", [price("a")]).provider == "a"
    assert [maker_of(name) for name in ("openai/gpt-5", "gemini-3", "qwen3")] == ["openai", "google", ""]
    assert [billed_by(name) for name in ("Google", "vertex_ai-x", "bedrock", "mistral")] == [
        "gcp",
        "gcp",
        "aws",
        "mistral",
    ]


def sold(provider, gateway="litellm", model="claude-sonnet-5", **tokens):
    return replace(count(model, gateway, **(tokens or {"computed": 10**6})), provider=provider)


@pytest.mark.parametrize(
    ("provider", "bills", "dollars"),
    [
        ("", "anthropic", 3),
        ("anthropic", "anthropic", 3),
        ("bedrock", "aws", 4),
        ("aws.bedrock", "aws", 4),
        ("vertex_ai", "gcp", 5),
        ("gcp.vertex_ai", "gcp", 5),
        ("azure.ai.inference", "azure", 3),
        ("somebody", "somebody", 3),
    ],
)
def test_who_sells_a_model_bills_it_at_their_own_price_where_there_is_one(provider, bills, dollars):
    listed = [price(), price("aws", 4), price("google", 5)]
    (line,) = found(sold(provider), prices=lambda *_: listed).lines
    assert (line.provider, line.cost_attos) == (bills, dollars * 10**18)


def test_one_model_of_two_sellers_is_two_bills():
    lines = found(sold("bedrock", computed=5), sold("anthropic", computed=7), sold("hosted_vllm", computed=9)).lines
    assert {line.provider: line.quantity for line in lines} == {"aws": 5, "anthropic": 7}
    assert found(sold("hosted_vllm", computed=9)).served == 9


def test_a_list_is_asked_by_the_names_that_it_may_have_for_a_seller():
    class Listed:
        asked = ()

        def find(self, model, provider, span):  # noqa: ARG002 -- as the port
            self.asked = (*self.asked, provider)
            return [price("google")] if provider == "google" else []

    source = Listed()
    day = CountedSpend(lambda _: ([sold("vertex_ai", model="gemini-9")], ()), (source,)).lines(DAY)
    assert (source.asked, day[0].provider) == (("vertex_ai", "gcp", "google"), "gcp")
    assert BundledPrices().find("anthropic.claude-3-haiku-20240307-v1:0", "aws", DAY)


@pytest.mark.parametrize(
    ("gateway", "labels", "said"),
    [
        ("litellm", {"api_provider": "Bedrock"}, "bedrock"),
        ("litellm", {"api_provider": "None"}, ""),
        ("litellm", {"api_provider": "a\x1bb"}, ""),
        ("envoy-ai-gateway", {"gen_ai_provider_name": "aws.bedrock", "gen_ai_system": "openai"}, "aws.bedrock"),
        ("envoy-ai-gateway", {"gen_ai_system": "openai"}, "openai"),
        ("kong", {"ai_provider": "azure"}, "azure"),
        ("kong", {"api_provider": "azure"}, ""),
    ],
)
def test_gateways_say_who_sells_the_model_and_it_is_kept(gateway, labels, said):
    named = {
        "litellm": ("litellm_output_tokens_metric_total", {"model": "m"}),
        "envoy-ai-gateway": (
            "gen_ai_client_token_usage_token_sum",
            {"gen_ai_token_type": "output", "gen_ai_response_model": "m"},
        ),
        "kong": ("kong_ai_llm_tokens_total", {"token_type": "completion_tokens", "ai_model": "m"}),
    }
    name, own = named[gateway]
    (one,) = tenant_counts([Grown(name, {**own, **labels}, Growth(5.0, is_whole=True))])
    assert (one.gateway, one.provider) == (gateway, said)
    assert tenants_of(rows_of(WindowCounts(DAY, asked=(one,)))) == (one,)


def test_a_sum_of_many_requests_never_pays_the_price_of_a_long_one():
    """A list with a price for prompts beyond 200,000 tokens: a million tokens of a day are no such prompt."""
    model = "claude-sonnet-4-5"
    lines = estimate(
        DAY, [count(model, computed=10**6)], set(), lambda name, _: BundledPrices().find(name, "anthropic", DAY)
    ).lines
    assert [line.cost_attos for line in lines] == [3 * 10**18]


counts = st.lists(st.tuples(*[st.integers(0, 10**12)] * 3), max_size=8)


@given(counts, st.tuples(*[st.integers(0, 10**9)] * 3))
def test_lines_sum_to_tokens_times_prices(given_counts, nanos):
    asked = [
        count(tenants={Dimension.TEAM: f"t{at}"}, computed=one, cached=two, output=three)
        for at, (one, two, three) in enumerate(given_counts)
    ]
    listed = ApiPrice("m", "anthropic", *nanos, "USD", "a list")
    lines = found(*asked, prices=lambda *_: [listed]).lines
    tokens = [sum(kind) for kind in zip(*given_counts, strict=True)] or [0, 0, 0]
    assert (
        sum(line.cost_attos for line in lines) * 10**6
        == sum(one * cost for one, cost in zip(tokens, nanos, strict=True)) * 10**9
    )


def test_what_was_kept_of_a_day_is_read_once_and_what_is_left_out_is_said():
    kept = MemoryCounts()
    for hour in (0, 23):
        window = Window(DAY.start_ms + hour * HOUR_MS, DAY.start_ms + (hour + 1) * HOUR_MS)
        asked = (count(computed=10), count("nobody-knows", computed=4), count("house-model", computed=6))
        pods = {("ns", "pod-0"): {"house-model": Tally(("vllm",), {Count.INPUT: 9})}}
        kept.keep("c", window, 0, rows_of(WindowCounts(window, pods, asked)))
    source = CountedSpend(counted_in(kept, "c"), (_Listed(),))
    lines = source.lines(Window(DAY.start_ms, DAY.end_ms + DAY_MS))
    assert [(line.day, line.quantity, line.model) for line in lines] == [(DAY, 20, "claude-sonnet-5")]
    assert "8 tokens have no one list price: nobody-knows" in source.notes


def series(name, values, **labels):
    at_ms = [DAY.start_ms + 22 * HOUR_MS + (52 + 4 * step) * MINUTE_MS for step in range(len(values))]
    said = {"namespace": "gateways", "pod": "gw-0", "model": "claude-sonnet-5", "team_alias": "search"} | labels
    return RawSeries(name, said, np.array(at_ms), np.array(values, dtype=float))


class _Server:
    """A source that has the counters of a gateway, which began anew in between, and of an engine."""

    every = (
        series("litellm_input_tokens_metric_total", [100, 400, 50, 250]),
        series("litellm_output_tokens_metric_total", [10, 20, 5, 8]),
        series("vllm:prompt_tokens_total", [1, 2, 3, 4], pod="llm-0", model_name="house-model"),
        series("litellm_input_tokens_metric_total", [7, 9, 9, 9], model="house-model"),
    )

    def series(self, span):
        return [part for one in self.every if len((part := _cut(one, span)).at_ms)]

    def before(self, pods, span):  # noqa: ARG002 -- as the port
        return ()


def _cut(one, span):
    inside = (one.at_ms >= span.start_ms) & (one.at_ms < span.end_ms)
    return RawSeries(one.name, one.labels, one.at_ms[inside], one.value[inside])


def test_a_source_of_counters_is_read_hour_by_hour_and_survives_a_restart():
    source = CountedSpend(read_from(_Server()), (_Listed(),))
    lines = source.lines(DAY)
    assert {line.tags["team"] for line in lines} == {"search"}
    assert sum(line.quantity for line in lines) == (300 + 50 + 200) + (10 + 5 + 3)
    assert any("tokens of models that are served here" in note for note in source.notes)


class _Listed:
    def find(self, model, provider, span):  # noqa: ARG002 -- as the port
        return [price()] if model == "claude-sonnet-5" else []
