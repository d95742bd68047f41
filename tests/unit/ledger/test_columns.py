"""Columns of samples come back as they went in, short ones by another way than long ones."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aicost.adapters.ledger.inputs import columns
from aicost.adapters.ledger.inputs.codec import Packing, encode
from aicost.adapters.ledger.inputs.columns import packed, packed_together, unpacked

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


@given(st.lists(COLUMNS, max_size=8), st.lists(st.integers(0, 7), max_size=4))
@example([[LOWEST, HIGHEST], [HIGHEST, LOWEST], [0, LOWEST], [LOWEST, 0]], [])
@example([[0, 7, 14], [0, 7, 14], [0, 7, 15], [0, 7, 14]], [3])
@example(
    [[0, step, step + 1] for bits in (7, 15, 31) for step in (2**bits - 1, 2**bits, -(2**bits), -(2**bits) - 1)], []
)
def test_columns_that_are_packed_together_are_packed_as_each_alone(every, again):
    every += [every[index] for index in again if index < len(every)]
    arrays = [np.array(numbers, np.int64) for numbers in every]
    found = packed_together([*arrays, *arrays[:2]])
    assert found == {id(one): packed(one) for one in arrays if len(one)}


def test_columns_that_are_no_integers_or_hold_nothing_are_packed_alone():
    assert packed_together([np.array([0.5]), np.array([1], np.int32), np.zeros(0, np.int64)]) == {}


@pytest.mark.parametrize("length", [1, 2, 300])
def test_more_columns_than_are_packed_at_once_are_packed_as_each_alone(monkeypatch, length):
    monkeypatch.setattr(columns, "_AT_ONCE", 1_000)
    chance = np.random.default_rng(3)
    arrays = [chance.integers(-(10**size), 10**size, length) * 250 for size in range(1, 16) for _ in range(20)]
    assert packed_together(arrays) == {id(one): packed(one) for one in arrays}


def test_a_long_column_is_packed_by_its_step():
    times = np.arange(1_795_600_800_000, 1_795_604_400_000, 15_000)
    assert len(packed(times)) < 2 * len(times)
    assert unpacked(packed(times)).tolist() == times.tolist()


@given(st.lists(COLUMNS, max_size=4), st.integers(0, 4))
def test_values_are_written_the_same_whichever_of_their_columns_are_packed_together(every, known):
    value = {str(index): np.array(numbers, np.int64) for index, numbers in enumerate(every)}
    assert Packing(list(value.values())[:known]).encode(value) == encode(value)


def test_odd_names_are_written_out_beside_columns_that_are_packed_together():
    value = {"\ud800": np.arange(9)}
    assert Packing(list(value.values())).encode(value) == encode(value)
