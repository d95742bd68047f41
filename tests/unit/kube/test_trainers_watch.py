"""TrainJobs are followed where they are served, and what they say is remembered as it comes."""

import asyncio
from contextlib import asynccontextmanager, suppress
from fractions import Fraction

import pytest

from aicost.adapters.kube.watching import trainers
from aicost.adapters.kube.watching.trainers import TrainersWatch
from support.fake_api.server import TRAIN_JOBS, FakeApi
from support.fake_api.session import Clock, open_client, until


@pytest.fixture
async def api():
    async with FakeApi() as one:
        yield one


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """What is looked at again each minute is looked at again at once."""
    monkeypatch.setattr(trainers, "RETRY_SECONDS", 0.02)


def says(api, percent, at="1970-01-01T00:10:00Z"):
    trainer = {"progressPercentage": percent, "lastUpdatedTime": at}
    api.put(TRAIN_JOBS, "tune", "vision", spec={}, status={"trainerStatus": trainer})


@asynccontextmanager
async def watching(api):
    told = []
    async with open_client(api) as client:
        watch = TrainersWatch(client, Clock())
        task = asyncio.create_task(watch.run(told.append))
        try:
            yield watch, told
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_what_a_train_job_says_is_remembered_as_it_comes(api):
    says(api, 10)
    async with watching(api) as (watch, told):
        await until(lambda: len(watch.book.words) == 1)
        says(api, 30, "1970-01-01T00:11:00Z")
        await until(lambda: len(watch.book.words) == 2)
        api.remove(TRAIN_JOBS, "tune", "vision")
        says(api, 5, "1970-01-01T00:12:00Z")
        await until(lambda: len(watch.book.words) == 3)
    assert [word.progress for word in watch.book.words] == [Fraction(1, 10), Fraction(3, 10), Fraction(1, 20)]
    assert [one.resource for one in watch.stats] == ["trainjobs.trainer.kubeflow.org"]
    assert told == []


async def test_where_they_may_not_be_read_it_is_said_once_and_tried_again(api):
    says(api, 10)
    api.faults.forbid = {("list", "trainjobs")}
    async with watching(api) as (watch, told):
        await until(lambda: len(api.asked("GET", "trainjobs")) > 3)
        (problem,) = told
        assert "trainjobs" in problem
        assert (watch.book.words, watch.stats) == ((), ())
        api.faults.forbid = set()
        await until(lambda: watch.book.words)


async def test_a_cluster_that_serves_none_is_no_problem(api, monkeypatch):
    monkeypatch.setattr(trainers, "TRAINER_GROUP", "nobody.example")
    async with watching(api) as (watch, told):
        await until(lambda: len(api.asked("GET", "/apis/nobody.example")) > 2)
    assert (told, watch.stats, api.asked("GET", "trainjobs")) == ([], (), [])


@pytest.mark.parametrize("status", [None, [], {"trainerStatus": "soon"}, {"trainerStatus": {"metrics": {"a": 1}}}])
async def test_a_train_job_that_makes_no_sense_takes_nothing_from_the_others(api, status):
    api.put(TRAIN_JOBS, "odd", "vision", spec={}, status=status)
    says(api, 10)
    async with watching(api) as (watch, _):
        await until(lambda: [word for word in watch.book.words if word.name == "tune"])
