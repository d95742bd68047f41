"""What AIWorkloads and reports say of unit costs: figures of the windows that were counted, and conditions."""

from dataclasses import replace

import pytest

from aicost.crd.reasons import CONDITIONS
from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.ledger.rows import Bucket
from aicost.domain.serving.counted import CountRow, Kind
from aicost.entrypoints.controller.units.counting import STEP
from aicost.entrypoints.controller.units.exporting import unit_metrics
from support.controller import made, make_world
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_holder, make_posting, make_row

DOLLAR = 10**9
SELECTOR = {"selector": {"matchLabels": {"app": "chat"}}}
CHAT = replace(make_holder("team-a", "chat-0"), workload="chat")
OTHER = make_holder("team-a", "found-0")
TARGET = {"name": "inference", "per": 1000, "targetPrice": "10", "currency": "USD"}


def of_engine(count, value, pod="chat-0", part="", model="m", source="vllm"):
    return CountRow(Kind.ENGINE, count, value, part, source, "team-a", pod, model=model)


def engine(pod="chat-0", tokens=1_000_000, model="m"):
    return (
        of_engine("input-tokens", tokens, pod, model=model),
        of_engine("output-tokens", tokens, pod, model=model),
        of_engine("requests", 300, pod, "success", model),
        of_engine("requests", 100, pod, "failed", model),
    )


@pytest.fixture
def world(tmp_path):
    made_world = make_world(tmp_path, epoch_ms=HOUR_0.start_ms)
    rows = [
        make_row(3 * DOLLAR, gpu_ms=HOUR_MS, holder=CHAT),
        make_row(1 * DOLLAR, gpu_ms=HOUR_MS, holder=CHAT, bucket=Bucket.ALLOCATED_IDLE),
        make_row(2 * DOLLAR, gpu_ms=HOUR_MS, holder=OTHER, device="GPU-2"),
    ]
    made_world.post(*rows)
    yield made_world
    made_world.app.stores.close()


def keep(world, *rows, at=0, revision=0):
    world.app.counts.keep(CLUSTER, hour(at), revision, rows)


def later(world, row):
    world.ledger.post(make_posting(row, window=row.window))


def workload(metric=None, telemetry=None):
    more = {"unitMetric": metric, "telemetry": telemetry}
    return made("AIWorkload", "chat", {**SELECTOR, **{key: value for key, value in more.items() if value}})


def condition(answer, kind):
    return next((one for one in answer.statements if one.type.value == kind), None)


def test_an_aiworkload_says_what_a_token_a_request_and_a_success_cost(world):
    keep(world, *engine())
    (units,) = world.answer(workload()).status["unitCosts"]
    assert (units["currency"], units["costNanos"], units["cost"]) == ("USD", 4 * DOLLAR, "$4.00")
    assert units["full"]["input"] == {"amount": "$0.800", "nanos": 800_000_000}
    assert units["full"]["output"] == {"amount": "$3.20", "nanos": 3_200_000_000}
    assert units["active"]["output"]["nanos"] == 2_400_000_000
    assert units["usefulOutput"]["nanos"] == 3_200_000_000 * 4 // 3 + 1
    assert units["perRequest"]["amount"] == "$0.0100"
    assert units["perSuccess"]["amount"] == "$0.0133"
    assert (units["waste"], units["idleShare"], units["tokensPerRequest"]) == ("25.0%", "25.0%", "5,000")
    assert (units["method"], units["confidence"]) == ("priors", "assumed")
    assert units["counts"] == {
        "inputTokens": 1_000_000,
        "outputTokens": 1_000_000,
        "requests": 400,
        "successes": 300,
    }
    assert (units["pods"], units["countedPods"]) == (1, 1)
    assert "discovered" not in units


def test_the_cost_of_windows_that_were_not_counted_is_in_no_price(world):
    later(world, make_row(100 * DOLLAR, holder=CHAT, window=hour(1)))
    keep(world, *engine())
    (units,) = world.answer(workload(), hour(3).start_ms).status["unitCosts"]
    assert units["costNanos"] == 4 * DOLLAR
    assert units["window"] == {"from": "2026-11-25T10:00:00Z", "to": "2026-11-25T11:00:00Z"}


