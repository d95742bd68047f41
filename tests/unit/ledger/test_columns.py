"""Columns of samples come back as they went in, short ones by another way than long ones."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from aicost.adapters.ledger.inputs import columns
from aicost.adapters.ledger.inputs.columns import packed, unpacked

LOWEST, HIGHEST = -(2**63), 2**63 - 1
NUMBERS = st.one_of(
    st.integers(LOWEST, HIGHEST), st.integers(-1_000, 1_000), st.integers(0, 300).map(lambda k: k * 15_000)
)
COLUMNS = st.lists(NUMBERS, max_size=12)


@given(COLUMNS)
@example([LOWEST, HIGHEST, LOWEST])
@example([5, 5, 5])
def test_a_column_comes_back(numbers):
    assert unpacked(packed(np.array(numbers, np.int64))).tolist() == numbers


@given(COLUMNS.filter(bool))
@example([0, HIGHEST])
@example([LOWEST, -1, 0])
def test_both_ways_write_the_same(numbers):
    """What is kept is found by its digest: it must not depend on the way."""
    few = columns._packed_few(numbers)
    assert few in {None, columns._packed_many(np.array(numbers, np.int64))}
    assert few is not None or max(map(abs, numbers)) > 2**60


def test_a_long_column_is_packed_by_its_step():
    times = np.arange(1_795_600_800_000, 1_795_604_400_000, 15_000)
    assert len(packed(times)) < 2 * len(times)
    assert unpacked(packed(times)).tolist() == times.tolist()
