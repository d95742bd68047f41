"""The gateway that a workload declares is read alone, and an alias is its model: nothing is guessed."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.documents.unit_report import read_back, written
from aicost.adapters.ledger.counts.store import DeltaCounts
from aicost.adapters.ledger.place import LedgerPlace
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.serving.counted import CountRow, Kind, WindowCounts, fronts_of, rows_of
from aicost.domain.serving.declared import DeclaredEngine
from aicost.domain.serving.meters import Count
from aicost.domain.serving.pipelines.fronts import Front, behind, fronts_of_pods
from aicost.domain.serving.rounds.counting import RoundCount
from aicost.domain.serving.tallies import Tally
from aicost.domain.serving.tenants import Asked
from aicost.usecases.economics.cost_units import UnitQuestion, cost_counted
from aicost.usecases.economics.count_window import Said
from aicost.usecases.economics.fronting import Fronting
from aicost.usecases.economics.keep_counts import KeepCounts
from support.engines import Scripted, seconds
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, hour, make_holder, make_posting, make_row

CHAT, SHOP = ("search", "chat-0"), ("shop", "chat-0")
SPAN = Window(hour(0).start_ms, hour(0).end_ms)


def did(computed=0, output=0):
    return Tally(frozenset({"vllm"}), {Count.INPUT: computed, Count.OUTPUT: output})


def asked(fronting, asking, pod):
    """Gateway -> generated tokens, all models and tenants together."""
    found = fronting.asked(asking, [pod])
    return {
        gateway: sum(one.output for tenants in models.values() for one in tenants.values())
        for gateway, models in found.items()
        if models
    }


def test_without_a_word_pods_stay_as_they_are():
    pods = {CHAT: {"M": did(output=5)}}
    assert behind(pods, {}, "kong") is pods
    assert Front().called(pods[CHAT]) is pods[CHAT]


def test_an_alias_stands_for_all_models_and_one_that_is_a_models_name_for_that_model():
    called = Front(aliases=frozenset({"smart", "m"})).called({"M": did(output=5), "N": did(output=7)})
    assert {name: one.output for name, one in called.items()} == {"M": 5, "N": 7, "smart": 12}


def test_pods_are_those_that_the_ledger_charged_to_a_workload_that_says_something():
    charged = [("search", "chat-0", "chat"), ("shop", "chat-0", "chat"), ("search", "free-0", "")]
    assert fronts_of_pods(charged, {("search", "chat"): Front("kong")}) == {CHAT: Front("kong")}


def test_a_declared_gateway_is_read_alone():
    asking = {"litellm": {"m": {"a": Asked(output=10)}}, "kong": {"m": {"a": Asked(output=7)}}}
    pods = {CHAT: {"M": did(output=20)}}
    assert asked(Fronting(pods, {}), asking, CHAT) == {"litellm": 10, "kong": 7}
    assert asked(Fronting(pods, {CHAT: Front("kong")}), asking, CHAT) == {"kong": 7}
    assert asked(Fronting(pods, {CHAT: Front("otel-genai")}), asking, CHAT) == {}


def test_what_one_gateway_counts_is_divided_among_those_that_it_may_front():
    asking = {"litellm": {"m": {"a": Asked(output=10)}}, "kong": {"m": {"a": Asked(output=8)}}}
    pods = {CHAT: {"m": did(output=20)}, SHOP: {"m": did(output=60)}}
    fronting = Fronting(pods, {CHAT: Front("kong")})
    assert asked(fronting, asking, CHAT) == {"kong": 2}
    assert asked(fronting, asking, SHOP) == {"litellm": 10, "kong": 6}


def test_an_alias_that_two_claim_is_divided_as_a_model_that_two_serve():
    asking = {"litellm": {"smart": {"a": Asked(output=100)}}}
    pods = {CHAT: {"m": did(output=30)}, SHOP: {"n": did(output=10)}}
    both = Fronting(pods, dict.fromkeys((CHAT, SHOP), Front(aliases=frozenset({"smart"}))))
    assert (asked(both, asking, CHAT), asked(both, asking, SHOP)) == ({"litellm": 75}, {"litellm": 25})
    alone = Fronting(pods, {CHAT: Front(aliases=frozenset({"smart"}))})
    assert (asked(alone, asking, CHAT), asked(alone, asking, SHOP)) == ({"litellm": 100}, {})


def test_what_is_behind_requests_follows_the_gateway_and_the_alias():
    calls = [RoundCount(name, "smart", {Count.CALLS: 100}) for name in ("litellm", "kong")]
    pods = {CHAT: {"m": did(output=30)}, SHOP: {"smart": did(output=10)}}
    fronting = Fronting(pods, {CHAT: Front("kong", frozenset({"smart"}))})
    assert fronting.rounds(calls, [CHAT]) == (RoundCount("kong", "smart", {Count.CALLS: 75}),)
    assert [(one.gateway, one.counts[Count.CALLS]) for one in fronting.rounds(calls, [SHOP])] == [
        ("litellm", 100),
        ("kong", 25),
    ]
    assert (fronting.names([CHAT]), fronting.names([SHOP])) == (("m", "smart"), ("smart",))
    assert (fronting.gateway([CHAT]), fronting.gateway([CHAT, SHOP])) == ("kong", "")


NAMES = st.sampled_from(["m", "n", "smart", "fast"])
FRONTS = st.builds(Front, st.sampled_from(["", "litellm", "kong"]), st.frozensets(NAMES, max_size=3))


@given(
    st.lists(st.tuples(NAMES, st.integers(1, 10**6), FRONTS), min_size=1, max_size=5),
    st.dictionaries(NAMES, st.integers(0, 10**6)),
)
def test_no_token_of_a_gateway_is_given_out_twice(workloads, tokens):
    pods = {("search", f"p{n}"): {model: did(output=done)} for n, (model, done, _) in enumerate(workloads)}
    fronts = {("search", f"p{n}"): front for n, (_, _, front) in enumerate(workloads) if front}
    fronting = Fronting(pods, fronts)
    asking = {"litellm": {model: {"a": Asked(output=number)} for model, number in tokens.items()}}
    given_out = sum(asked(fronting, asking, pod).get("litellm", 0) for pod in pods)
    reached = {name for pod in pods for name in fronting.asked(asking, [pod])["litellm"]}
    whole = sum(number for model, number in tokens.items() if model in reached)
    assert abs(given_out - whole) <= len(pods) * len(tokens) / 2


SAID = {("search", "chat"): Front("kong", frozenset({"smart", "fast"})), ("shop", "chat"): Front("litellm")}


def test_what_was_declared_is_kept_beside_what_was_counted():
    counts = WindowCounts(hour(0), {CHAT: {"m": did(output=5)}}, fronts=SAID)
    assert fronts_of(rows_of(counts)) == SAID
    assert rows_of(WindowCounts(hour(0), fronts=SAID)) == ()


def counted(tmp_path, *telling, gateway="", aliases=()):
    """A workload whose gateway calls its model smart, kept for one window after another."""
    store, ledger = DeltaCounts(LedgerPlace(str(tmp_path / "l"))), MemoryLedger()
    holder = replace(make_holder("search", "chat-0"), workload="chat")
    for at in (0, 1):
        ledger.post(make_posting(make_row(10**9, holder=holder, window=hour(at)), window=hour(at)))
    gate = {"namespace": "gate", "pod": "g-0"}
    series = [
        ("vllm:generation_tokens_total", {"namespace": "search", "pod": "chat-0", "model_name": "m"}, seconds),
        ("litellm_output_tokens_metric_total", {**gate, "model": "m", "team_alias": "a"}, lambda at: seconds(at) / 2),
        (
            "kong_ai_llm_tokens_total",
            {**gate, "ai_model": "Smart", "workspace": "b", "token_type": "completion_tokens"},
            lambda at: seconds(at) / 4,
        ),
    ]
    keep = KeepCounts(CLUSTER, store, ledger, Scripted(*((*one, 0, 10**15) for one in series)))
    front = Front(gateway, frozenset(aliases))
    list(keep(Said(engines={("search", "chat"): DeclaredEngine(("search", "chat"), front=front)})))
    question = UnitQuestion(("namespace",), tenants=Dimension.TEAM, **dict(telling))
    report = cost_counted(ledger.snapshot(), store, Window(hour(0).start_ms, hour(1).end_ms), question, cluster=CLUSTER)
    assert read_back(written(report)) == report
    return report.lines[0]


@pytest.mark.parametrize(
    ("said", "gateway", "coverage", "tenants"),
    [
        ({}, "litellm", Fraction(1, 2), ["a", ""]),
        ({"aliases": ["smart"]}, "litellm", Fraction(1, 2), ["a", ""]),
        ({"gateway": "kong", "aliases": ["smart"]}, "kong", Fraction(1, 4), ["b", ""]),
        ({"gateway": "kong"}, "", None, []),
    ],
)
def test_who_asked_is_told_by_the_gateway_and_the_alias_that_were_declared(tmp_path, said, gateway, coverage, tenants):
    line = counted(tmp_path, **said)
    assert (line.tenancy.gateway, line.tenancy.coverage) == (gateway, coverage)
    assert [one.tenant for one in line.tenancy.shares] == tenants
    assert sum(one.cost_nanos for one in line.tenancy.shares) == (2 * 10**9 if tenants else 0)


def test_a_filter_that_leaves_workloads_out_changes_nothing_for_the_others(tmp_path):
    whole = counted(tmp_path, gateway="kong", aliases=["smart"])
    part = counted(tmp_path / "f", ("filters", {"namespace": ("search",)}), gateway="kong", aliases=["smart"])
    assert part.tenancy == whole.tenancy


def test_what_was_declared_last_holds_for_the_whole_span(tmp_path):
    store, ledger = DeltaCounts(LedgerPlace(str(tmp_path / "l"))), MemoryLedger()
    holder = replace(make_holder("search", "chat-0"), workload="chat")
    for at, alias in ((0, "old"), (1, "smart")):
        ledger.post(make_posting(make_row(10**9, holder=holder, window=hour(at)), window=hour(at)))
        rows = [
            CountRow(Kind.ENGINE, Count.OUTPUT.value, 100, "", "vllm", "search", "chat-0", model="m"),
            CountRow(Kind.GATEWAY, Count.OUTPUT.value, 40, source="litellm", model="smart", team="a"),
            CountRow(Kind.GATEWAY, Count.OUTPUT.value, 10, source="litellm", model="old", team="a"),
            CountRow(Kind.WORKLOAD, "fronted", 1, namespace="search", workload="chat", model=alias),
        ]
        store.keep(CLUSTER, hour(at), 0, rows)
    question = UnitQuestion(("namespace",), tenants=Dimension.TEAM)
    for span, coverage in ((hour(0), Fraction(1, 10)), (Window(hour(0).start_ms, hour(1).end_ms), Fraction(2, 5))):
        (line,) = cost_counted(ledger.snapshot(), store, span, question, cluster=CLUSTER).lines
        assert line.tenancy.coverage == coverage