def test_counts_that_come_later_are_in_the_next_answer(world):
    assert "unitCosts" not in world.answer(workload()).status
    keep(world, *engine())
    before = world.answer(workload()).status["unitCosts"][0]["perRequest"]["nanos"]
    keep(world, *engine(), of_engine("requests", 400, part="success", source="sglang"), revision=1)
    assert world.answer(workload()).status["unitCosts"][0]["perRequest"]["nanos"] * 2 == before


def test_what_serves_nothing_and_names_no_unit_says_nothing_of_units(world):
    keep(world, *engine("found-0"))
    answer = world.answer(workload())
    assert "unitCosts" not in answer.status
    assert condition(answer, "UnitsCounted") is condition(answer, "WithinTarget") is None


def test_several_models_stand_beside_each_other_and_sum_to_the_whole(world):
    keep(world, *(row for at in range(12) for row in engine(model=f"m-{at:02}", tokens=1_000 * (at + 1))))
    (units,) = world.answer(workload()).status["unitCosts"]
    assert len(units["models"]) <= 10
    assert units["models"][-1]["model"] == "other"
    assert sum(one["costNanos"] for one in units["models"]) == units["costNanos"] == 4 * DOLLAR


@pytest.mark.parametrize(
    ("metric", "status", "reason"),
    [
        (TARGET, "True", "Within"),
        ({**TARGET, "targetPrice": "9.9", "marginPercent": 5}, "True", "WithinMargin"),
        ({**TARGET, "targetPrice": "9.5", "marginPercent": 5}, "False", "AboveTarget"),
        ({**TARGET, "currency": "EUR"}, "Unknown", "CurrencyMismatch"),
        ({"name": "inference"}, "Unknown", "NoTarget"),
        ({"name": "user", "targetPrice": "1", "currency": "USD"}, "Unknown", "NotCounted"),
        ({**TARGET, "units": {"metric": "answers_total"}}, "Unknown", "NotCounted"),
        ({"name": "token", "per": 1_000_000, "targetPrice": "2", "currency": "USD"}, "True", "Within"),
        ({"name": "token", "per": 1_000_000, "targetPrice": "1.99", "currency": "USD"}, "False", "AboveTarget"),
    ],
)
def test_a_unit_is_judged_against_its_target(world, metric, status, reason):
    keep(world, *engine())
    answer = world.answer(workload(metric))
    found = condition(answer, "WithinTarget")
    assert (found.status.value, str(found.reason)) == (status, reason)
    known = {(one.status, str(one.reason)) for one in CONDITIONS["AIWorkload"][found.type]}
    assert (found.status, str(found.reason)) in known


def test_the_message_has_both_prices_and_the_status_the_figures(world):
    keep(world, *engine())
    answer = world.answer(workload({**TARGET, "targetPrice": "8"}))
    assert condition(answer, "WithinTarget").message == (
        "1,000 inferences cost $10.00 this month, over 400 counted by the engine. The target is $8.00: the cost is "
        "125.0% of it."
    )
    (units,) = answer.status["unitCosts"]
    assert units["unit"]["againstTarget"] == "125.0%"
    assert (units["unit"]["units"], units["unit"]["successes"], units["unit"]["countedBy"]) == (400, 300, "engine")


def test_a_counter_of_its_own_judges_what_no_engine_serves(world):
    own = CountRow(Kind.WORKLOAD, "units", 8, namespace="team-a", workload="chat")
    keep(world, own, replace(own, count="successes", value=4))
    metric = {"name": "run", "targetPrice": "0.4", "currency": "USD", "units": {"metric": "runs_total"}}
    answer = world.answer(workload(metric))
    (units,) = answer.status["unitCosts"]
    assert (units["unit"]["cost"]["amount"], units["unit"]["costPerSuccess"]["amount"]) == ("$0.500", "$1.00")
    assert str(condition(answer, "WithinTarget").reason) == "AboveTarget"
    assert str(condition(answer, "UnitsCounted").reason) == "Counted"


def test_no_unit_in_the_time_has_no_price(world):
    keep(world, CountRow(Kind.WORKLOAD, "units", 0, namespace="team-a", workload="chat"))
    metric = {"name": "run", "targetPrice": "0.4", "currency": "USD", "units": {"metric": "runs_total"}}
    answer = world.answer(workload(metric))
    assert str(condition(answer, "WithinTarget").reason) == "NothingDone"
    assert "cost" not in answer.status["unitCosts"][0]["unit"]


