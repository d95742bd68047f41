"""What TrainJobs and AIWorkloads say, and series of people's own metrics."""

import json
from fractions import Fraction

import pytest

from aicost.adapters.bundle.anonymise import Anonymiser
from aicost.adapters.bundle.bundle import open_bundle
from aicost.adapters.bundle.measured.training import BundleTraining
from aicost.adapters.kube.seen.recording import recordable
from aicost.adapters.kube.seen.trainers import LONGEST_NAME, MOST_METRICS, TRAIN_JOBS, reported
from aicost.crd.convert.training import training_plan
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.training.reported import Word, quality_of, tracks_of, wholes_of
from aicost.domain.training.run_costs import Aims
from aicost.domain.training.terms import Better, Measure, Shape
from aicost.ports.measured.training import Meter
from aicost.ports.measured.units import Counter
from support.trained import FROM, trained_bundle

SEEN = 1_772_442_000_000


def train_job(**status):
    metadata = {"name": "tune", "namespace": "vision"}
    return {"kind": "TrainJob", "metadata": metadata, "status": {"trainerStatus": status}}


def test_a_train_job_says_how_far_it_is():
    metrics = [{"name": "loss", "value": "0.25"}, {"name": "currentEpoch", "value": "2"}]
    said = reported(train_job(progressPercentage=45, estimatedRemainingSeconds=600, metrics=metrics), SEEN)
    assert (said.namespace, said.name, said.progress, said.remaining_s) == ("vision", "tune", Fraction(9, 20), 600)
    assert said.metrics == {"loss": Fraction(1, 4), "currentEpoch": 2}


@pytest.mark.parametrize(
    ("told", "at"),
    [
        ("2026-03-02T08:59:00Z", SEEN - 60_000),
        ("2026-03-02T09:30:00Z", SEEN),
        ("yesterday", SEEN),
        (None, SEEN),
        (12, SEEN),
    ],
)
def test_its_own_time_is_believed_where_it_is_not_ahead(told, at):
    assert reported(train_job(progressPercentage=1, lastUpdatedTime=told), SEEN).at_ms == at


@pytest.mark.parametrize("body", [{}, {"status": None}, {"status": {"trainerStatus": []}}, {"kind": "TrainJob"}])
def test_a_train_job_that_says_nothing_is_none(body):
    assert reported(body, SEEN) is None


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "", "0x10", "1" * 100, 5, None, ["1"]])
def test_a_metric_that_is_no_number_is_left_out(value):
    assert reported(train_job(metrics=[{"name": "loss", "value": value}]), SEEN).metrics == {}


def test_what_a_train_job_says_is_bounded():
    many = [{"name": f"m{number}", "value": "1"} for number in range(10_000)]
    assert len(reported(train_job(metrics=many), SEEN).metrics) == MOST_METRICS
    assert reported(train_job(metrics=[{"name": "x" * (LONGEST_NAME + 1), "value": "1"}]), SEEN).metrics == {}
    assert reported(train_job(metrics=["loss", None, 3, {}]), SEEN).metrics == {}
    assert reported(train_job(progressPercentage=900), SEEN).progress == 1
    assert reported(train_job(progressPercentage=-1, estimatedRemainingSeconds="soon"), SEEN).progress is None


def test_names_of_frameworks_are_measures():
    words = [
        Word(1, {"progress": Fraction(0), "global_step": Fraction(5), "max_steps": Fraction(50), "loss": Fraction(2)}),
        Word(2, {"progress": Fraction(1, 2), "global_step": Fraction(25), "eval_loss": Fraction(1)}),
    ]
    tracks = {one.measure: list(one.value) for one in tracks_of(words, "")}
    assert tracks == {Measure.STEPS: [5, 25], Measure.PROGRESS: [0, 0.5], Measure.QUALITY: [1]}
    assert wholes_of(words) == {Measure.PROGRESS: 1, Measure.STEPS: 50}
    assert quality_of(words, "loss") == "loss"
    assert quality_of(words, "f1") == "eval_loss"


