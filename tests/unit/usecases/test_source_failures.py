"""However a telemetry source fails, the open window is stated without it, and a closed one waits for an hour."""

import pytest

from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.ledger.rows import Bucket
from aicost.ports.errors import InvalidAnswer, InvalidRequest, NotPermitted, SourceUnavailable
from fleet.builders import node, pod
from fleet.script import Fleet
from fleet.spec import parse
from support.pipeline import GRID, SETTLE_MS, Pipeline

BEGIN = 1_795_600_800_000
HOST = node("gpu-a", booted_ms=BEGIN)
FLEET = Fleet((HOST,), (pod("train", HOST, bound_ms=BEGIN, activity=parse("0.5")),))


class Failing:
    """A source that does nothing but fail."""

    interval_ms = 15_000

    def __init__(self, error):
        self.error = error

    def samples(self, _span):
        raise self.error


@pytest.fixture(params=[SourceUnavailable, InvalidAnswer, NotPermitted, InvalidRequest])
def blind(request, tmp_path):
    """An hour of a cluster whose source fails."""
    with Pipeline(tmp_path, FLEET, begin_ms=BEGIN) as pipeline:
        pipeline.source.source = Failing(request.param("the token is wrong"))
        yield pipeline


def test_the_open_window_is_stated_as_unmeasured_and_says_why(blind):
    blind.play(BEGIN + 60_000)
    (computed,) = blind.refresh()
    assert computed.blind == "the token is wrong"
    assert {row.bucket for row in computed.statement.rows} == {Bucket.ALLOCATED_UNMEASURED}


def test_a_window_that_ended_waits_for_an_hour_and_is_closed_unmeasured_then(blind):
    end_ms = BEGIN + GRID.length_ms
    blind.play(end_ms + SETTLE_MS)
    with pytest.raises(type(blind.source.source.error), match="the token is wrong"):
        blind.close()
    (closed,) = blind.close(end_ms + HOUR_MS)[:1]
    assert closed.computed.blind == "the token is wrong"
    assert sum(row.gpu_milliseconds for row in closed.computed.statement.rows) == GRID.length_ms
