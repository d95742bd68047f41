"""Series that are integrated together come to what each comes to alone, to the last unit."""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.alike.integrals import Asked, integrals
from aicost.domain.sampling.integration import SignalSamples, cover_best
from aicost.domain.sampling.series import PPB, Signal
from aicost.domain.sampling.uncertainty import between, exact_parts
from support.samples import STEP

LONG = 40 * STEP
moments = st.integers(-2 * STEP, LONG)
_SIGNALS = (Signal.ENGINE_ACTIVE, Signal.GPU_UTIL)


@st.composite
def spans(draw: st.DrawFn) -> Window:
    first, last = sorted((draw(moments), draw(moments)))
    return Window(first, last)


@st.composite
def columns(draw: st.DrawFn) -> list[np.ndarray]:
    """A few columns of times, regular or with holes: many devices share one."""
    start, step = draw(st.integers(-STEP, STEP)), draw(st.sampled_from([STEP, STEP // 3, 3 * STEP]))
    regular = np.arange(start, LONG, step, dtype=np.int64)
    holes = draw(st.lists(st.integers(0, max(0, len(regular) - 1)), max_size=8, unique=True))
    odd = np.array(sorted(draw(st.sets(moments, max_size=6))), np.int64)
    return [regular, np.delete(regular, holes), odd]


_All = Sequence[SignalSamples]


@st.composite
def asked(draw: st.DrawFn) -> list[tuple[_All, Asked]]:
    """Questions, and the samples of all signals that each is of."""
    times, some = draw(columns()), [draw(spans()) for _ in range(2)]
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))
    found = []
    for _ in range(draw(st.integers(1, 40))):
        samples = []
        for signal in _SIGNALS[: draw(st.integers(1, 2))]:
            at_ms = times[draw(st.integers(0, 2))]
            value = seed.choice([0, 1, PPB // 2, PPB, int(seed.integers(PPB))], len(at_ms)).astype(np.int64)
            samples.append(SignalSamples(signal, at_ms, value, STEP))
        span, part = draw(st.sampled_from(some)), draw(st.sampled_from(some))
        found.append((samples, Asked(samples[0], len(samples) == 1, span, part, draw(st.booleans()))))
    return found


@given(asked())
def test_series_that_were_read_at_the_same_times_are_integrated_as_each_alone(some: list[tuple[_All, Asked]]) -> None:
    for (samples, one), integral in zip(some, integrals([one for _, one in some]), strict=True):
        if integral is not None:
            coverage = cover_best(samples, one.span, held=one.held)
            assert coverage
            assert integral == coverage.over(one.part)


def test_one_gauge_is_always_answered_together_and_a_second_one_only_where_the_first_leaves_nothing_open():
    times = np.arange(0, LONG, STEP, dtype=np.int64)
    value, span = np.full(len(times), PPB // 3, np.int64), Window(0, LONG)
    whole = [SignalSamples(signal, times, value, STEP) for signal in _SIGNALS]
    holes = [SignalSamples(signal, times[::8], value[::8], STEP) for signal in _SIGNALS]
    counter = [SignalSamples(Signal.BUSY_SECONDS, times, value, STEP)]
    found = integrals(
        [Asked(one[0], len(one) == 1, span, span, held=True) for one in (whole, holes, holes[:1], counter)]
    )
    assert [one is not None for one in found] == [True, False, True, False]


SIZES = st.sampled_from([0.0, 5e-324, 1.0, 3.0, 1e-30, 1e9, 2.0**53 + 2, 1e27, 1e300]) | st.floats(0, 1e30)


@given(st.integers(1, 12).flatmap(lambda width: st.lists(st.lists(SIZES, min_size=width, max_size=width), min_size=1)))
def test_a_few_numbers_sum_to_what_a_row_sums_to_exactly(rows: list[list[float]]) -> None:
    for row, parts in zip(rows, exact_parts(np.array(rows)), strict=True):
        assert sum(map(Fraction, parts)) == sum(map(Fraction, row))


def test_variances_of_an_hour_come_down_to_three_numbers_each():
    chance = np.random.default_rng(1)
    table = between(chance.integers(0, PPB, (20, 280)), np.full(280, STEP, np.int64))
    table[3, :5] = 0
    found = exact_parts(table)
    assert {len(parts) for parts in found} == {3}
    assert [math.fsum(parts) for parts in found] == [math.fsum(row) for row in table.tolist()]
