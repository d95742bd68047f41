"""A hundred who read beside one who writes: what that costs the writer."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import Window
from support.benchmark import FULL, sizes
from support.ledger_rows import HOUR_0, hour, make_posting
from support.month import rows_of

READERS = 100
TURNS = 3
NOTHING = "nothing that they share but the machine: no lock, no commit is tried again"
PROGRAM = """
import sys, threading, json
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import Window

ledger, span, over = DeltaLedger(sys.argv[1]), Window(int(sys.argv[2]), int(sys.argv[3])), threading.Event()
answers, problems = [], []

def read():
    while not over.is_set():
        try:
            answers.append(len(ledger.snapshot().sums(span, ("team", "model"), {})))
        except Exception as problem:
            problems.append(str(problem))
        over.wait(1)

threads = [threading.Thread(target=read) for _ in range(int(sys.argv[4]))]
for thread in threads:
    thread.start()
while len(answers) < len(threads):
    over.wait(0.01)
print(json.dumps("reading"), flush=True)
sys.stdin.read()
over.set()
for thread in threads:
    thread.join()
print(json.dumps([len(answers), problems]), flush=True)
"""


@contextmanager
def reading(place, span, told):
    """So many readers at work, each of which looks again a second after it was answered."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", PROGRAM, place, str(span.start_ms), str(span.end_ms), str(READERS)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        assert json.loads(process.stdout.readline()) == "reading"
        yield
        process.stdin.close()
        told += json.loads(process.stdout.readline())


def post(ledger, postings):
    """Least seconds of the wall and of our processor for one posting, each of which is one commit."""
    spent = []
    for posting in postings:
        before, wall, processor = ledger.version() or 0, time.perf_counter(), time.process_time()
        assert ledger.post(posting)
        spent.append((time.perf_counter() - wall, time.process_time() - processor))
        assert ledger.version() == before + 1, "a posting is one commit, and none was tried again"
    return [min(seconds) for seconds in zip(*spent, strict=True)]


def test_readers_do_not_hold_up_the_writer(show, tmp_path):
    (rows,), (hours,) = sizes((200,), (20_000,)), sizes((6,), (24,))
    place, told = str(tmp_path / "ledger"), []
    ledger, windows = DeltaLedger(place), map(hour, range(hours + 2 * TURNS))
    postings = [make_posting(*rows_of(rows, window), window=window) for window in windows]
    post(ledger, postings[:hours])
    alone = post(ledger, postings[hours : hours + TURNS])
    with reading(place, Window(HOUR_0.start_ms, hour(hours - 1).end_ms), told):
        beside = post(ledger, postings[hours + TURNS :])
    answers, problems = told
    assert answers >= READERS
    assert problems == []
    wall, processor = (with_them / by_itself for with_them, by_itself in zip(beside, alone, strict=True))
    size = f"{READERS} readers, {rows:,} rows"
    show(
        "a posting beside readers",
        size,
        f"processor x {processor:.2f}",
        "up to 1.1, shown" if FULL else "shown",
        bounds=NOTHING,
    )
    show("  on a machine that they share", f"{os.cpu_count()} processors", f"wall x {wall:.2f}")
    show("  tried again for them", f"{answers:,} answers", "0 commits", "0 commits")
