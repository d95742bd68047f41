"""Chunks of samples are read as they were written, many at once; what is none is refused."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.prometheus.remote.chunks import unpacked
from support.remote_read import bits_of, chunk, varint

T0 = 1_700_000_000_000
STEPS = st.one_of(
    st.just(15_000),
    st.integers(14_990, 15_010),
    st.integers(1, 20_000),
    st.integers(1, 2**21),
    st.integers(-(2**40), 2**40),
)
VALUES = st.one_of(
    st.sampled_from([0.0, 1.0, 99.5, float("nan"), float("inf"), -0.0]),
    st.integers(0, 100).map(float),
    st.floats(),
).map(bits_of)
ANY_VALUES = st.one_of(VALUES, st.integers(0, 2**64 - 1), st.just(0x7FF0000000000002))


@st.composite
def samples(draw, most=40):
    """Times and values of one chunk; some of them stay as they were."""
    found, at_ms = [], draw(st.integers(0, 2 * T0))
    value = draw(ANY_VALUES)
    for _ in range(draw(st.integers(0, most))):
        found.append((at_ms, value))
        at_ms += draw(STEPS)
        value = draw(st.one_of(st.just(value), ANY_VALUES))
    return found


@given(st.lists(samples(), max_size=6))
def test_what_was_written_is_read(every):
    at_ms, value, counts = unpacked([chunk(one) for one in every])
    assert counts.tolist() == [len(one) for one in every]
    assert at_ms.tolist() == [at for one in every for at, _ in one]
    assert value.view(np.uint64).tolist() == [bits for one in every for _, bits in one]


@pytest.mark.parametrize("size", [14, 17, 20, 64])
def test_a_distance_may_change_by_the_most_and_the_least_of_each_size(size):
    half = 1 << min(size - 1, 50)
    for change in (half, -half + 1, half - 1, half + 1, -half):
        times = [T0, T0 + (1 << 52)]
        times.append(times[-1] + (1 << 52) + change)
        times.append(times[-1] + (1 << 52) + change)
        at_ms, _, _ = unpacked([chunk([(at, 0) for at in times])])
        assert at_ms.tolist() == times


def test_no_chunk_at_all_has_no_samples():
    at_ms, value, counts = unpacked([])
    assert (len(at_ms), len(value), len(counts)) == (0, 0, 0)


def test_chunks_of_any_length_are_read_side_by_side():
    every = [[(T0 + 15_000 * number, bits_of(number)) for number in range(length)] for length in (3, 0, 200, 1, 2, 120)]
    at_ms, value, counts = unpacked([chunk(one) for one in every])
    assert counts.tolist() == [3, 0, 200, 1, 2, 120]
    assert list(zip(at_ms.tolist(), value.view(np.uint64).tolist(), strict=True)) == [
        pair for one in every for pair in one
    ]


WHOLE = chunk([(T0 + 15_000 * number, bits_of(1 / (number + 1))) for number in range(20)])


def test_a_chunk_that_is_cut_off_anywhere_is_refused():
    for length in range(len(WHOLE)):
        with pytest.raises(ValueError, match=r"chunk|64 bits"):
            unpacked([WHOLE[:length], WHOLE])


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (struct.pack(">H", 65_535) + bytes(200), "too short for its samples"),
        (struct.pack(">H", 1) + b"\xff" * 30, "more than 64 bits"),
        (struct.pack(">H", 2) + varint(2 * T0) + bytes(8) + b"\xff" * 30, "more than 64 bits"),
        (struct.pack(">H", 2) + varint(2 * T0) + bytes(8) + b"\x01" + b"\xff" * 30, "value of more than 64 bits"),
    ],
    ids=["count", "time", "distance", "value"],
)
def test_what_is_no_chunk_is_refused(odd, said):
    with pytest.raises(ValueError, match=said):
        unpacked([WHOLE, odd])


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_any_bytes_are_read_or_refused(chunks):
    try:
        at_ms, value, counts = unpacked(chunks)
    except ValueError:
        return
    assert len(at_ms) == len(value) == counts.sum() <= 4 * sum(map(len, chunks))


@given(samples(most=12).filter(len), st.data())
def test_a_chunk_with_a_wrong_bit_harms_no_other(one, data):
    odd = bytearray(chunk(one))
    bit = data.draw(st.integers(0, 8 * len(odd) - 1))
    odd[bit // 8] ^= 1 << bit % 8
    try:
        at_ms, _, counts = unpacked([WHOLE, bytes(odd), WHOLE])
    except ValueError:
        return
    whole, _, _ = unpacked([WHOLE])
    assert at_ms[:20].tolist() == at_ms[20 + int(counts[1]) :].tolist() == whole.tolist()
