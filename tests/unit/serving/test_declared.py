"""What an AIWorkload says of its engine decides which counters of its pods are read, and of no others."""

from dataclasses import replace

import pytest

from aicost.adapters.ledger.counts.store import DeltaCounts
from aicost.adapters.ledger.place import LedgerPlace
from aicost.crd.convert.units import declared_engine, own_unit
from aicost.crd.models.serving.fronted import FrontGateway
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.counters.growth import Growth
from aicost.domain.serving.counted import Kind
from aicost.domain.serving.declared import DeclaredEngine
from aicost.domain.serving.gateways import GATEWAYS
from aicost.domain.serving.meters import Count
from aicost.domain.serving.outcomes.judged import JudgedBy
from aicost.domain.serving.outcomes.rules import SuccessRule
from aicost.domain.serving.pipelines.fronts import Front
from aicost.domain.serving.tallies import Grown
from aicost.usecases.economics.cost_units import UnitQuestion, cost_counted
from aicost.usecases.economics.count_window import Said
from aicost.usecases.economics.counting import PodGrowth, tallies
from aicost.usecases.economics.keep_counts import KeepCounts
from support.controller import made
from support.engines import Scripted, seconds
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, hour, make_holder, make_posting, make_row

POD = ("team-a", "chat-0")
CHAT = ("team-a", "chat")


def grew(name, by, **labels):
    return PodGrowth(POD, Grown(name, {"model_name": "m", **labels}, Growth(float(by), is_whole=True)))


def read(said, *series):
    found = tallies(series, {POD: said}).get(POD, {})
    return {model: did.get(Count.OUTPUT) for model, did in found.items()}


def test_without_a_word_every_engine_and_port_counts():
    series = (
        grew("vllm:generation_tokens_total", 5, instance="10.0.0.1:8000"),
        grew("sglang:generation_tokens_total", 7),
    )
    assert tallies(series)[POD]["m"].engines == {"vllm", "sglang"}


def test_the_engine_that_is_named_is_read_and_no_other():
    series = grew("vllm:generation_tokens_total", 5, model_name="a"), grew("sglang:generation_tokens_total", 7)
    assert read(DeclaredEngine(CHAT, "vllm"), *series) == {"a": 5}
    assert read(DeclaredEngine(CHAT, "tgi"), *series) == {}


@pytest.mark.parametrize(
    ("instance", "counts"),
    [("10.0.0.1:8000", True), ("10.0.0.1:9000", False), ("[fd00::1]:8000", True), ("vllm-0", True), ("a:http", True)],
)
def test_a_port_leaves_out_what_was_scraped_elsewhere(instance, counts):
    found = read(DeclaredEngine(CHAT, port=8000), grew("vllm:generation_tokens_total", 5, instance=instance))
    assert found == ({"m": 5} if counts else {})


def test_counters_that_could_be_anybodys_are_its_own_where_it_says_so():
    series = grew("generation_tokens_total", 5)
    assert read(DeclaredEngine(CHAT), series) == {}
    assert read(DeclaredEngine(CHAT, "nim"), series) == {"m": 5}


def test_pods_are_those_that_the_ledger_charged_to_the_workload(tmp_path):
    store, ledger = DeltaCounts(LedgerPlace(str(tmp_path / "l"))), MemoryLedger()
    holders = [replace(make_holder("team-a", "chat-0"), workload="chat"), make_holder("team-a", "free-0")]
    ledger.post(make_posting(*(make_row(10**9, holder=one, device=one.pod) for one in holders)))
    series = [
        ("vllm:generation_tokens_total", {"namespace": "team-a", "pod": pod, "model_name": pod}, seconds, 0, 10**15)
        for pod in ("chat-0", "free-0")
    ]
    keep = KeepCounts(CLUSTER, store, ledger, Scripted(*series))
    list(keep(Said(engines={CHAT: DeclaredEngine(CHAT, "tgi")})))
    span = Window(hour(0).start_ms, hour(0).end_ms)
    report = cost_counted(ledger.snapshot(), store, span, UnitQuestion(("pod",)), cluster=CLUSTER)
    assert [line.keys for line in report.lines] == [("free-0",)]


