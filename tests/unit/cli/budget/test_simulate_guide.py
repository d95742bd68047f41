"""The guide shows what a simulation prints, of the budget that stands in it."""

import re
from dataclasses import replace

import yaml

from aicost.crd.convert.budget.plan import budget_plan
from aicost.domain.budgets.spend.scopes import scope_of
from aicost.domain.exact.windows import DAY_MS, Window, from_rfc3339
from aicost.domain.reporting.question import Question
from aicost.entrypoints.cli.output.budget.simulation.screen import simulation_screen
from aicost.entrypoints.cli.output.budget.simulation.simulated import Simulated
from aicost.entrypoints.cli.terminal import Terminal
from aicost.entrypoints.queryapi.series.listing import series_table
from aicost.entrypoints.queryapi.series.resource import MOST_LISTED
from aicost.usecases.budgets.simulate import MOST_ENTRIES, question_for, simulate_budget
from support.documents import ROOT
from unit.budgets.test_simulation import OCTOBER, START, Ran, recorded

GUIDE = (ROOT / "docs/guide/budgets-simulate.md").read_text(encoding="utf-8")
MANIFEST = yaml.safe_load(re.search(r"^```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)[1])
SHOWN = re.search(r"^\$ kubectl aicost budget simulate -f [^\n]*\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)[1]
DAY = 24
RAN = (
    Ran("assistant", 4.98, stage="production", kind="Deployment"),
    Ran("playground", 2.49, stage="sandbox", kind="StatefulSet"),
    Ran("embed", 2.49, stage="pilot", kind="Deployment", since=4 * DAY),
    Ran("sweep-17", 9.96, since=8 * DAY, claim="sweep"),
    Ran("llama-ft", 19.92, since=14 * DAY, until=26 * DAY, kind="PyTorchJob"),
)


def shown() -> list[str]:
    plan = budget_plan(MANIFEST, "UTC").value
    assert plan is not None
    scope = scope_of(plan, {})
    record = recorded(*RAN, back=15 * DAY)
    assert question_for(plan, scope, OCTOBER).span == Window(START - 15 * DAY_MS, OCTOBER.end_ms)
    found = simulate_budget(plan, scope, record, OCTOBER, acts=True)
    again = ("-f", "budget.yaml", "--window", "2026-10")
    return simulation_screen(
        Simulated(found, OCTOBER, "https://k8s.example", plan, again), "kubectl aicost", Terminal(120)
    ).splitlines()


def test_the_guide_shows_what_is_printed():
    left = shown()
    for number, part in enumerate(SHOWN.split("...\n")):
        lines = part.splitlines()
        at = left.index(lines[0]) if number else 0
        assert left[at : at + len(lines)] == lines
        left = left[at + len(lines) :]
    assert left == [], "to the end"


def test_the_times_that_the_guide_speaks_of_are_there():
    text = "\n".join(shown())
    for moment in re.findall(r"`(10-\d\d \d\d:\d\d)`", GUIDE):
        assert moment in text
    assert from_rfc3339("2026-10-01T00:00:00Z") == START


def test_the_series_in_the_guide_is_that_of_the_same_month():
    record = recorded(*RAN)
    question = Question(window="2026-10", namespace="research")
    cut = replace(
        record, groups=replace(record.groups, keys=("controller",), values=[(v[1],) for v in record.groups.values])
    )
    table = series_table(cut, question)
    names = [column["name"] for column in table["columnDefinitions"]]
    cells = [names, *(row["cells"] for row in table["rows"])]
    widths = [max(len(row[place]) for row in cells) + 3 for place in range(len(names))]
    lines = ["".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    shown = re.search(r"^\$ kubectl get spendseries [^\n]*\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)[1]
    assert shown.splitlines() == lines


def test_the_bounds_that_the_guide_names_are_those_of_the_query_api():
    assert f"at most {MOST_LISTED:,} groups times windows as a list of objects, and {MOST_ENTRIES:,} with" in GUIDE