@pytest.mark.parametrize(
    ("prepare", "status", "reason"),
    [
        (lambda _world: None, "Unknown", "NoSource"),
        (lambda world: setattr(world.app.engines, "value", object()), "Unknown", "Waiting"),
        (lambda world: world.state.problems.update({STEP: "it is down"}), "False", "SourceFails"),
        (lambda world: (setattr(world.app.engines, "value", object()), keep(world)), "False", "EngineNotHeard"),
        (lambda world: keep(world, *engine()), "True", "Counted"),
    ],
)
def test_a_declared_engine_says_whether_it_is_heard(world, prepare, status, reason):
    prepare(world)
    found = condition(world.answer(workload(telemetry={"engine": "vllm"})), "UnitsCounted")
    assert (found.status.value, str(found.reason)) == (status, reason)


def test_rows_of_a_report_have_unit_costs_where_engines_were_heard(world):
    later(world, make_row(5 * DOLLAR, holder=make_holder("team-b", "train-0"), window=hour(1)))
    keep(world, *engine(), *engine("found-0"))
    keep(world, at=1)
    status = world.answer(made("AICostReport", "r", {"groupBy": ["controller"]}), hour(3).start_ms).status
    rows = {row["keys"]["controller"]: row.get("unitCosts") for row in status["rows"]}
    assert rows["Deployment/chat"]["perRequest"]["amount"] == "$0.0100"
    assert "discovered" not in rows["Deployment/chat"]
    assert rows["Deployment/found"]["discovered"] is True
    whole = world.answer(made("ClusterAICostReport", "r", {"groupBy": ["namespace"]}), hour(3).start_ms).status
    by_namespace = {row["keys"]["namespace"]: row.get("unitCosts") for row in whole["rows"]}
    assert by_namespace["team-b"] is None
    assert by_namespace["team-a"]["costNanos"] == 6 * DOLLAR


def test_metrics_say_the_same_prices_and_nothing_of_what_is_undefined(world):
    keep(world, *engine())
    status = world.answer(workload()).status
    found = unit_metrics([(workload(), status), (made("AICostReport", "r"), {"unitCosts": [{}]})])
    assert found == {
        ("team-a", "chat", "USD", "million-input-tokens"): 0.8,
        ("team-a", "chat", "USD", "million-output-tokens"): 3.2,
        ("team-a", "chat", "USD", "request"): 0.01,
        ("team-a", "chat", "USD", "success"): 0.013333333,
    }


def test_counts_are_read_once_for_all_objects_and_again_only_after_a_change(world, monkeypatch):
    keep(world, *engine(), *engine("found-0"))
    asked, summed = [], type(world.app.counts).summed

    def counting(self, runs, kind, by, *, cluster):
        asked.extend([kind] if runs else [])
        return summed(self, runs, kind, by, cluster=cluster)

    monkeypatch.setattr(type(world.app.counts), "summed", counting)
    bodies = [workload(TARGET), *(made("AICostReport", f"r{at}", {"groupBy": ["pod"]}) for at in range(20))]
    world.answers(bodies)
    world.answers(bodies)
    assert asked.count(Kind.ENGINE) == 1
    keep(world, *engine(), revision=1)
    world.answers(bodies)
    assert asked.count(Kind.ENGINE) == 2


def gateway(name, model, tokens, calls=0):
    asked = [CountRow(Kind.GATEWAY, "output-tokens", tokens, source=name, model=model, team="growth")] * bool(tokens)
    return (*asked, CountRow(Kind.GATEWAY, "caller-requests", calls or tokens // 1_000, source=name, model=model))


def told_by(world, telemetry=None):
    (units,) = world.answer(workload(None, telemetry)).status["unitCosts"]
    return units.get("tokenCoverage"), (units.get("amplification") or {}).get("callerRequests")


def test_a_change_of_the_declared_gateway_and_aliases_is_in_the_next_answer(world):
    """LiteLLM counts a quarter of all tokens by the name of the engine, Kong the half by an alias."""
    keep(world, *engine(), *gateway("litellm", "m", 500_000), *gateway("kong", "smart", 1_000_000))
    assert told_by(world) == ("25.0%", 500)
    assert told_by(world, {"gateway": "kong"}) == (None, None)
    assert told_by(world, {"gateway": "kong", "modelAliases": ["Smart"]}) == ("50.0%", 1_000)
    assert told_by(world, {"gateway": "litellm", "modelAliases": ["smart"]}) == ("25.0%", 500)
    assert told_by(world) == ("25.0%", 500)