def test_of_two_engines_that_serve_one_model_the_one_that_is_named_is_read():
    series = grew("vllm:generation_tokens_total", 5), grew("sglang:generation_tokens_total", 7)
    assert read(DeclaredEngine(CHAT, "sglang"), *series) == {"m": 7}


def test_a_past_is_caught_up_with_as_it_is_declared(tmp_path):
    store, ledger = DeltaCounts(LedgerPlace(str(tmp_path / "l"))), MemoryLedger()
    ledger.post(make_posting(make_row(10**9, holder=replace(make_holder("team-a", "chat-0"), workload="chat"))))
    pod = {"namespace": "team-a", "pod": "chat-0", "model_name": "m"}
    names = "vllm:generation_tokens_total", "sglang:generation_tokens_total"
    keep = KeepCounts(CLUSTER, store, ledger, Scripted(*((name, pod, seconds, 0, 10**15) for name in names)))
    (one,) = keep.catch_up(hour(0), Said(engines={CHAT: DeclaredEngine(CHAT, "sglang")}))
    engines = {row.source for row in store.rows(CLUSTER, hour(0)) if row.kind is Kind.ENGINE}
    assert (one.revision, engines) == (0, {"sglang"})


def test_it_is_read_from_the_spec():
    body = made(
        "AIWorkload", "chat", {"selector": {"matchLabels": {"a": "b"}}, "telemetry": {"engine": "nim", "port": 1}}
    )
    assert declared_engine(body).value == DeclaredEngine(CHAT, "nim", 1)
    auto = made("AIWorkload", "chat", {"selector": {"matchLabels": {"a": "b"}}, "telemetry": {}})
    assert declared_engine(auto).value == DeclaredEngine(CHAT)
    assert declared_engine(made("AIWorkload", "chat", {"selector": {"matchLabels": {"a": "b"}}})).value is None
    assert declared_engine(made("AIWorkload", "chat", {"telemetry": {"port": "x"}})).problems


def test_what_is_said_of_success_is_read_along_where_it_makes_sense():
    spec = {"selector": {"matchLabels": {"a": "b"}}, "success": {"from": "gateway", "statuses": ["200"]}}
    found = declared_engine(made("AIWorkload", "chat", spec)).value
    assert found == DeclaredEngine(CHAT, success=SuccessRule(JudgedBy.GATEWAY, statuses=("200",)))
    spec["success"] = {"from": "query", "query": {"successes": "sum("}}
    assert declared_engine(made("AIWorkload", "chat", spec)).value is None
    spec["telemetry"] = {"engine": "tgi"}
    assert declared_engine(made("AIWorkload", "chat", spec)).value == DeclaredEngine(CHAT, "tgi")


def test_the_gateway_and_the_aliases_are_read_from_the_spec_in_small_letters():
    telemetry = {"gateway": "litellm", "modelAliases": ["Smart", "openai/gpt-4o"]}
    body = made("AIWorkload", "chat", {"selector": {"matchLabels": {"a": "b"}}, "telemetry": telemetry})
    assert declared_engine(body).value.front == Front("litellm", frozenset({"smart", "openai/gpt-4o"}))
    auto = made("AIWorkload", "chat", {"selector": {"matchLabels": {"a": "b"}}, "telemetry": {"gateway": "auto"}})
    assert not declared_engine(auto).value.front


def test_each_gateway_that_is_counted_can_be_named():
    assert [one.value for one in FrontGateway] == ["auto", *(one.name for one in GATEWAYS)]


def test_a_unit_is_read_whoever_counts_it():
    metric = {"name": "inference", "per": 1000, "targetPrice": "0.5", "currency": "USD", "marginPercent": 20}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "unitMetric": metric}
    unit = own_unit(made("AIWorkload", "chat", spec)).value
    assert (unit.name, unit.has_counter, unit.target.nanos, unit.target.margin_percent) == (
        "inference",
        False,
        5 * 10**8,
        20,
    )
    spec["unitMetric"]["units"] = {"metric": "runs_total"}
    assert own_unit(made("AIWorkload", "chat", spec)).value.has_counter
