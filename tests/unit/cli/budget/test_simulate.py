"""`aicost budget simulate` on the command line: what it is asked, what it reads, and what it prints."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from aicost.domain.budgets.gates import Basis, Gate
from aicost.domain.budgets.periods import Calendar, Rolling, Unit
from aicost.domain.budgets.plans import PPM, BudgetPlan, Redline, RedlineMetric, Rung
from aicost.domain.budgets.simulation.columns import columns_of
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.entrypoints.cli.output.budget.simulation.document import as_json
from aicost.entrypoints.cli.output.budget.simulation.screen import simulation_screen
from aicost.entrypoints.cli.output.budget.simulation.simulated import Simulated
from aicost.entrypoints.cli.terminal import Terminal
from support.budgets import rung
from support.ledger_folder import fill
from unit.budgets.test_simulation import OCTOBER, START, UNIT, Ran, recorded
from unit.budgets.test_simulation import budget as plan_of
from unit.budgets.test_simulation import run as simulated
from unit.cli.budget.test_commands import loaded

BUDGETS = "/apis/aicost.dev/v1alpha1/namespaces/research/budgets"
SERIES = "/apis/query.aicost.dev/v1alpha1/namespaces/research/spendseries"
EVERYWHERE = "/apis/query.aicost.dev/v1alpha1/spendseries"
DAY = "2026-03-02"
SPEC = {
    "limit": "10",
    "currency": "USD",
    "maxGate": "Suspend",
    "period": {"unit": "Day"},
    "ladder": [
        {"name": "half", "gate": "Notify", "basis": "Actual", "atPercent": 50},
        {"name": "full", "gate": "Suspend", "basis": "Actual", "atPercent": 100},
    ],
}
HEAD = {"apiVersion": "aicost.dev/v1alpha1", "kind": "Budget"}


def manifest(folder: Path, *bodies: dict[str, Any]) -> str:
    path = folder / "budget.yaml"
    path.write_text(yaml.safe_dump_all(bodies))
    return str(path)


def body(name: str = "day", namespace: str | None = "team-a", **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {**HEAD, "metadata": metadata, "spec": {**SPEC, **spec}}


@pytest.fixture
def simulate(run: Callable[..., Any], ledger: Path, tmp_path: Path) -> Callable[..., Any]:
    """Simulate budgets of a file on the ledger, on the day that it is of."""

    def call(*arguments: str, bodies: tuple[dict[str, Any], ...] = (body(),), window: str = DAY) -> Any:
        file = manifest(tmp_path, *bodies)
        return run("budget", "simulate", "-f", file, "--ledger", str(ledger), "--window", window, *arguments)

    return call


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"ladderr": []}, "spec.ladderr: no such field, so it says nothing: did you mean ladder?"),
        ({"scope": {"namespaces": ["other"]}}, "spec.scope.namespaces: no such field"),
    ],
)
def test_a_field_that_no_budget_has_is_refused_as_the_api_server_would(simulate, spec, said):
    result = simulate(bodies=(body(**spec),))
    assert result.code == 2
    assert said in result.err


def test_a_manifest_is_run_against_a_ledger_without_a_cluster(simulate):
    result = simulate()
    assert (result.code, result.err) == (0, "")
    words = " ".join(result.out.split())
    assert "Budget team-a/day · $10.00 · simulated" in words
    assert "As Enforce would have done it; the budget is in mode Observe and does nothing." in words
    assert "12.5% of the window: more is not recorded" in words
    assert "Notify opens half 50% spent $5.0" in words
    assert "Suspend announced" in words
    assert "Recorded $14.94, 149.4% of the limit of $10.00" in words
    assert (
        "Victims chosen by stage (sandbox, experiment, none, pilot; production never) and then by recorded cost"
        in words
    )


def test_the_document_carries_integers_that_sum(simulate):
    found = json.loads(simulate("-o", "json").out)
    assert found["kind"] == "BudgetSimulation"
    assert found["budget"] == {"kind": "Budget", "namespace": "team-a", "name": "day"}
    assert found["recorded_nanos"] == 6 * 2_490_000_000
    assert found["recorded_nanos"] - found["spent_nanos"] == found["saved_nanos"]
    assert sum(day["recorded_nanos"] for day in found["days"]) == found["recorded_nanos"]
    assert [one["move"] for one in found["moves"]][:3] == ["Opened", "Announced", "Opened"]
    assert {one["controller"] for one in found["stopped"]} <= {"Deployment/chat", "Deployment/train"}
    assert any(text.startswith("Not known: overrides") for text in found["limits"])


def test_variants_are_tried_without_writing_a_manifest(simulate):
    larger = simulate("--limit", "1000", "--max-gate", "DenyNew")
    assert "Tried: a limit of $1,000.00 in place of $10.00; maxGate DenyNew in place of Suspend." in larger.out
    assert "No rung would have been reached." in larger.out
    gates = simulate("--mode", "Observe")
    assert "mode Observe was tried, which stops nobody" in " ".join(gates.out.split())
    assert "STOPPED" in gates.out
    assert "Stopped, in this order" not in gates.out


def test_a_budget_of_several_is_named(simulate):
    two = (body(), body("week", period={"unit": "Week"}))
    assert "name one of day, week" in simulate(bodies=two).err
    assert "Budget team-a/week" in simulate("week", bodies=two).out
    assert "'moon' is not one alone in" in simulate("moon", bodies=two).err


def test_a_cluster_budget_counts_what_nobody_held(simulate):
    wide = {**body("all", None), "kind": "ClusterBudget"}
    result = simulate(bodies=(wide,))
    assert "ClusterBudget all" in result.out
    assert "Recorded $29.88" in " ".join(result.out.split())


@pytest.mark.parametrize(
    ("arguments", "bodies", "said"),
    [
        ((), (body(namespace=None),), "day names no namespace: add -n NAMESPACE"),
        (("-n", "team-b"), (body(),), "--namespace team-b: the manifest says team-a"),
        ((), (body(limit="0"),), "spec.limit: '0': must be above zero"),
        ((), (body(ladder=[]), {"kind": "Job", "metadata": {"name": "x"}}), ""),
        ((), ({"kind": "Job", "metadata": {"name": "x"}},), "no Budget or ClusterBudget with a name is in it"),
        (("--limit", "many"), (body(),), "--limit 'many' is not an amount"),
        (("--limit", "-5"), (body(),), "--limit -5: must be above zero"),
        (("--window", "soon"), (body(),), "window: 'soon' is not understood"),
        (("--window", "2020-01"), (body(),), "the ledger has no cost for a period of Budget team-a/day"),
        (("--ledger-cluster", "moon"), (body(),), "--ledger-cluster 'moon': the ledger holds cluster-1"),
        (("--max-gate", "Explode"), (body(),), "Invalid value for '--max-gate'"),
        (
            (),
            ({**body("all", None, scope={"namespaceSelector": {"matchLabels": {"a": "b"}}}), "kind": "ClusterBudget"},),
            "a ledger does not know the labels of namespaces",
        ),
    ],
)
def test_what_makes_no_sense_is_one_line_that_names_the_fix(simulate, arguments, bodies, said):
    result = simulate(*arguments, bodies=bodies)
    assert (result.code, said in result.err) == (0 if not said else 2, True), result.err
    assert result.err.count("\n") == (1 if said else 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no budget: name one that is in the cluster, or a manifest by -f"),
        (("-f", "x", "--ledger", "y", "--context", "z"), "leave --kubeconfig and --context out"),
        (("month", "--ledger-cluster", "x"), "needs a ledger to read: name it by --ledger"),
        (("-f", "x", "--cluster"), "the manifest says what kind of budget it is"),
        (("-f", "/nowhere.yaml", "--ledger", "/"), "/nowhere.yaml: cannot be read"),
    ],
)
def test_options_that_contradict_each_other_are_refused(run, arguments, said):
    result = run("budget", "simulate", *arguments)
    assert (result.code, result.out, said in result.err) == (2, "", True), result.err


def test_a_ledger_of_several_clusters_needs_to_be_told_which_one(run, tmp_path):
    folder = tmp_path / "ledger"
    fill(folder, 2)
    fill(folder, 2, "other")
    file = manifest(tmp_path, body())
    command = ("budget", "simulate", "-f", file, "--ledger", str(folder), "--window", DAY)
    assert "it holds several clusters, a budget is about one: --ledger-cluster of cluster-1, other" in run(*command).err
    assert run(*command, "--ledger-cluster", "other").code == 0
    wide = {**body("all", None, scope={"clusters": ["other"]}), "kind": "ClusterBudget"}
    manifest(tmp_path, wide)
    assert run(*command).code == 0, "the budget names one of them"


def series(*ran: Ran) -> dict[str, Any]:
    head = {"apiVersion": "query.aicost.dev/v1alpha1", "kind": "SpendSeriesReport"}
    return {**head, **columns_of(recorded(*ran, back=15 * 24))}


def test_a_budget_of_the_cluster_is_simulated_with_the_users_own_rights(server, budget):
    answers = {f"{BUDGETS}/month": (200, budget), SERIES: (200, series(Ran("train", 10)))}
    result, requests = server(answers, "simulate", "month", "--window", "2026-10")
    assert result.code == 0, result.err
    assert "Budget research/month · $5,000.00 · simulated" in result.out
    (asked,) = [one for one in requests if one.path == SERIES]
    assert asked.query["window"] == "2026-09-16T00:00:00Z/2026-11-01T00:00:00Z", "forecasts look back"
    assert asked.query["by"] == "namespace,controller,workload,stage,team,source:team"
    assert "filter" not in asked.query, "the path says the namespace"
    assert asked.query["format"] == "report"
    assert "As it would have been enforced." in result.out
    assert "unit costs: rung dear cannot open anything" in " ".join(result.out.split())
    assert "To compare aicost budget simulate month --window 2026-10 --mode Observe" in " ".join(result.out.split())


def test_a_manifest_is_run_against_the_cluster_that_is_asked(server, tmp_path):
    file = manifest(tmp_path, body("new", None, limit="100", period=None))
    result, requests = server({SERIES: (200, series(Ran("train", 10)))}, "simulate", "-f", file, "--window", "2026-10")
    assert result.code == 0, result.err
    assert "Budget research/new" in result.out, "in the namespace of the kubeconfig"
    assert [one.path for one in requests] == [SERIES], "and nothing else is asked"


def test_who_may_not_see_the_cost_of_all_namespaces_is_told_what_it_takes(server, tmp_path):
    refused = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "spendseries is forbidden"}
    wide = {**body("all", None), "kind": "ClusterBudget"}
    result, _ = server({EVERYWHERE: (403, refused)}, "simulate", "-f", manifest(tmp_path, wide))
    assert (result.code, result.out) == (1, "")
    assert "spendseries" in result.err
    assert "A ClusterBudget is about all namespaces: it takes the right to list it in all" in result.err
    assert "-n NAMESPACE" not in result.err


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"kind": "Status"}, "the answer is not a SpendSeriesReport"),
        ({**series(Ran("a")), "entries": {}}, "the series is not what it should be"),
        ("not json", "is not JSON"),
    ],
)
def test_an_odd_answer_is_said_to_be_one(server, budget, answer, said):
    answers = {f"{BUDGETS}/month": (200, budget), SERIES: (200, answer)}
    result, _ = server(answers, "simulate", "month", "--window", "2026-10")
    assert (result.code, said in result.err) == (1, True), result.err


def test_namespaces_that_a_budget_chooses_by_label_are_those_of_now(server, tmp_path):
    wide = {**body("all", None, scope={"namespaceSelector": {"matchLabels": {"a": "b"}}}), "kind": "ClusterBudget"}
    places = [{"metadata": {"name": "research", "labels": {"a": "b"}}}, {"metadata": {"name": "search"}}]
    answers = {
        "/api/v1/namespaces": (200, {"kind": "NamespaceList", "apiVersion": "v1", "metadata": {}, "items": places}),
        EVERYWHERE: (200, series(Ran("train", 10), Ran("rank", 50, namespace="search"))),
    }
    result, requests = server(answers, "simulate", "-f", manifest(tmp_path, wide), "--window", "2026-10", "-o", "json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["recorded_nanos"] == 31 * 24 * 10 * UNIT
    assert requests[-1].query["filter"] == "namespace=research"


def test_the_way_to_it_imports_nothing_heavy():
    least = loaded("version")
    assert loaded("budget", "simulate", "--help") <= least
    assert loaded("budget", "simulate") <= least
    used = loaded("budget", "simulate", "month", "--kubeconfig", "/nowhere")
    assert used.isdisjoint({"kopf", "deltalake", "pyarrow"}), "a cluster is asked without a ledger"


# What is drawn


def drawn(plan: BudgetPlan, *ran: Ran, span: Window = OCTOBER, width: int | None = 120, **more: Any) -> str:
    found = simulated(plan, recorded(*ran, **{"hours": 31 * 24, **more}), span)
    return simulation_screen(Simulated(found, span, "here", plan), "aicost", Terminal(width))


def line_of(screen: str, label: str) -> str:
    return next(line for line in screen.splitlines() if line.startswith(label))


def test_a_day_is_a_bar_of_spend_against_the_limit_with_what_was_saved_beyond_it():
    screen = drawn(plan_of(limit=100), Ran("train", 1))
    before, after = line_of(screen, "Sun 10-04"), line_of(screen, "Sun 10-25")
    assert before.index("┃") == after.index("┃")
    assert "▲ FreezeGrowth" in before
    assert "░" not in before
    assert after.count("░") > 20
    assert "▓" not in after, "nothing is spent any more"
    assert "│ Suspend" in after


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_it_fits_the_terminal(width):
    screen = drawn(plan_of(limit=100), Ran("a-name-that-is-quite-long-for-a-table", 1), Ran("b", 3), width=width)
    longest = max(len(line) for line in screen.splitlines() if "aicost budget" not in line)
    assert longest <= max(width, 80), "the narrowest that the tables can be"


def test_a_new_period_is_a_line_of_its_own_and_the_limit_moves():
    plan = plan_of(rule=Calendar(Unit.WEEK), limit=100)
    screen = drawn(plan, Ran("train", 1))
    assert screen.count("a new period begins, with a limit of $100.00") == 4
    assert screen.count("Recorded ") == 5
    assert "Together" in screen


def test_a_rolling_budget_has_no_periods_to_speak_of():
    screen = drawn(plan_of(rule=Rolling(2 * DAY_MS), limit=1_000), Ran("train", 1), back=72)
    assert "a new period" not in screen
    assert "Recorded      $744.00\n" in screen
    assert "no gate opened that stops what runs" in screen


def test_why_a_rung_that_is_reached_opens_nothing_is_said():
    shut = " ".join(drawn(plan_of(max_gate=Gate.DENY_NEW), Ran("train", 1), width=None).split())
    assert "100% spent; Suspend stays shut: maxGate is DenyNew" in shut
    assert "maxGate is DenyNew, and no gate below Suspend stops what runs" in shut
    thin = " ".join(drawn(plan_of(), Ran("train", 1, team=""), width=None).split())
    assert "DenyNew stays shut: too little of the cost has its labels" in thin
    assert "Labels 0.0% of the cost that pods held has a team; a gate above FreezeGrowth needs 90.0%" in thin
    burn = Rung("fast", Gate.DENY_NEW, Basis.BURN_RATE, 2 * PPM, PPM)
    early = drawn(plan_of(burn, limit=500), Ran("train", 1), Ran("burst", 20, since=200), width=None)
    early = " ".join(early.split())
    assert "burn rate 2; DenyNew stays shut: what looks ahead opens no more than Annotate" in early


def test_what_is_not_simulated_is_named():
    plan = plan_of(
        rung(Gate.NOTIFY, 50), rung(Gate.NOTIFY, 110, Basis.UNIT_COST),
        parent="company", redlines=(Redline("dear", RedlineMetric.COST_PER_UNIT, above=1),), paused=True,
    )  # fmt: skip
    text = " ".join(drawn(plan, Ran("train", 1), Ran("odd", 1, currency="EUR", since=200)).split())
    for part in (
        "unit costs: rung notify-110 cannot open anything",
        "redline dear: units and successes are not recorded",
        "what ClusterBudget company above it would have done",
        "Tried: going on, though the budget is paused.",
        "Currency a part of the cost in scope is in EUR, which is in no figure here",
        "a part of the cost is in another currency, so nothing moves",
    ):
        assert part in text


def test_more_workloads_than_a_table_names_are_summed_and_all_are_in_the_document():
    plan = plan_of(rung(Gate.FAST_FAIL, 50), max_gate=Gate.FAST_FAIL)
    ran = [Ran(f"x{number}") for number in range(25)]
    found = simulated(plan, recorded(*ran))
    screen = simulation_screen(Simulated(found, OCTOBER, "here", plan), "aicost", Terminal(None))
    assert "5 workloads more; -o json names all" in screen
    assert "all 25" in screen
    assert len(json.loads(as_json(Simulated(found, OCTOBER, "here", plan)))["stopped"]) == 25


def test_moments_are_those_of_the_budgets_own_clock():
    screen = drawn(plan_of(rule=Calendar(time_zone="Asia/Tokyo")), Ran("train", 5), span=Window(START, START + DAY_MS))
    assert "2026-10-01 09:00 → 2026-10-02 09:00 Asia/Tokyo" in screen
    assert "10-01 19:00" in screen, "half of the limit after ten hours"


def test_text_of_others_cannot_reach_the_terminal():
    screen = drawn(plan_of(), Ran("x\x1b[2Jx", 2))
    assert "\x1b" not in screen
