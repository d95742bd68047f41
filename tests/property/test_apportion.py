"""Many amounts are split at once exactly as each alone, at the edges of 64 bits too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.exact.apportion import apportion, apportion_each, apportion_runs

EDGES = [0, 1, 2, 3, 10**9, 3_600_000, 2**31, 2**49, 2**50 - 1, 2**50, 2**53, 2**59, 2**60 - 1, 2**60, 2**63, 2**80]
amounts = st.sampled_from(EDGES) | st.integers(0, 2**50) | st.integers(-(2**40), 2**70)
weights = st.lists(st.sampled_from(EDGES) | st.integers(0, 2**60) | st.integers(0, 50), min_size=1, max_size=40)


@given(st.lists(st.tuples(amounts, weights), max_size=20))
def test_many_amounts_are_split_as_each_alone(some: list[tuple[int, list[int]]]) -> None:
    some = [(total, one if sum(one) else [*one, 1]) for total, one in some]
    expected = [apportion(total, one) for total, one in some]
    assert apportion_each([total for total, _ in some], [one for _, one in some]) == expected


LONGEST = 40
narrow = st.lists(st.integers(0, 2**63 // LONGEST) | st.integers(0, 50), min_size=1, max_size=LONGEST)


@given(st.lists(st.tuples(amounts, narrow), max_size=20))
def test_weights_in_one_column_split_as_each_run_alone(some: list[tuple[int, list[int]]]) -> None:
    some = [(total, one if sum(one) else [*one[1:], 1]) for total, one in some]
    column = np.array([weight for _, one in some for weight in one], np.int64)
    counts = np.array([len(one) for _, one in some], np.int64)
    expected = [part for total, one in some for part in apportion(total, one)]
    assert apportion_runs([total for total, _ in some], column, counts) == expected


def test_a_column_that_cannot_be_split_is_refused_as_it_is_alone():
    with pytest.raises(ValueError, match="must not be negative"):
        apportion_runs([3, 1], np.array([2, -1, 1]), np.array([2, 1]))
    with pytest.raises(ValueError, match="all 1 weights are zero"):
        apportion_runs([3, 1], np.array([2, 1, 0]), np.array([2, 1]))


def test_equal_remainders_go_to_the_earlier_of_each_own():
    assert apportion_each([2, 1, 0], [[1, 1, 1], [5, 5], [0, 0]]) == [[1, 1, 0], [1, 0], [0, 0]]


def test_products_beyond_64_bits_are_exact():
    total, parts = 2**50 - 1, [2**59 - 1, 2**58 + 1, 2**57]
    assert apportion_each([total], [parts]) == [apportion(total, parts)]


def test_what_cannot_be_split_is_refused_as_it_is_alone():
    with pytest.raises(ValueError, match="all 2 weights are zero"):
        apportion_each([3, 5], [[1], [0, 0]])
    with pytest.raises(ValueError, match="must not be negative"):
        apportion_each([3], [[2, -1]])
