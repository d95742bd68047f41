"""A process that plays a fleet, closes windows and revisits them until it is killed, as the controller would.

Run as a program it loads what it needs, then starts one worker for each line that it reads: on the same folder, from
where the last one was ended. A worker says its process id when it begins, and notes each posting that it was told is
done.
"""

import os
import sys
from fractions import Fraction
from pathlib import Path

from aicost.domain.exact.windows import MINUTE_MS
from fleet.activity import Duty
from fleet.builders import node, pod
from fleet.script import Fleet, SimExporter
from support.pipeline import GRID, SETTLE_MS, STEP, Pipeline

T = 1_795_600_800_000
WINDOWS = 400
"""More than any run closes before it is killed."""
LENGTH_MS = GRID.length_ms


def script() -> Fleet:
    """One GPU under pods that follow each other, three in two windows."""
    spare = ("power", "fb_free", "fb_used", "xid", "util")
    host = node("gpu-a", exporters=(SimExporter(without=spare),))
    load = Duty(Fraction(9, 10), Fraction(1, 10), 7 * MINUTE_MS, 3 * MINUTE_MS)
    life = 10 * MINUTE_MS
    pods = [
        pod(f"p-{k}", host, activity=load, bound_ms=T + k * life, finished_ms=T + (k + 1) * life - MINUTE_MS)
        for k in range(WINDOWS * LENGTH_MS // life)
    ]
    return Fleet((host,), tuple(pods))


def end_of(index: int) -> int:
    """End of a window, by its number."""
    return T + (index + 1) * LENGTH_MS


def visible_until(index: int) -> int:
    """What a run has seen when it closes a window; the samples of its last minutes come later."""
    return end_of(index) + SETTLE_MS + STEP


def work(folder: Path, done: Path) -> None:
    """Play and close window after window until killed; what was played and not kept is played again."""
    with Pipeline(folder, script(), begin_ms=T, interval_ms=4 * STEP) as pipeline, done.open("a", buffering=1) as notes:
        sys.stdout.write(f"{os.getpid()}\n")
        sys.stdout.flush()
        last = pipeline.ledger.last_window("c1")
        index = 0 if last is None else (last.end_ms - T) // LENGTH_MS
        while True:
            _resume(pipeline, max(T, end_of(index - 2)))
            pipeline.play(visible_until(index))
            pipeline.journal.flush()
            pipeline.inventory.flush()
            pipeline.refresh()
            for closed in pipeline.close():
                notes.write(f"{closed.window.start_ms} {closed.posted}\n")
            pipeline.revisit()
            index += 1


def _resume(pipeline: Pipeline, since_ms: int) -> None:
    """Tell again what a restart may have lost: a repeated event and a repeated scrape change nothing."""
    if pipeline.now_ms <= since_ms:
        pipeline.go_to(since_ms)


def main() -> None:
    """Start workers on demand."""
    folder, done = Path(sys.argv[1]), Path(sys.argv[2])
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            work(folder, done)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
