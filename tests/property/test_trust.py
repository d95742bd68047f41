"""Whatever samples show: the judge does not fall over, does not care for order, and what it says does not flap."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.exact.windows import MINUTE_MS
from aicost.domain.sampling.series import PPB, RawSeries
from aicost.domain.trust.blindness import BLIND_AFTER_MS, blind_spans
from aicost.domain.trust.reasons import TrustReason
from aicost.domain.trust.standing import HOLD_MS, NodeTelemetry, settle
from aicost.domain.trust.traces import Trace
from aicost.domain.trust.values import Judged, Trust, found
from support.builders import T0
from support.expositions import NOW, OLD, STEP, judged

NAMES = [OLD.engine, OLD.util, OLD.memory, OLD.energy, "DCGM_FI_DEV_GPU_UTIL_RATIO", "DCGM_FI_DEV_XID_ERRORS"]
VALUES = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(0, 100),
    st.sampled_from([2_147_483_632.0, 2_147_483_635.0, 140_737_488_355_331.0, 9.223372036854775807e18]),
)
LABELS = st.fixed_dictionaries(
    {},
    optional={
        "UUID": st.sampled_from(["GPU-a", "GPU-b", ""]), "Hostname": st.sampled_from(["n1", "n1.x", "else", ""]),
        "pod": st.sampled_from(["p", "q", ""]), "namespace": st.just("a"), "vgpu": st.sampled_from(["0", "1"]),
        "GPU_I_ID": st.sampled_from(["1", "2"]), "pod_uid": st.text(max_size=3), "exported_pod": st.just("r"),
    },
)  # fmt: skip


@st.composite
def series(draw: st.DrawFn) -> RawSeries:
    values = draw(st.lists(VALUES, max_size=12))
    times = draw(st.lists(st.integers(T0 - 10**7, NOW + 10**7), min_size=len(values), max_size=len(values)))
    target = draw(st.sampled_from([("gpu", "exporter-n1"), None]))
    node = draw(st.sampled_from(["n1", None]))
    return RawSeries(
        draw(st.sampled_from(NAMES)), draw(LABELS), np.array(times, np.int64), np.array(values, np.float64), node,
        target, draw(st.sampled_from(["", "in %", "ratio"])),
    )  # fmt: skip


@given(st.lists(series(), max_size=8), st.randoms())
def test_any_samples_get_a_judgement_that_does_not_depend_on_their_order(raw: list[RawSeries], random: object) -> None:
    found_first = judged(raw)
    shuffled = list(raw)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert judged(shuffled) == found_first
    assert len({one.reason for one in found_first.findings}) == len(found_first.findings)


@given(st.lists(st.sets(st.sampled_from(list(TrustReason)), max_size=2), max_size=40))
def test_trust_that_was_lost_stays_away_for_the_hold(looks: list[set[TrustReason]]) -> None:
    node: NodeTelemetry | None = None
    lost_ms = 0
    for minute, reasons in enumerate(looks):
        now_ms = T0 + minute * MINUTE_MS
        one = Judged("n1", findings=tuple(found(reason, "x") for reason in sorted(reasons)))
        (after,) = settle({"n1": node} if node else {}, [one], now_ms)
        if node is None or after.trust is not node.trust:
            assert after.since_ms == now_ms
            assert node is None or after.trust is Trust.NO or now_ms - lost_ms >= HOLD_MS
            lost_ms = now_ms if after.trust is Trust.NO else lost_ms
        node = after


LEVELS = st.lists(st.integers(0, PPB), min_size=1, max_size=120)


@given(LEVELS, st.lists(LEVELS, min_size=1, max_size=3))
def test_blind_spans_are_long_apart_in_order_and_within_the_samples(device: list[int], pods: list[list[int]]) -> None:
    whole = _trace(device)
    found_spans = blind_spans(whole, [_trace(pod) for pod in pods], STEP)
    assert all(span.length_ms > BLIND_AFTER_MS for span in found_spans)
    assert all(one.end_ms <= other.start_ms for one, other in pairwise(found_spans))
    assert all(span.start_ms >= whole.at_ms[0] and span.end_ms <= whole.at_ms[-1] + 1 for span in found_spans)


@given(LEVELS)
def test_pods_that_sum_to_the_device_never_contradict_it(device: list[int]) -> None:
    halves = [value // 2 for value in device]
    rest = [value - half for value, half in zip(device, halves, strict=True)]
    assert blind_spans(_trace(device), [_trace(halves), _trace(rest)], STEP) == ()


def _trace(values: Sequence[int]) -> Trace:
    return Trace(T0 + STEP * np.arange(len(values), dtype=np.int64), np.array(values, np.int64))
