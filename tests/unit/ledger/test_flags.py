"""Device time by the flags of rows."""

from dataclasses import replace

import pytest

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.ports.ledger import Posting
from support.ledger_rows import make_row

T = 1_795_600_800_000


def posted(ledger: DeltaLedger, number: int, *flagged: tuple[tuple[str, ...], int]) -> None:
    window = Window(T + number * HOUR_MS, T + (number + 1) * HOUR_MS)
    rows = tuple(replace(make_row(window=window), flags=flags, gpu_milliseconds=time_ms) for flags, time_ms in flagged)
    ledger.post(Posting(rows[0].place.cluster, window, 0, rows))


@pytest.fixture
def ledger(tmp_path) -> DeltaLedger:
    found = DeltaLedger(str(tmp_path / "ledger"))
    posted(found, 0, (("backfill", "ksm"), 100), (("backfill",), 30), ((), 7))
    posted(found, 1, (("backfill", "gap"), 1_000))
    return found


def test_time_is_added_up_flag_by_flag_and_as_a_whole(ledger):
    whole = ledger.snapshot().flagged(Window(T, T + 2 * HOUR_MS), {})
    assert whole == {"": 1_137, "backfill": 1_130, "ksm": 100, "gap": 1_000}


def test_only_whole_windows_of_the_span_and_rows_that_pass_count(ledger):
    snapshot = ledger.snapshot()
    assert snapshot.flagged(Window(T, T + HOUR_MS), {})[""] == 137
    assert snapshot.flagged(Window(T, T + 2 * HOUR_MS), {"namespace": ("nobody",)}) == {"": 0}


def test_an_empty_ledger_has_no_time(tmp_path):
    assert DeltaLedger(str(tmp_path / "none")).snapshot().flagged(Window(T, T + HOUR_MS), {}) == {"": 0}
