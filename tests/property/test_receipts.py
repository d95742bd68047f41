"""Whatever happens in a small world: what its inputs say is what the ledger says, whole or node by node."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from aicost.adapters.ledger.inputs.codec import decode, encode, known_fields
from aicost.adapters.ledger.inputs.columns import packed, unpacked
from aicost.adapters.ledger.inputs.parts import SHARED, STORAGE, join, parts_of_node, split
from aicost.adapters.ledger.inputs.shaping import shaped
from aicost.adapters.ledger.schema import to_table
from aicost.domain.attribution.resources.use import ClusterUse, Levels, PodUse
from aicost.domain.attribution.sharing.choosing import NodeRules, Rules, SharingPolicy, SlotRule
from aicost.domain.attribution.sharing.rules import SplitRule
from aicost.domain.attribution.window import WindowInput, state_window
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.inventory.nodes import SharingMode
from aicost.domain.inventory.volumes import VolumeFacts, VolumeRecord
from aicost.domain.pricing.books import PriceBook
from aicost.domain.receipts.subjects import SubjectKind
from aicost.domain.sampling.series import Signal
from support.builders import T0
from support.receipts import WINDOW, Kept, a_node, a_pod, at, busy, inputs, prices

MINUTES = st.integers(-70, 70)
SIGNALS = (
    Signal.ENGINE_ACTIVE,
    Signal.GPU_UTIL,
    Signal.ENERGY,
    Signal.BUSY_SECONDS,
    Signal.POD_UTIL,
    Signal.POD_SECONDS,
)
RULES = st.builds(Rules, st.sampled_from(SplitRule), st.sampled_from(SlotRule))
POLICIES = st.builds(
    SharingPolicy,
    RULES,
    st.lists(st.builds(NodeRules, st.just({"pool": "a"}), st.none() | st.sampled_from(SplitRule)), max_size=1).map(
        tuple
    ),
)
NODES = ("gpu-1", "gpu-2")
NAMES = ("a-0", "a-1", "b-0", "ghost-0")
GIB = 2**30


@st.composite
def nodes(draw, name):
    record = a_node(name, draw(st.integers(0, 3))).record(until_ms=draw(st.none() | st.integers(1, 70).map(at)))
    sharing, slots = draw(st.sampled_from([(SharingMode.EXCLUSIVE, 1), (SharingMode.TIME_SLICING, 3)]))
    facts = replace(record.facts, sharing=sharing, slots_per_gpu=slots)
    cut = at(draw(st.integers(1, 59)))
    unhealthy = ((Window(cut, T0 + 2 * HOUR_MS), 1),) if draw(st.booleans()) else ()
    return replace(record, facts=facts, unhealthy=unhealthy)


@st.composite
def pods(draw, name):
    node, start = draw(st.sampled_from(NODES)), draw(MINUTES)
    pod = a_pod(name, node, draw(st.integers(0, 2)), draw(st.sampled_from(["team-a", "team-b"]))).bound(at(start))
    record = pod.record(until_ms=draw(st.none() | st.integers(1, 90).map(lambda length: at(start + length))))
    mounts = draw(st.sampled_from([(), ("data",), ("data", "logs")]))
    facts = replace(
        record.facts,
        volumes=mounts,
        cpu_millis=draw(st.integers(0, 96_000)),
        memory_bytes=draw(st.integers(0, 512)) * GIB,
    )
    gap = record.held_until_ms and Window(record.held_until_ms, record.held_until_ms + 5 * MINUTE_MS)
    return replace(record, facts=facts, gap=gap if gap and draw(st.booleans()) else None)


@st.composite
def series(draw):
    node = draw(st.sampled_from((*NODES, "gpu-1")))
    gap = Window(at(start := draw(MINUTES)), at(start + draw(st.integers(0, 40))))
    pod = draw(st.sampled_from([None, *(("team-a", name) for name in NAMES)]))
    device = f"GPU-{node}-{draw(st.integers(0, 2))}"
    found = busy(device, node, pod, draw(st.floats(0, 0.9)), gap=gap, signal=draw(st.sampled_from(SIGNALS)))
    if draw(st.booleans()) or found.signal in (Signal.ENERGY, Signal.POD_UTIL):
        return found
    profile = draw(st.sampled_from(["1g.10gb", "3g.40gb"]))
    return replace(found, instance=str(draw(st.integers(1, 2))), profile=profile)


@st.composite
def uses(draw):
    starts = np.array([at(0), at(20), at(50)], np.int64)
    level = np.array([draw(st.integers(0, 10**8)) for _ in starts], np.int64)
    levels = Levels(starts, starts + 10 * MINUTE_MS, level)
    return PodUse(levels, levels)


@st.composite
def claims(draw):
    names = draw(st.lists(st.sampled_from(["data", "logs"]), unique=True))
    facts = [
        VolumeFacts(f"uid-{one}", "team-a", one, 0, "fast", draw(st.integers(1, 900)) * GIB, True) for one in names
    ]
    return tuple(VolumeRecord(one, since_ms=at(draw(MINUTES))) for one in facts)


@st.composite
def worlds(draw) -> WindowInput:
    shown = draw(
        st.lists(series(), max_size=8, unique_by=lambda one: (one.device, one.instance, one.signal, one.holder))
    )
    books = [prices(draw(st.integers(1, 9)) / 7, draw(st.none() | st.integers(1, 59)))] if draw(st.booleans()) else []
    given_ = inputs(
        [draw(pods(name)) for name in draw(st.lists(st.sampled_from(NAMES[:3]), unique=True, min_size=1))],
        [draw(nodes(name)) for name in NODES],
        shown or [busy("GPU-gpu-1-0")],
        use=ClusterUse({("team-a", "a-0"): draw(uses())}),
        sharing=draw(POLICIES),
    )
    past = frozenset({("team-a", "ghost-0")}) if draw(st.booleans()) else frozenset()
    books = [replace(one, storage_classes={"fast": 100_000_000}) for one in books]
    return replace(given_, books=tuple(books), facts=replace(given_.facts, past_pods=past, volumes=draw(claims())))


def rows_of(given_, node=None):
    """Rows as the ledger keeps them, in whatever order."""
    rows = [row for row in state_window(given_).rows if node in (None, row.place.node)]
    return sorted(map(str, to_table(rows).to_pylist()))


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_inputs_that_were_split_and_joined_state_the_same(world):
    parts = split(world)
    assert rows_of(join(parts)) == rows_of(world)
    for node in (*NODES, STORAGE):
        names = [name for name in (*SHARED, *parts_of_node(node)) if name in parts]
        assert rows_of(join({name: parts[name] for name in names}), node) == rows_of(world, node)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), worlds())
def test_a_receipt_is_equal_to_the_last_nano_before_and_after_a_revision(world, later):
    with tempfile.TemporaryDirectory() as folder:
        kept = Kept(Path(folder))
        kept.post(world)
        for revision in (1, 2):
            for node in (*NODES, STORAGE):
                if any(row.place.node == node for row in kept.ledger.rows(WINDOW)):
                    (window,) = kept.explain(node, SubjectKind.NODE).windows
                    assert not window.not_replayed
                    assert window.unequal == ()
                    assert not window.altered
            if revision == 1 and not kept.post(later, 1):
                break


@given(arrays.arrays(np.int64, st.integers(0, 40), elements=st.integers(-(2**63), 2**63 - 1)))
def test_columns_come_back_as_they_were(column):
    assert unpacked(packed(column)).tolist() == column.tolist()


@given(st.lists(st.integers(0, 1_000), max_size=30), st.integers(1, 10**9), st.integers(-(10**12), 10**12))
def test_columns_of_multiples_come_back_as_they_were_and_small(steps, unit, start):
    column = start + np.cumsum(np.array(steps, np.int64)) * unit
    body = packed(column)
    assert unpacked(body).tolist() == column.tolist()
    assert len(body) <= 17 + 2 * len(steps)


@given(worlds())
@settings(max_examples=30, deadline=None)
def test_both_ways_to_read_types_give_the_same(world):
    import msgspec  # noqa: PLC0415

    from aicost.adapters.ledger.inputs.codec import _unpack  # noqa: PLC0415

    plain = msgspec.msgpack.Decoder(ext_hook=_unpack)
    assert shaped(plain.decode(encode(world.facts)), type(world.facts)) == world.facts
    assert tuple(shaped(plain.decode(encode(world.books)), tuple[PriceBook, ...])) == tuple(world.books)
    assert decode(encode(world.books), tuple[PriceBook, ...]) == world.books


def test_no_amount_is_among_the_fields_that_are_kept():
    names = {name for fields in known_fields().values() for name in fields}
    assert not {"cost_nanos", "error_nanos", "bucket", "gpu_milliseconds"} & names
    assert "Row" not in known_fields()
