"""While a window is gathered and stated the collector of cycles waits, and goes on however that ends."""

import gc

import pytest

from aicost.ports.errors import SourceUnavailable
from aicost.usecases import compute_window
from aicost.usecases.uncollected import uncollected
from fleet.builders import node, pod
from fleet.script import Fleet
from fleet.spec import parse
from support.pipeline import Pipeline

BEGIN = 1_795_600_800_000
HOST = node("gpu-a", booted_ms=BEGIN)
FLEET = Fleet((HOST,), (pod("train", HOST, bound_ms=BEGIN, activity=parse("0.5")),))


@pytest.fixture(autouse=True)
def collecting():
    gc.enable()
    yield
    gc.enable()


class Watching:
    """A source that sees whether the collector waits, and fails."""

    interval_ms = 15_000
    waits = None

    def samples(self, _span):
        self.waits = not gc.isenabled()
        raise SourceUnavailable("no route to host")


def test_it_waits_while_a_window_is_gathered_and_stated(tmp_path, monkeypatch):
    seen, state_window = [], compute_window.state_window

    def stated(given):
        seen.append(gc.isenabled())
        return state_window(given)

    monkeypatch.setattr(compute_window, "state_window", stated)
    with Pipeline(tmp_path, FLEET, begin_ms=BEGIN) as pipeline:
        pipeline.play(BEGIN + 60_000)
        pipeline.refresh()
    assert seen == [False]
    assert gc.isenabled()


def test_it_goes_on_where_the_source_fails(tmp_path):
    with Pipeline(tmp_path, FLEET, begin_ms=BEGIN) as pipeline:
        pipeline.source.source = source = Watching()
        pipeline.play(BEGIN + 60_000)
        with pytest.raises(SourceUnavailable):
            pipeline.compute.gather(pipeline.grid.containing(BEGIN), BEGIN + 60_000, may_be_blind=False)
    assert source.waits
    assert gc.isenabled()


def test_it_stays_off_where_somebody_else_turned_it_off():
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()


def test_of_several_at_once_the_one_that_made_it_wait_lets_it_go_on():
    first, second = uncollected(), uncollected()
    first.__enter__()
    second.__enter__()
    second.__exit__(None, None, None)
    assert not gc.isenabled()
    first.__exit__(None, None, None)
    assert gc.isenabled()
