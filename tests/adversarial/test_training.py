"""Runs of training whose names, metrics and statuses were made to do harm."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from aicost.adapters.kube.seen.trainers import reported
from aicost.domain.sampling.series import RawSeries
from aicost.domain.training.run_costs import Aims, Run, run_costs
from aicost.domain.training.terms import Measure, Shape
from aicost.entrypoints.cli.output.training.document import training_csv, training_document
from aicost.entrypoints.cli.output.training.screen import training_screen
from aicost.entrypoints.cli.terminal import Terminal
from aicost.ports.measured.training import Meter, Reported, TrainingPlan
from aicost.ports.measured.units import Counter
from aicost.usecases.economics.training.cost_runs import CostRuns
from aicost.usecases.economics.training.questions import TrainingQuestion
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, HOUR_0, make_holder, make_posting, make_row
from support.training import at, held, track

DOLLAR = 10**9
ANSI = "\x1b]0;owned\x07\x1b[2J\x1b[31mrun\u202e"
PLAN = TrainingPlan("team-a", "llama", (Meter(Measure.STEPS, Counter("step"), Shape.GAUGE),))


class Flood:
    """Ten thousand series of one metric, of pods that nobody knows, and one of ours."""

    def __init__(self, pods):
        self.pods = pods

    def series(self, namespace, counter, span):
        at_ms = np.arange(HOUR_0.start_ms, min(span.end_ms, HOUR_0.end_ms), 60_000)
        for pod in self.pods:
            yield RawSeries(counter.metric, {"namespace": namespace, "pod": pod}, at_ms, np.arange(len(at_ms)) * 10.0)


def costed(name="llama", source=None, reported=(), runs=1):
    made = MemoryLedger()
    holders = [
        replace(
            make_holder("team-a", f"pod-{n}"), workload="llama", controller_kind="PyTorchJob", controller=f"{name}{n}"
        )
        for n in range(runs)
    ]
    made.post(make_posting(*(make_row(DOLLAR, holder=one, device=f"GPU-{n}") for n, one in enumerate(holders))))
    question = TrainingQuestion(plans=[PLAN], reported=reported)
    return CostRuns(CLUSTER, made, None, source)(HOUR_0, question)


def test_names_of_runs_do_not_reach_the_terminal_and_stay_in_their_cells():
    report = costed(ANSI)
    shown = training_screen(report, Terminal(width=100))
    assert not [one for one in shown if one != "\n" and not one.isprintable()]
    assert ANSI in json.loads(json.dumps(training_document(report)))["rows"][0]["run"]
    assert len(training_csv(report).splitlines()) == 2


def test_a_csv_cell_with_line_breaks_is_one_cell():
    assert training_csv(costed('a",\n"b')).count("\n") == 3


def test_series_of_strangers_are_nobody_s_steps_however_many_there_are():
    strangers = [f"stranger-{number}" for number in range(10_000)]
    report = costed(source=Flood([*strangers, "pod-0"]), runs=2)
    steps = {line.run: line.costs.did.get(Measure.STEPS) for line in report.lines}
    assert steps == {"PyTorchJob/llama0": 590, "PyTorchJob/llama1": None}


def test_what_no_pod_shows_is_of_no_run_where_there_are_several():
    report = costed(source=Flood([""]), runs=2)
    assert [line.costs.basis for line in report.lines] == [None, None]


def test_a_train_job_of_another_namespace_says_nothing_here():
    report = costed(reported=[Reported("team-b", "llama0", HOUR_0.start_ms, Fraction(1, 2))])
    assert report.lines[0].costs.completion.progress is None


@pytest.mark.parametrize("value", [1e308, 5e-324, 2.0**63, 1e16 + 2])
def test_values_of_any_size_are_divided_exactly(value):
    steps = track((0, 0), (59, 59))
    steps.value[:] = np.linspace(0, 1, len(steps.value)) * value
    costs = run_costs(Run(HOUR_0, "USD", [held()], [steps], aims=Aims({Measure.STEPS: Fraction(1)})))
    assert costs.did[Measure.STEPS] == Fraction(float(steps.value[-1]))
    assert sum(costs.parts.values()) == 36 * DOLLAR
    assert costs.completion.progress <= 1


def test_a_count_that_falls_with_each_sample_loses_what_it_did_and_no_more():
    steps = track((0, 0), (59, 59))
    steps.value[:] = [minute % 2 * 100 for minute in range(60)]
    costs = run_costs(Run(HOUR_0, "USD", [held()], [steps]))
    assert (costs.restarts, costs.repeated, costs.did[Measure.STEPS]) == (29, 2_900, 100)
    assert sum(costs.parts.values()) == 36 * DOLLAR


def test_samples_at_one_moment_are_one():
    steps = track((0, 0), (59, 590))
    twice = replace(steps, at_ms=np.repeat(steps.at_ms, 3), value=np.repeat(steps.value, 3))
    assert run_costs(Run(HOUR_0, "USD", [held()], [twice])) == run_costs(Run(HOUR_0, "USD", [held()], [steps]))


@pytest.mark.parametrize(
    "status",
    [
        {"progressPercentage": {"a": 1}},
        {"progressPercentage": 10**400},
        {"estimatedRemainingSeconds": -(10**30)},
        {"metrics": [[[]] * 50]},
        {"metrics": "x" * 10_000},
        {"lastUpdatedTime": "9" * 10_000},
        {"lastUpdatedTime": "9999-12-31T23:59:59+14:00"},
        {"lastUpdatedTime": {"seconds": 1}},
    ],
)
def test_a_status_that_makes_no_sense_says_nothing_and_breaks_nothing(status):
    said = reported({"metadata": {"name": "t", "namespace": "n"}, "status": {"trainerStatus": status}}, at(0))
    assert (said.progress, said.remaining_s, dict(said.metrics), said.at_ms) == (None, None, {}, at(0))
