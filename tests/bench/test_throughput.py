"""How fast an answer of an exporter is read, and a window posted and summed; reading is judged by its operations."""

from functools import partial

from aicost.adapters.dcgm.exposition import parse
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import Window
from fleet.builders import node, pod
from fleet.exporter.text import Exporter
from fleet.script import Fleet
from fleet.spec import parse as program
from support.benchmark import operations, processor_seconds, ratio, sizes
from support.ledger_rows import HOUR_0, hour, make_holder, make_posting, make_row

TOLERANCE = 0.3


def exposition(gpus):
    """One answer of an exporter of a machine with so many GPUs, half of them held."""
    host = node("gpu-a", gpus=gpus)
    fleet = Fleet((host,), (pod("train", host, gpus=gpus // 2, activity=program("0.7")),))
    return Exporter(fleet, host.name, 0).answer(600_000).body


def test_reading_an_exposition_is_linear_in_its_lines(show):
    bodies = {gpus: exposition(gpus) for gpus in (8, 64)}
    lines = {gpus: body.count(b"\n") for gpus, body in bodies.items()}
    for gpus, body in bodies.items():
        found = parse(body)
        assert found.defects == 0
        assert {reading.labels["UUID"] for reading in found.readings} >= {
            gpu.uuid for gpu in node("gpu-a", gpus=gpus).gpus
        }
        seconds = processor_seconds(partial(parse, body))
        show("exposition, one answer", f"{lines[gpus]:,} lines", f"{lines[gpus] / seconds:,.0f} lines/s")
    counts = {gpus: operations(partial(parse, body)) for gpus, body in bodies.items()}
    grown = ratio(counts[8], counts[64], lines[64] / lines[8])
    show(
        "exposition, one answer", f"{lines[8]} to {lines[64]} lines", f"operations x {grown:.3f} per line", "up to 1.3"
    )
    assert grown < 1 + TOLERANCE


def window_rows(count, window):
    """Rows of one window: pods of many teams, each with three amounts."""
    holders = [
        make_holder(f"team-{i % 20}", f"job-{i}", team=f"team-{i % 20}", model=f"model-{i % 50}") for i in range(count)
    ]
    return [
        make_row(1_000 + i, window=window, device=f"GPU-{i}", node=f"node-{i // 8}", holder=holder)
        for i, holder in enumerate(holders)
    ]


def test_windows_are_posted_and_summed(show, tmp_path):
    (rows,), (windows,) = sizes((500,), (20_000,)), sizes((3,), (12,))
    ledger = DeltaLedger(str(tmp_path / "ledger"))
    postings = [make_posting(*window_rows(rows, hour(i)), window=hour(i)) for i in range(windows)]
    spent = [processor_seconds(partial(ledger.post, posting), repeats=1) for posting in postings]
    show("ledger, one posting", f"{rows:,} rows", f"{1e3 * sorted(spent)[windows // 2]:,.0f} ms of processor")
    span = Window(HOUR_0.start_ms, hour(windows - 1).end_ms)

    def total(keys):
        return DeltaLedger(str(tmp_path / "ledger")).sums(span, keys, {})  # a new one remembers no answer

    for keys in (("namespace",), ("team", "model")):
        found = total(keys)
        assert sum(one.cost_nanos or 0 for one in found) == windows * sum(1_000 + i for i in range(rows))
        seconds = processor_seconds(partial(total, keys))
        show(
            f"ledger, sums by {' and '.join(keys)}", f"{rows * windows:,} rows", f"{1e3 * seconds:,.0f} ms of processor"
        )
