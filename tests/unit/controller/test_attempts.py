"""A step that fails is told, counted and tried again; a bug in one is no end of the others."""

import asyncio
import logging
import threading

import pytest

from aicost.entrypoints.controller.attempts import describe
from aicost.entrypoints.controller.pool import Pool
from aicost.ports.errors import LedgerUnavailable
from support.controller import shown


async def fine():
    pass


def failing(error):
    async def action():
        raise error

    return action


def failures(world):
    return {key[1:]: count for key, count in shown(world.metrics).items() if key[0] == "aicost_failures_total"}


async def test_expected_bad_news_is_one_line_without_a_traceback(world, caplog):
    assert not await world.attempts.attempt("close", failing(LedgerUnavailable("disk full")))
    (record,) = caplog.records
    assert (record.levelno, record.exc_info, record.fields["error"]) == (logging.WARNING, None, "disk full")
    assert world.state.problems == {"close": "disk full"}
    assert failures(world) == {("close", "LedgerUnavailable"): 1}


async def test_a_bug_is_logged_with_its_traceback_and_counted(world, caplog):
    assert not await world.attempts.attempt("close", failing(ZeroDivisionError("by zero")))
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info[0] is ZeroDivisionError
    assert record.exc_info[2] is not None
    assert failures(world) == {("close", "ZeroDivisionError"): 1}


async def test_the_same_failure_is_told_once_and_counted_each_time(world, caplog):
    for _ in range(3):
        await world.attempts.attempt("close", failing(LedgerUnavailable("disk full")))
    await world.attempts.attempt("close", failing(LedgerUnavailable("read-only")))
    assert [record.fields["error"] for record in caplog.records] == ["disk full", "read-only"]
    assert failures(world) == {("close", "LedgerUnavailable"): 4}


async def test_what_works_again_is_no_problem_any_more(world, caplog):
    await world.attempts.attempt("close", failing(LedgerUnavailable("disk full")))
    assert await world.attempts.attempt("close", fine)
    assert world.state.problems == {}
    await world.attempts.attempt("close", failing(LedgerUnavailable("disk full")))
    assert len(caplog.records) == 2


async def test_a_cancelled_step_is_no_failure(world):
    with pytest.raises(asyncio.CancelledError):
        await world.attempts.attempt("close", failing(asyncio.CancelledError()))
    assert failures(world) == {}


def test_an_unexpected_error_is_told_with_its_name():
    assert describe(LedgerUnavailable("disk full")) == "disk full"
    assert describe(KeyError("x")) == "KeyError: 'x'"


async def test_work_in_threads_can_be_waited_for_after_its_task_was_cancelled():
    pool, done, begun, go = Pool(), [], asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(pool)

    def work():
        loop.call_soon_threadsafe(begun.set)
        go.wait(60)
        done.append(True)

    task = asyncio.create_task(asyncio.to_thread(work))
    await begun.wait()
    task.cancel()
    assert not await pool.drain(0.0)
    assert done == []
    go.set()
    assert await pool.drain(5.0)
    assert done == [True]
    assert await pool.drain(0.0)
