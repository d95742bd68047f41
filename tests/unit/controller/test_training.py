"""What AIWorkloads say of their runs of training, and what is remembered of TrainJobs."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from aicost.adapters.kube.watching.trainers import MOST_JOBS, MOST_WORDS, TrainerBook
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS
from aicost.domain.sampling.series import RawSeries
from aicost.entrypoints.controller.training import rounds
from aicost.entrypoints.controller.training.rounds import TrainingRounds
from aicost.ports.measured.training import Reported
from support.controller import NOW, made, make_world
from support.ledger_rows import HOUR_0, make_holder, make_row

DOLLAR = 10**9
SPEC = {"selector": {"matchLabels": {"app": "llama"}}, "training": {"steps": {"metric": "step", "whole": 600}}}
LLAMA = replace(make_holder("team-a", "llama-0"), workload="llama", controller_kind="PyTorchJob", controller="llama")


class Trainers:
    """What TrainJobs said, without an API server."""

    def __init__(self):
        self.book = TrainerBook()


class Steps:
    """A Prometheus in which each metric rises by ten a minute."""

    def __init__(self):
        self.asked = []

    def series(self, namespace, counter, span):
        self.asked.append((namespace, counter.metric))
        assert span.start_ms < HOUR_0.start_ms
        at_ms = np.arange(HOUR_0.start_ms, HOUR_0.end_ms, MINUTE_MS)
        value = (at_ms - HOUR_0.start_ms) / MINUTE_MS * 10
        yield RawSeries(counter.metric, {"namespace": namespace, "pod": "llama-0"}, at_ms, value)


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(rounds, "now_ms", lambda: NOW)
    found = make_world(tmp_path).post(make_row(6 * DOLLAR, gpu_ms=HOUR_MS, holder=LLAMA))
    yield found
    found.app.stores.close()


async def answered(world, spec=SPEC, trainers=None):
    body = made("AIWorkload", "llama", spec)
    world.registry.put(body)
    training = TrainingRounds(world.app, world.registry, trainers or Trainers(), world.state, world.attempts)
    await training.once()
    return training, world.answer(body).status


async def test_an_aiworkload_shows_what_its_runs_cost(world):
    world.app.units.value = Steps()
    _, status = await answered(world)
    (training,) = status["training"]
    assert (training["currency"], training["runs"], training["costNanos"]) == ("USD", 1, 6 * DOLLAR)
    (run,) = training["rows"]
    assert (run["run"], run["state"], run["steps"], run["perStep"]) == ("PyTorchJob/llama", "unknown", "590", "$0.0102")
    assert (run["progress"], run["method"], run["confidence"]) == ("98.3%", "steps", "low")
    assert sum(run["parts"].values()) == run["costNanos"]
    assert run["goodput"] == "98.3%"


async def test_without_a_source_it_shows_the_cost_and_no_figure_that_nobody_knows(world):
    _, status = await answered(world)
    (run,) = status["training"][0]["rows"]
    assert run["parts"] == {"untold": 6 * DOLLAR}
    assert not {"goodput", "perStep", "lost", "toComplete", "method"} & run.keys()


async def test_an_aiworkload_that_trains_nothing_shows_nothing(world):
    _, status = await answered(world)
    assert "training" not in world.answer(made("AIWorkload", "other", SPEC)).status
    assert status["training"]


async def test_the_runs_are_costed_again_only_where_something_is_new(world):
    world.app.units.value = steps = Steps()
    training, _ = await answered(world)
    await training.once()
    assert steps.asked == [("team-a", "step")]
    world.registry.put(made("AIWorkload", "llama", {**SPEC, "training": {"steps": {"metric": "other"}}}))
    await training.once()
    assert steps.asked[1:] == [("team-a", "other")]


async def test_what_a_train_job_said_is_in_the_figures(world):
    holder = replace(LLAMA, controller_kind="TrainJob", controller="tune")
    world.ledger.postings.clear()
    world.post(make_row(6 * DOLLAR, gpu_ms=HOUR_MS, holder=holder))
    trainers = Trainers()
    trainers.book.take(Reported("team-a", "tune", HOUR_0.start_ms, Fraction(0)))
    trainers.book.take(Reported("team-a", "tune", HOUR_0.end_ms - 1, Fraction(1, 2)))
    _, status = await answered(world, {"selector": SPEC["selector"]}, trainers)
    (run,) = status["training"][0]["rows"]
    assert (run["run"], run["progress"], run["toComplete"]) == ("TrainJob/tune", "50.0%", "$6.00")


def said(name, at_ms):
    return Reported("team-a", name, at_ms, Fraction(1, 2))


def test_what_train_jobs_say_is_remembered_in_bounded_memory():
    book = TrainerBook()
    for at_ms in range(10 * MOST_WORDS):
        book.take(said("chatty", at_ms))
    assert len(book.words) <= MOST_WORDS
    assert (book.words[0].at_ms, book.words[-1].at_ms) == (0, 10 * MOST_WORDS - 1)
    for number in range(MOST_JOBS):
        book.take(said(f"job-{number}", 1))
    assert len(book.words) == MOST_JOBS
    assert not [word for word in book.words if word.name == "chatty"]


def test_a_word_that_was_heard_before_is_remembered_once():
    book = TrainerBook()
    for at_ms in (5, 5, 4, 6):
        book.take(said("tune", at_ms))
    assert [word.at_ms for word in book.words] == [5, 6]
