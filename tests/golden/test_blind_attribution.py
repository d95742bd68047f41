"""Where pods contradict their GPU for ten minutes the split falls back to what they reserved."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from aicost.domain.attribution.window import state_window
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS
from aicost.domain.inventory.nodes import SharingMode
from aicost.domain.ledger.rows import Bucket, Quality, Row
from support.receipts import PADDING_MS, WINDOW, a_node, a_pod, inputs, prices
from support.samples import UTIL, raw, read

STEP = 30_000
Load = Callable[[int], float]
"""Percent of the GPU, by the minute of the window."""


def steady(value: float) -> Load:
    return lambda _: value


def _series(load: Load, **labels: str) -> object:
    start = WINDOW.start_ms - PADDING_MS
    times = range(start, WINDOW.end_ms + PADDING_MS, STEP)
    values = [load((at - WINDOW.start_ms) // MINUTE_MS) for at in times]
    return raw(values, UTIL, start=start, step=STEP, target_node="gpu-1", **labels)


def bill(device: Load, *pods: Load) -> Sequence[Row]:
    """Rows of one GPU at $4 an hour, in two slots that two pods hold."""
    node = a_node("gpu-1", 1).record()
    offered = {"nvidia.com/gpu": 2}
    shared = {"sharing": SharingMode.TIME_SLICING, "slots_per_gpu": 2, "capacity": offered, "allocatable": offered}
    node = replace(node, facts=replace(node.facts, **shared))
    records = [a_pod(f"p{index}").record() for index in range(len(pods))]
    records = [replace(one, facts=replace(one.facts, devices={"nvidia.com/gpu": 1})) for one in records]
    shown = [_series(device)]
    shown += [_series(load, namespace="team-a", pod=f"p{index}", vgpu=str(index)) for index, load in enumerate(pods)]
    series = read(*shown, now=WINDOW.end_ms + HOUR_MS).series
    statement = state_window(inputs(records, [node], series, books=[prices(4)]))
    assert statement.unbalanced_nanos == 0
    return [row for row in statement.rows if row.component == "gpu"]


def dollars(rows: Sequence[Row], bucket: Bucket) -> dict[str, Fraction]:
    found: dict[str, Fraction] = defaultdict(Fraction)
    for row in rows:
        if row.bucket is bucket:
            found[row.holder.pod] += Fraction(row.cost_nanos or 0, 1_000_000_000)
    return dict(found)


@pytest.mark.parametrize("level", [0, 1])
def test_pods_that_read_next_to_nothing_on_a_busy_gpu_share_its_use_by_what_they_reserved(level):
    rows = bill(steady(80), steady(level), steady(level))
    assert dollars(rows, Bucket.USED) == {"p0": Fraction(8, 5), "p1": Fraction(8, 5)}
    assert {row.quality for row in rows if row.bucket is Bucket.USED} == {Quality.ESTIMATED}
    assert dollars(rows, Bucket.UNATTRIBUTED) == {}


def test_a_pod_that_claims_more_than_its_gpu_does_is_not_believed():
    rows = bill(steady(30), steady(90), steady(1))
    assert dollars(rows, Bucket.USED) == {"p0": Fraction(3, 5), "p1": Fraction(3, 5)}


def test_pods_that_explain_a_part_are_believed_and_the_rest_is_nobodys():
    rows = bill(steady(80), steady(10), steady(30))
    assert dollars(rows, Bucket.USED) == {"p0": Fraction(2, 5), "p1": Fraction(6, 5)}
    assert dollars(rows, Bucket.UNATTRIBUTED) == {"": Fraction(8, 5)}


def test_less_than_ten_minutes_are_believed():
    def short(minute: int) -> float:
        return 1 if 10 <= minute < 18 else 40

    rows = bill(steady(80), short, short)
    assert dollars(rows, Bucket.UNATTRIBUTED)[""] > Fraction(1, 4)
    assert {row.quality for row in rows} == {Quality.MEASURED_GAUGE}
