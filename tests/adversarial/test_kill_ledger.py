"""A writer that is killed at any moment loses nothing and posts nothing twice."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter

import pytest

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import Window
from support.ledger_rows import CLUSTER, HOUR_0, hour
from support.ledger_writer import ROWS_PER_WINDOW, index_of, rows_of, truth_of

KILLS = 50


@pytest.fixture
def nursery(tmp_path):
    command = [sys.executable, "-m", "support.ledger_writer", str(tmp_path / "ledger"), str(tmp_path / "done")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    with subprocess.Popen(command, **pipes) as process:
        yield process
        process.stdin.close()
        process.wait(timeout=20)


def live_and_die(nursery, seconds: float) -> None:
    """Start a writer and end it without warning a while after it began to post."""
    nursery.stdin.write("go\n")
    nursery.stdin.flush()
    child = int(nursery.stdout.readline())
    threading.Event().wait(seconds)
    os.kill(child, signal.SIGKILL)


def total(rows) -> int:
    return sum(row.cost_nanos for row in rows)


def test_fifty_kills_lose_nothing_and_post_nothing_twice(nursery, tmp_path):
    moments = random.Random(11)
    for _ in range(KILLS):
        live_and_die(nursery, moments.uniform(0, 0.1))
    nursery.stdin.close()
    nursery.wait(timeout=20)

    ledger = DeltaLedger(str(tmp_path / "ledger"))
    last = ledger.last_window(CLUSTER)
    assert last is not None
    assert ledger.first_window(CLUSTER) == HOUR_0
    assert index_of(last) > 5, "the writers must have had time to post"
    rows = ledger.rows(Window(HOUR_0.start_ms, last.end_ms))

    notes = [line.split() for line in (tmp_path / "done").read_text().splitlines()]
    acknowledged = {(int(index), int(revision)) for index, revision, _ in notes}
    there = Counter((index_of(row.window), row.revision) for row in rows)
    assert acknowledged <= set(there), "a posting that was acknowledged is lost"
    assert max(Counter((index, revision) for index, revision, _ in notes).values()) == 1

    for index in range(index_of(last) + 1):
        window = [row for row in rows if row.window == hour(index)]
        first = [row for row in window if row.revision == 0]
        assert len(first) == ROWS_PER_WINDOW, f"window {index} has {len(first)} first rows"
        assert total(first) == total(rows_of(index))
        corrected = ledger.revision(CLUSTER, hour(index)) == 1
        assert corrected or index % 3 or index == index_of(last), f"window {index} lost its correction"
        assert total(window) == total(truth_of(index) if corrected else rows_of(index))

    open_rows = ledger.rows(hour(index_of(last) + 1), provisional=True)
    assert len(open_rows) in {0, ROWS_PER_WINDOW}, "half of the provisional rows"
