"""The same failure says the same each time, so that it is told once while it lasts."""

import threading

import pytest

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.failures import unavailable
from support.ledger_rows import CLUSTER, hour, make_row

SAID = "Error performing GET http://s3.example/l/rows in {} - HTTP error -> error sending request"


@pytest.mark.parametrize("took", ["191.347µs", "1.001200509s", "13.5ms", "927.561μs", "8ns", "2s"])
def test_how_long_it_took_is_no_part_of_what_went_wrong(took):
    told = str(unavailable("read", "s3://l", OSError(SAID.format(took))))
    assert told == str(unavailable("read", "s3://l", OSError(SAID.format("1ms"))))
    assert "http://s3.example/l/rows - HTTP error" in told
    assert "the object store does not answer" in told


def test_half_a_file_of_the_open_window_is_read_again(tmp_path):
    ledger = DeltaLedger(str(tmp_path))
    ledger.replace_provisional(CLUSTER, hour(0), [make_row(10, window=hour(0))])
    (file,) = (tmp_path / "provisional").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    writer = threading.Timer(0.08, file.write_bytes, [whole])
    writer.start()
    assert len(ledger.snapshot().rows(hour(0), provisional=True)) == 1
    writer.join()
