"""Kinds of idle money are a division of the ledger's buckets: whatever was measured, they add up to the nano."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.idle.assessing import PodOnDevice, assess, idle_nanos, place_of
from aicost.domain.idle.kinds import IDLE_BUCKETS, Phase
from aicost.domain.idle.scaling import Load, waste_of
from aicost.domain.idle.slices import SLICE_MS, UNKNOWN, Slices
from aicost.domain.ledger.rows import Bucket, Component, Holder, Method, Place, Quality, Row
from aicost.domain.sampling.series import PPB
from support.builders import T0

WINDOWS = [Window(T0 + start * MINUTE_MS, T0 + (start + 15) * MINUTE_MS) for start in (0, 15, 30)]
SLICES = 3
PODS = ("a-0", "a-1", "b-0", "")


@st.composite
def rows(draw: st.DrawFn) -> Row:
    pod = draw(st.sampled_from(PODS))
    kind = draw(st.sampled_from(["Deployment", "Job", ""])) if pod else ""
    dimensions = draw(st.sampled_from([{}, {"team": "t", "model": "m"}, {"workload-type": "training"}]))
    holder = Holder("n", pod, pod, kind, pod[:1], dimensions=dimensions) if pod else Holder()
    cost = draw(st.one_of(st.none(), st.integers(-(10**6), 10**12)))
    return Row(
        window=draw(st.sampled_from(WINDOWS)),
        revision=draw(st.integers(0, 2)),
        component=draw(st.sampled_from([Component.GPU, Component.GPU, Component.CPU])),
        place=Place("c", "n1", draw(st.sampled_from(["GPU-0", "GPU-1"]))),
        holder=holder,
        bucket=draw(st.sampled_from(list(Bucket))),
        method=Method.EXCLUSIVE,
        quality=Quality.MEASURED_GAUGE,
        signal="",
        currency="" if cost is None else draw(st.sampled_from(["USD", "EUR"])),
        cost_nanos=cost,
        gpu_milliseconds=draw(st.integers(-1000, 10**6)),
        measured_milliseconds=0,
    )


@st.composite
def slices(draw: st.DrawFn) -> Slices:
    def column(low: int, high: int) -> np.ndarray:
        return np.array(draw(st.lists(st.integers(low, high), min_size=SLICES, max_size=SLICES)), np.int64)

    busy = column(UNKNOWN, PPB)
    resident = np.array(draw(st.lists(st.booleans(), min_size=SLICES, max_size=SLICES))) & (busy != UNKNOWN)
    return Slices(column(0, SLICE_MS), busy, column(UNKNOWN, 10**11), resident)


@given(st.lists(rows(), max_size=30), st.data())
def test_the_kinds_add_up_to_the_buckets(some: Sequence[Row], data: st.DataObject) -> None:
    places = list(dict.fromkeys(place_of(row) for row in some if row.holder.pod))
    told = data.draw(st.lists(st.sampled_from(places), unique=True)) if places else []
    samples: dict[PodOnDevice, Slices] = {place: data.draw(slices()) for place in told}
    report = assess(some, samples, Window(T0, T0 + 45 * MINUTE_MS), 45 * MINUTE_MS)
    for currency, nanos in idle_nanos(some).items():
        assert sum(line.cost_nanos for line in report.lines if line.key.currency == currency) == nanos
    idle = [row for row in some if row.component is Component.GPU and row.bucket in IDLE_BUCKETS]
    assert sum(line.gpu_milliseconds for line in report.lines) == sum(row.gpu_milliseconds for row in idle)
    assert sum(report.total_nanos.values()) == sum(
        row.cost_nanos or 0 for row in some if row.component is Component.GPU
    )


LOADS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6 * PPB), st.booleans()), max_size=30)


@given(LOADS)
def test_waste_is_never_more_than_the_replicas_beyond_one_nor_than_what_was_idle(some: list) -> None:
    loads = {
        index * SLICE_MS: Load(replicas, min(busy, replicas * PPB), known=known)
        for index, (replicas, busy, known) in enumerate(some)
    }
    for at, waste in waste_of(loads).items():
        load, too_many = loads[at], sum(waste.phases.values())
        assert 0 < too_many <= load.replicas - 1
        assert 0 <= waste.share <= 1
        assert load.known
        assert Phase.NONE not in waste.phases
