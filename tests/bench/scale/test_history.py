"""A month of a large cluster in the ledger: how fast it is summed and in how much memory."""

import os
import subprocess
import sys

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import HOUR_MS, Window
from support.benchmark import processor_seconds, sizes
from support.ledger_rows import HOUR_0
from support.month import make_month

KEYS = ("team", "model")
MOST_MIB = 1_024
FIRST = "reading Parquet and 24 exact sums: sums of finished days are kept until their files change"
AGAIN = "the day that is not finished, and the list of files"
PROGRAM = """
import resource, sys, time
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import HOUR_MS, Window
from support.ledger_rows import make_posting, make_row
place, span = sys.argv[1], Window(int(sys.argv[2]), int(sys.argv[3]))
ledger, next_hour = DeltaLedger(place), Window(span.end_ms, span.end_ms + HOUR_MS)

def ask(until):
    began = time.perf_counter()
    found = ledger.sums(Window(span.start_ms, until), ("team", "model"), {})
    return sum(one.cost_nanos or 0 for one in found), time.perf_counter() - began

first, cold = ask(span.end_ms)
ledger.post(make_posting(make_row(cost=7, window=next_hour), window=next_hour))
found, warm = ask(next_hour.end_ms)
assert found == first + 7
print(first, cold, warm, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_a_month_is_grouped_by_two_dimensions(show, tmp_path):
    (rows,), (hours,) = sizes((200,), (20_000,)), sizes((48,), (720,))
    place = str(tmp_path / "ledger")
    expected = make_month(place, rows, hours)
    span = Window(HOUR_0.start_ms, HOUR_0.start_ms + hours * HOUR_MS)

    def total():
        return sum(one.cost_nanos or 0 for one in DeltaLedger(place).sums(span, KEYS, {}))  # remembers no answer

    assert total() == expected
    size = f"{rows * hours:,} rows"
    show("a month by team and model", size, f"{processor_seconds(total):.2f} s of processor", bounds=FIRST)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", PROGRAM, place, str(span.start_ms), str(span.end_ms)]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    assert int(said[0]) == expected
    peak = int(said[3]) / 1_024
    show("  asked for the first time", size, f"{float(said[1]):.2f} s")
    show("  again, after an hour was posted", size, f"{float(said[2]):.2f} s", "below 1 s, shown", bounds=AGAIN)
    show("  in a process of its own", size, f"{peak:,.0f} MiB at most", f"{MOST_MIB:,} MiB")
    assert peak < MOST_MIB
