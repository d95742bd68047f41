"""What samples say of one pod on one device, slice by slice."""

from collections.abc import Callable

import numpy as np

from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.idle.slices import HELD_BYTES, SLICE_MS, UNKNOWN, Slices, series_of, slices_of
from aicost.domain.sampling.series import PPB, DeviceSeries, Signal
from support.builders import T0

WINDOW = Window(T0, T0 + HOUR_MS)
STEP = 30_000
COUNT = HOUR_MS // SLICE_MS
POD = ("a", "p")


def gauge(signal: Signal, value: Callable[[int], int], *, until: int = 60, instance: str | None = None) -> DeviceSeries:
    """A series by the minute."""
    at_ms = np.arange(T0, T0 + until * MINUTE_MS, STEP, dtype=np.int64)
    values = np.array([value((at - T0) // MINUTE_MS) for at in at_ms.tolist()], np.int64)
    return DeviceSeries(signal, "GPU-1", instance, "n1", POD, None, None, at_ms, values)


def engine(level: float) -> DeviceSeries:
    return gauge(Signal.ENGINE_ACTIVE, lambda _: int(level * PPB))


def memory(gibibytes: int) -> DeviceSeries:
    return gauge(Signal.MEMORY_USED, lambda _: gibibytes * HELD_BYTES)


def cut(*series: DeviceSeries, hold: Window = WINDOW) -> Slices:
    return slices_of(series, hold, WINDOW)


def test_memory_that_is_held_while_nothing_computes_is_resident():
    assert cut(engine(0.0), memory(40)).resident.all()
    assert not cut(engine(0.0), memory(0)).resident.any()
    assert not cut(engine(0.3), memory(40)).resident.any()


def test_a_device_whose_memory_or_sms_work_is_not_quiet():
    """Decoding is bound by memory: the engine's gauge may be low while tokens come."""
    for signal in (Signal.DRAM_ACTIVE, Signal.SM_ACTIVE):
        assert not cut(engine(0.0), memory(40), gauge(signal, lambda _: PPB // 10)).resident.any()
        assert cut(engine(0.0), memory(40), gauge(signal, lambda _: 0)).resident.all()


def test_what_is_not_known_is_never_resident_and_never_idle():
    """A utilisation that is absent is unknown, not 0."""
    dark = cut(memory(40))
    assert (dark.busy == UNKNOWN).all()
    assert not dark.resident.any()
    assert not dark.idle.any()
    assert not cut(engine(0.0)).resident.any(), "memory is not known"
    half = cut(gauge(Signal.ENGINE_ACTIVE, lambda _: 0, until=30), memory(40))
    assert half.resident.tolist() == [True] * 6 + [False] * 6


def test_the_coarse_utilisation_fills_in_where_the_engine_is_not_shown():
    coarse = gauge(Signal.GPU_UTIL, lambda _: PPB // 2)
    found = cut(gauge(Signal.ENGINE_ACTIVE, lambda _: 0, until=30), coarse)
    assert found.busy.tolist() == [0] * 6 + [PPB // 2] * 6


def test_only_the_time_that_the_pod_held_the_device_counts():
    found = cut(engine(0.0), memory(40), hold=Window(T0 + 7 * MINUTE_MS, T0 + 20 * MINUTE_MS))
    assert found.held_ms.tolist() == [0, 3 * MINUTE_MS, SLICE_MS, SLICE_MS, *[0] * (COUNT - 4)]
    assert int(found.idle.sum()) == 13 * MINUTE_MS * PPB


def test_an_instance_speaks_for_itself_and_those_of_others_are_left_out():
    own, other = (gauge(Signal.ENGINE_ACTIVE, lambda _, level=level: level, instance=name)
                  for name, level in (("1", 0), ("2", PPB)))  # fmt: skip
    whole = DeviceSeries(Signal.ENGINE_ACTIVE, "GPU-1", None, "n1", None, None, None, own.at_ms, own.value + PPB // 2)
    foreign = DeviceSeries(other.signal, "GPU-1", "2", "n1", ("a", "q"), None, None, other.at_ms, other.value)
    mine = series_of([own, foreign, whole], "GPU-1", [POD])
    assert mine == [own, whole]
    assert slices_of(mine, WINDOW, WINDOW).busy.tolist() == [0] * COUNT


def test_of_memory_that_is_shared_nothing_tells_whose_it_is():
    found = slices_of([engine(0.0), memory(40)], WINDOW, WINDOW, alone=False)
    assert not found.resident.any()
    assert (found.memory == UNKNOWN).all()
    assert found.idle.all(), "it is idle all the same"
