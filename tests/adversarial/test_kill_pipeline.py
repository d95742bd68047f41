"""A process that plays, closes and revisits windows is killed again and again: the ledger is as if it never was."""

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
from aicost.domain.ledger.difference import difference
from support.bills import check_totals
from support.pipeline import Pipeline
from support.pipeline_killed import LENGTH_MS, STEP, T, end_of, script, visible_until

KILLS = 20


@pytest.fixture
def nursery(tmp_path):
    command = [sys.executable, "-m", "support.pipeline_killed", str(tmp_path / "killed"), str(tmp_path / "done")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    with subprocess.Popen(command, **pipes) as process:
        yield process
        process.stdin.close()
        process.wait(timeout=20)


def live_and_die(nursery, seconds: float) -> None:
    """Start a worker and end it without warning a while after it began."""
    nursery.stdin.write("go\n")
    nursery.stdin.flush()
    child = int(nursery.stdout.readline())
    threading.Event().wait(seconds)
    os.kill(child, signal.SIGKILL)


def uninterrupted(folder, windows: int):
    """What the same process posts when nobody kills it."""
    with Pipeline(folder, script(), begin_ms=T, interval_ms=4 * STEP) as pipeline:
        for index in range(windows):
            pipeline.play(visible_until(index))
            pipeline.close()
            pipeline.revisit()
        return pipeline.rows()


def test_kills_at_any_moment_lose_nothing_and_post_nothing_twice(nursery, tmp_path):
    moments = random.Random(5)
    for _ in range(KILLS):
        live_and_die(nursery, moments.uniform(0, 0.35))
    nursery.stdin.close()
    nursery.wait(timeout=20)

    ledger = DeltaLedger(str(tmp_path / "killed" / "ledger"))
    last = ledger.last_window("c1")
    assert last is not None
    windows = (last.end_ms - T) // LENGTH_MS
    assert windows > 5, "the workers must have had time to close windows"
    span = Window(T, end_of(windows - 1))
    rows = ledger.rows(span)

    notes = [line.split() for line in (tmp_path / "done").read_text().splitlines() if len(line.split()) == 2]
    posted = Counter(int(start) for start, new in notes if new == "True")
    assert set(posted) <= {row.window.start_ms for row in rows}, "a window that was told to be closed is lost"
    assert max(posted.values()) == 1

    check_totals([row for row in rows if row.revision == 0], script(), span)
    check_totals(rows, script(), span)
    assert difference(rows, uninterrupted(tmp_path / "at-a-stretch", windows), 99, "check") == ()
