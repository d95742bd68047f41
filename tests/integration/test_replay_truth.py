"""Bundles of the simulator, replayed by the command line: the ledger against the truth and the live pipeline."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.ledger.difference import identity
from aicost.domain.ledger.rows import Row
from aicost.entrypoints.cli.replay.run import Wanted, replay
from aicost.entrypoints.cli.replay.summary import ReplaySummary
from support.bills import billed, check_holdings, check_totals, due
from support.bundles import of_fleet
from support.pipeline import Pipeline, Way
from support.scripts import random_fleet

T = 1_795_600_800_000
BEGIN, END = T - 5 * MINUTE_MS, T + 15 * MINUTE_MS
SPAN = Window(BEGIN, END)


def replayed(bundle: Path, ledger: Path) -> tuple[ReplaySummary, Sequence[Row]]:
    summary = replay(Wanted(str(bundle), str(ledger)), lambda _: None)
    return summary, DeltaLedger(str(ledger)).rows(SPAN, cluster="c1")


def plain(rows: Iterable[Row]) -> list[tuple[object, ...]]:
    return sorted(
        (
            str(identity(row)), row.window, row.cost_nanos or 0, row.gpu_milliseconds, row.measured_milliseconds,
            row.error_nanos or 0, row.flags,
        )
        for row in rows
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_a_replay_is_the_truth_of_the_script_and_equal_to_the_live_pipeline(seed, tmp_path):
    fleet = random_fleet(seed, BEGIN, END)
    summary, rows = replayed(of_fleet(tmp_path / "bundle", fleet, BEGIN, END), tmp_path / "ledger")
    check_totals(rows, fleet, SPAN)
    check_holdings(billed(rows), due(fleet, SPAN))
    assert summary.posted == 2
    assert summary.unbalanced_nanos == 0
    with Pipeline(tmp_path / "live", fleet, begin_ms=BEGIN, way=Way.PROMETHEUS) as pipeline:
        pipeline.finish(END)
        pipeline.play(END + 10 * MINUTE_MS)
        pipeline.revisit()
        live = pipeline.ledger.rows(SPAN, cluster="c1")
    assert plain(rows) == plain(live)
