"""Which runs there are in the rows of a ledger, and what is known of their pods."""

from dataclasses import replace

import pytest

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.identity.tags.evidence import Evidence, written
from aicost.domain.inventory.pods import PodFacts, PodRecord
from aicost.domain.training.dividing import Outcome
from aicost.domain.training.kinds import run_of, trains
from aicost.usecases.economics.training.questions import RunKey
from aicost.usecases.economics.training.runs import find_runs, sight_of
from support.ledger_rows import HOUR_0, hour, make_holder, make_row

NOBODY = frozenset()


def holder(*owners, pod="w-0", workload="", **dimensions):
    kind, _, name = owners[-1].partition("/")
    made = make_holder("vision", pod, **dimensions)
    evidence = written(Evidence("vision", pod, owners=owners))
    return replace(made, controller_kind=kind, controller=name, workload=workload, evidence=evidence)


def names(*holders, by=RunKey.RUN, said=NOBODY, reported=NOBODY):
    runs, others = find_runs([make_row(holder=one) for one in holders], by, frozenset(said), frozenset(reported))
    return [run.name for run in runs], [run.name for run in others]


@pytest.mark.parametrize(
    ("owners", "run"),
    [
        (("Job/tune-node-0", "JobSet/tune", "TrainJob/tune"), "TrainJob/tune"),
        (("Job/nightly-28", "CronJob/nightly"), "Job/nightly-28"),
        (("PyTorchJob/sweep-x7", "Trial/sweep-x7", "Experiment/sweep"), "PyTorchJob/sweep-x7"),
        (("RayCluster/a-raycluster", "RayJob/a"), "RayJob/a"),
        (("RayCluster/a",), "RayCluster/a"),
        (("Workflow/w",), "Workflow/w"),
    ],
)
def test_the_run_is_the_outermost_owner_that_is_one(owners, run):
    assert run_of(owners, owners[-1]) == run


def test_a_pod_whose_owners_are_not_known_is_its_controller_s():
    assert run_of((), "MPIJob/bert") == "MPIJob/bert"


def test_some_kinds_train_and_others_where_it_is_said():
    assert trains("PyTorchJob/a", {})
    assert not trains("Job/a", {})
    assert trains("Job/a", {"workload-type": "fine-tuning"})
    assert not trains("RayJob/a", {"workload-type": "inference"})


def test_jobs_that_nobody_says_train_are_named_and_are_no_runs():
    assert names(holder("Job/etl"), holder("MPIJob/bert")) == (["MPIJob/bert"], ["Job/etl"])


def test_a_job_that_is_said_to_be_something_else_is_not_asked_about():
    assert names(holder("Job/etl", workload_type="data-prep")) == ([], [])


def test_an_aiworkload_or_a_train_job_that_says_how_far_it_is_is_training():
    assert names(holder("Job/a", workload="llama"), said={("vision", "llama")}) == (["Job/a"], [])
    assert names(holder("Deployment/a"), reported={("vision", "Deployment/a")}) == (["Deployment/a"], [])


def test_a_run_that_was_submitted_again_is_one_by_its_experiment():
    first, again = (holder(f"PyTorchJob/{name}", experiment="run-7") for name in ("a", "a-retry"))
    alone = holder("PyTorchJob/b")
    assert names(first, again, alone, by=RunKey.EXPERIMENT) == (["run-7", "PyTorchJob/b"], [])


def test_rows_of_before_owners_were_kept_know_the_last_one():
    old = replace(make_holder("vision", "w-0"), controller_kind="PyTorchJob", controller="old")
    assert names(old) == (["PyTorchJob/old"], [])


def record(phase="Running", start=HOUR_0.start_ms, end=None, uid="uid-w-0", name="w-0"):
    return PodRecord(PodFacts(uid, "vision", name, start, "n1", phase, bound_ms=start), start, held_until_ms=end)


def found(*records, pods=("w-0",), windows=(HOUR_0,)):
    rows = [make_row(holder=holder("PyTorchJob/a", pod=pod), window=window) for pod in pods for window in windows]
    (run,), _ = find_runs(rows, RunKey.RUN, NOBODY, NOBODY)
    sights = {}
    for window in windows:
        for one in records:
            sights.setdefault(one.facts.uid, {})[window] = sight_of(one, window)
    return run, sights


def test_a_pod_holds_from_its_binding_to_its_end():
    run, sights = found(record("Failed", HOUR_0.start_ms + 60_000, HOUR_0.start_ms + 120_000))
    (held,) = run.held("USD", sights)
    assert held.span == Window(HOUR_0.start_ms + 60_000, HOUR_0.start_ms + 120_000)
    assert (held.known, held.outcome, held.cost_nanos) == (True, Outcome.FAILED, 1_000)


def test_without_inputs_a_pod_is_taken_to_have_held_the_whole_window():
    run, _ = found()
    (held,) = run.held("USD", {})
    assert (held.span, held.known, held.outcome) == (HOUR_0, False, Outcome.UNKNOWN)


@pytest.mark.parametrize(
    ("ends", "outcome"),
    [
        ([("Running", None)], Outcome.RUNNING),
        ([("Failed", 10), ("Running", None)], Outcome.RUNNING),
        ([("Failed", 10), ("Succeeded", 50)], Outcome.SUCCEEDED),
        ([("Failed", 50), ("Running", 51)], Outcome.FAILED),
        ([("Succeeded", 50), ("Failed", 51)], Outcome.SUCCEEDED),
        ([("Running", 50)], Outcome.ENDED),
    ],
)
def test_a_run_ended_as_the_pods_that_ended_last(ends, outcome):
    pods = [f"w-{rank}" for rank in range(len(ends))]
    records = [
        record(phase, end=None if end is None else HOUR_0.start_ms + end * 60_000, uid=f"uid-{pod}", name=pod)
        for pod, (phase, end) in zip(pods, ends, strict=True)
    ]
    run, sights = found(*records, pods=pods)
    assert run.outcome(sights, HOUR_0) is outcome


def test_what_ran_to_the_end_of_an_earlier_window_does_not_run_now():
    run, sights = found(record())
    assert run.outcome(sights, hour(1)) is Outcome.ENDED


def test_a_pod_s_last_window_says_how_it_ended():
    over = record("Failed", end=HOUR_0.end_ms + HOUR_MS // 2)
    run, sights = found(over, windows=(HOUR_0, hour(1)))
    assert [one.outcome for one in run.held("USD", sights)] == [Outcome.FAILED, Outcome.FAILED]
    assert run.held("USD", sights)[1].span == Window(HOUR_0.end_ms, HOUR_0.end_ms + HOUR_MS // 2)


def test_amounts_of_two_currencies_are_two_lines_and_what_has_no_price_is_counted():
    rows = [
        make_row(7, holder=holder("PyTorchJob/a")),
        make_row(8, holder=holder("PyTorchJob/a"), currency="EUR"),
        make_row(None, holder=holder("PyTorchJob/a"), currency="", gpu_ms=5),
    ]
    (run,), _ = find_runs(rows, RunKey.RUN, NOBODY, NOBODY)
    assert sorted(run.currencies) == ["EUR", "USD"]
    assert [one.cost_nanos for one in run.held("EUR", {})] == [8]
    assert run.unpriced_ms == 5
