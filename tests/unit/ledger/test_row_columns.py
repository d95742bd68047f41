"""Rows as columns are the rows: objects where somebody asks for them, and the same seal and table either way."""

import pytest

from aicost.adapters.ledger.schema import from_table, to_table
from aicost.domain.ledger.columns import RowColumns, columns_of
from aicost.domain.ledger.postings import check_posting
from aicost.domain.ledger.rows import Bucket, Component
from aicost.domain.ledger.seals import seal_of
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_holder, make_row

ROWS = (
    make_row(1),
    make_row(None, error=None, currency=""),
    make_row(3, device="GPU-2", flags=("gap",), bucket=Bucket.SYSTEM, component=Component.CPU, quantity=5),
    make_row(3, holder=make_holder("b", "é-1", team="vision")),
)


def test_what_goes_into_columns_comes_out_again_in_order():
    columns = columns_of(ROWS)
    assert tuple(columns) == ROWS
    assert columns == ROWS
    assert (columns[1], columns[1:3], len(columns)) == (ROWS[1], ROWS[1:3], 4)
    assert columns_of(columns) is columns


def test_rows_that_say_the_same_share_their_wording():
    first, unpriced, other, last = columns_of(ROWS).wording
    assert first is last
    assert len({id(first), id(unpriced), id(other)}) == 3


def test_columns_grow_by_other_columns_and_forget_the_rows_that_they_showed():
    columns = RowColumns()
    assert columns == ()
    for row in ROWS:
        columns.extend(columns_of([row]))
        assert columns[len(columns) - 1] == row
    assert columns == columns_of(ROWS)


def test_seal_and_table_are_the_same_of_columns_as_of_rows():
    columns = columns_of(ROWS)
    assert seal_of(columns) == seal_of(iter(ROWS))
    assert from_table(to_table(columns)) == from_table(to_table(ROWS)) == ROWS


@pytest.mark.parametrize(
    "odd", [make_row(1, revision=1), make_row(1, window=hour(1)), make_row(1, cluster="other")], ids=str
)
def test_a_row_of_another_posting_is_refused_among_columns_too(odd):
    check_posting(CLUSTER, HOUR_0, 0, columns_of(ROWS))
    with pytest.raises(ValueError, match="cannot be posted with"):
        check_posting(CLUSTER, HOUR_0, 0, columns_of([*ROWS, odd]))
