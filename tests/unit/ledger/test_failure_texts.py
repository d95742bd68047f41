"""The same failure says the same each time, so that it is told once while it lasts."""

import pytest

from aicost.adapters.ledger.failures import unavailable

SAID = "Error performing GET http://s3.example/l/rows in {} - HTTP error -> error sending request"


@pytest.mark.parametrize("took", ["191.347µs", "1.001200509s", "13.5ms", "927.561μs", "8ns", "2s"])
def test_how_long_it_took_is_no_part_of_what_went_wrong(took):
    told = str(unavailable("read", "s3://l", OSError(SAID.format(took))))
    assert told == str(unavailable("read", "s3://l", OSError(SAID.format("1ms"))))
    assert "http://s3.example/l/rows - HTTP error" in told
    assert "the object store does not answer" in told