def aiworkload(**training):
    spec = {"selector": {"matchLabels": {"a": "b"}}, "training": training}
    return {"metadata": {"name": "llama", "namespace": "vision"}, "spec": spec}


def test_an_aiworkload_names_its_metrics():
    body = aiworkload(
        steps={"metric": "step", "whole": 1000, "matchLabels": {"rank": "0"}},
        tokens={"metric": "tokens_total"},
        samples={"metric": "samples_total", "type": "gauge"},
        progress={"metric": "done"},
        quality={"metric": "loss", "better": "lower", "point": "0.01"},
        checkpoint={"metric": "saved_total"},
    )
    plan = training_plan(body).value
    assert plan.key == ("vision", "llama")
    assert plan.meters == (
        Meter(Measure.STEPS, Counter("step", {"rank": "0"}), Shape.GAUGE),
        Meter(Measure.SAMPLES, Counter("samples_total"), Shape.GAUGE),
        Meter(Measure.TOKENS, Counter("tokens_total"), Shape.COUNTER),
        Meter(Measure.PROGRESS, Counter("done"), Shape.GAUGE),
        Meter(Measure.QUALITY, Counter("loss"), Shape.GAUGE),
        Meter(Measure.CHECKPOINT, Counter("saved_total"), Shape.GAUGE),
    )
    assert plan.aims == Aims({Measure.STEPS: 1000, Measure.PROGRESS: 100}, Fraction(1, 100), Better.LOWER)


def test_an_aiworkload_without_training_has_no_plan_and_a_wrong_one_says_why():
    body = aiworkload()
    del body["spec"]["training"]
    assert training_plan(body).value is None
    (problem,) = training_plan(aiworkload(steps={"metric": "a step"})).problems
    assert "spec.training.steps.metric" in str(problem)


def test_a_bundle_shows_the_series_of_a_namespace(tmp_path):
    with open_bundle(str(trained_bundle(tmp_path / "b"))) as bundle:
        source = BundleTraining(bundle, {"train_global_step"})
        counter = Counter("train_global_step")
        hour = Window(FROM, FROM + HOUR_MS)
        assert {one.labels["pod"] for one in source.series("vision", counter, hour)} == {"llama-0", "llama-1"}
        assert source.series("other", counter, hour) == []
        assert source.series("vision", Counter("train_global_step", {"rank": "0"}), hour) == []
        assert source.series("vision", Counter("unknown"), hour) == []
        (early,) = source.series("vision", counter, Window(FROM, FROM + 600_000))
        assert int(early.at_ms.max()) < FROM + 600_000


def test_of_a_train_job_only_its_progress_is_recorded():
    metrics = [{"name": "loss", "value": "0.25"}, {"name": "secret-project-score", "value": "1"}, {"name": "bad"}]
    status = {"progressPercentage": 45, "metrics": metrics, "lastUpdatedTime": "2026-03-02T08:59:00Z", "more": "x"}
    spec = {"trainer": {"env": [{"name": "TOKEN", "value": "hunter2"}]}}
    body = {**train_job(**status), "spec": spec}
    kept = recordable(TRAIN_JOBS, json.dumps(body).encode())
    assert reported(kept, SEEN) == reported(body, SEEN)
    assert "hunter2" not in json.dumps(kept)
    assert "more" not in kept["status"]["trainerStatus"]
    hidden = json.dumps(Anonymiser(b"k").body(kept))
    assert '"loss"' in hidden
    assert not [name for name in ("secret-project-score", "tune", "vision") if name in hidden]


def test_an_anonymous_aiworkload_does_not_say_how_its_runs_are_measured():
    body = {"kind": "AIWorkload", **aiworkload(steps={"metric": "acme_steps"})}
    assert "acme_steps" not in json.dumps(Anonymiser(b"k").body(body))
