from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.integration import Coverage, SignalSamples, combine, cover
from aicost.domain.sampling.series import PPB, RawSeries, Signal
from support.samples import ENERGY, ENGINE, STEP, T0, UTIL, context, plain, raw, read

moments = st.integers(0, 400_000)
fractions = st.integers(0, PPB)


@st.composite
def samples(draw: st.DrawFn) -> dict[int, int]:
    return draw(st.dictionaries(moments, fractions, max_size=25))


def coverage(
    found: dict[int, int], span: Window, signal: Signal = Signal.ENGINE_ACTIVE, *, held: bool = True
) -> Coverage:
    times = np.array(sorted(found), np.int64)
    return cover(
        SignalSamples(signal, times, np.array([found[t] for t in times.tolist()], np.int64), STEP), span, held=held
    )


def by_hand(found: dict[int, int], span: Window, part: Window, held: bool, step: int = STEP) -> tuple[int, int]:
    """The rule of coverage, sample by sample, in plain words."""
    settling = 30_000 if held else 60_000
    times = [t for t in sorted(found) if t in span]
    own = [t for t in times if t >= span.start_ms + settling]
    reach = settling + step if own else step
    times = own or (times if held else [])
    active = covered = 0
    for before, at, after in zip([None, *times], times, [*times[1:], None], strict=False):
        if before is None:
            start = span.start_ms if at - span.start_ms <= reach else at - step
        else:
            start = before if at - before <= 2 * step else at - step
        carried = at if after is not None and after - at <= 2 * step else at + step
        end = min(at + 2 * step, span.end_ms) if after is None else carried
        length = max(0, min(end, part.end_ms) - max(start, part.start_ms))
        active, covered = active + found[at] * length, covered + length
    return active, covered


spans = st.tuples(moments, moments).map(lambda pair: Window(min(pair), max(pair)))


@given(samples(), spans, spans, st.booleans())
def test_the_integral_is_the_rule_applied_by_hand(found, span, part, held):
    got = coverage(found, span, held=held).over(part)
    assert (got.active_ppb_ms, got.covered_ms) == by_hand(found, span, part, held)


@given(samples(), samples(), spans, st.lists(moments, min_size=2, max_size=6))
def test_parts_of_a_span_add_up_exactly(primary, fallback, span, cuts):
    both = combine(coverage(primary, span), coverage(fallback, span, Signal.GPU_UTIL))
    for one in (coverage(primary, span), both):
        edges = sorted(cuts)
        parts = [one.over(Window(a, b)) for a, b in pairwise(edges)]
        whole = one.over(Window(edges[0], edges[-1]))
        assert sum(part.active_ppb_ms for part in parts) == whole.active_ppb_ms
        assert sum(part.covered_ms for part in parts) == whole.covered_ms
        assert sum(part.samples for part in parts) == whole.samples


@given(samples(), samples(), spans)
def test_a_fallback_never_changes_what_the_primary_covers(primary, fallback, span):
    alone, other = coverage(primary, span), coverage(fallback, span, Signal.GPU_UTIL)
    both = combine(alone, other)
    everything = Window(0, 500_000)
    a, b, ab = alone.over(everything), other.over(everything), both.over(everything)
    assert max(a.covered_ms, b.covered_ms) <= ab.covered_ms <= min(span.length_ms, a.covered_ms + b.covered_ms)
    assert ab.active_ppb_ms >= a.active_ppb_ms
    starts, ends = both.pieces.start_ms, both.pieces.end_ms
    assert (starts < ends).all() or not len(starts)
    assert (ends[:-1] <= starts[1:]).all()


@given(samples(), spans, spans)
def test_activity_lies_between_nothing_and_everything_covered(found, span, part):
    got = coverage(found, span).over(part)
    assert 0 <= got.active_ppb_ms <= got.covered_ms * PPB
    assert 0 <= got.covered_ms <= part.length_ms
    assert got.error_ppb_ms >= 0


odd = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.29, -1.0, float("nan"), float("inf"), 9.223372036854776e18, 2147483632.0])
rows = st.builds(
    raw,
    st.lists(odd, min_size=1, max_size=6),
    st.sampled_from([ENGINE, UTIL, ENERGY]),
    st.sampled_from(["GPU-1", "GPU-2"]),
    start=st.sampled_from([T0, T0 + STEP, T0 + 4 * STEP]),
    pod=st.sampled_from(["", "a", "b"]),
    namespace=st.just("t"),
    Hostname=st.sampled_from(["n1", "n2"]),
    pod_uid=st.sampled_from(["", "u1"]),
)


@settings(max_examples=60)
@given(st.lists(rows, max_size=8), st.data())
def test_cleaning_does_not_depend_on_order_duplicates_or_delivery(series, data):
    once = read(*series)
    shuffled = [_reordered(one, data) for one in data.draw(st.permutations(series + series[:3]))]
    pieces = [part for one in shuffled for part in _halves(one)]
    assert plain(read(*shuffled)) == plain(once)
    assert plain(read(*pieces)) == plain(once)


@given(st.lists(rows, max_size=8))
def test_each_moment_of_a_device_and_signal_stands_once(series):
    seen = set()
    for one in read(*series, where=context()).series:
        assert (np.diff(one.at_ms) > 0).all()
        for at in one.at_ms.tolist():
            key = (one.device, one.instance, one.signal, at)
            assert key not in seen
            seen.add(key)


def _reordered(series: RawSeries, data: st.DataObject) -> RawSeries:
    order = np.array(data.draw(st.permutations(range(len(series.at_ms)))), np.int64)
    return RawSeries(series.name, series.labels, series.at_ms[order], series.value[order])


def _halves(series: RawSeries) -> list[RawSeries]:
    half = len(series.at_ms) // 2
    return [
        RawSeries(series.name, series.labels, series.at_ms[cut], series.value[cut])
        for cut in (slice(half), slice(half, None))
    ]
