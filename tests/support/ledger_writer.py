"""A writer that posts window after window until it is killed.

Run as a program it loads what it needs, then starts one writer for each line that it reads. A writer says its process
id when it is about to post. It resumes at the last posted window, as the controller does, and notes each posting that
it was told is done.
"""

import os
import sys
from pathlib import Path

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.difference import difference
from aicost.domain.ledger.rows import Row
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_posting, make_row

ROWS_PER_WINDOW = 3


def rows_of(index: int) -> list[Row]:
    """What the first posting of a window says."""
    return [make_row(cost=index * 100 + device, device=f"GPU-{device}", window=hour(index)) for device in range(3)]


def truth_of(index: int) -> list[Row]:
    """What a window says in the end: each third one is corrected by a second revision."""
    rows = rows_of(index)
    return rows if index % 3 else [make_row(cost=7, device="GPU-0", window=hour(index)), *rows[1:]]


def index_of(window: Window) -> int:
    """The number of a window."""
    return (window.start_ms - HOUR_0.start_ms) // window.length_ms


def write_for_ever(ledger: DeltaLedger, done: Path) -> None:
    """Post until killed."""
    with done.open("a", encoding="utf-8", buffering=1) as notes:
        last = ledger.last_window(CLUSTER)
        index = 0 if last is None else index_of(last)
        sys.stdout.write(f"{os.getpid()}\n")
        sys.stdout.flush()
        while True:
            for revision in _missing(ledger, index):
                posted = _post(ledger, index, revision)
                notes.write(f"{index} {revision} {posted}\n")
            ledger.replace_provisional(CLUSTER, hour(index + 1), rows_of(index + 1))
            index += 1


def _missing(ledger: DeltaLedger, index: int) -> list[int]:
    highest = ledger.revision(CLUSTER, hour(index))
    wanted = [0] if index % 3 else [0, 1]
    return [revision for revision in wanted if highest is None or revision > highest]


def _post(ledger: DeltaLedger, index: int, revision: int) -> bool:
    rows = rows_of(index)
    if revision:
        rows = list(difference(ledger.rows(hour(index)), truth_of(index), revision, "late"))
    return ledger.post(make_posting(*rows, window=hour(index), revision=revision))


def main() -> None:
    """Start writers on demand."""
    place, done = sys.argv[1], Path(sys.argv[2])
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            write_for_ever(DeltaLedger(place), done)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
