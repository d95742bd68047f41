"""What is posted when a window is computed again."""

from dataclasses import replace

from aicost.domain.ledger.difference import difference, identity, same_rows
from aicost.domain.ledger.errorbars import signed_root, signed_square
from aicost.domain.ledger.rows import Bucket
from support.ledger_rows import make_holder, make_row


def amounts(rows):
    return [(row.cost_nanos, row.gpu_milliseconds, row.measured_milliseconds, row.error_nanos) for row in rows]


def test_nothing_changed_posts_nothing():
    rows = [make_row(cost=5), make_row(cost=None)]
    assert difference(rows, rows[::-1], 1, "again") == ()


def test_a_changed_amount_posts_the_change_with_its_reason():
    (row,) = difference(
        [make_row(cost=5, gpu_ms=10, error=3)], [make_row(cost=9, gpu_ms=8, error=5)], 2, "late samples"
    )
    assert (row.revision, row.reason) == (2, "late samples")
    assert amounts([row]) == [(4, -2, -2, 4)]


def test_a_row_that_is_gone_is_taken_away_and_a_new_one_added():
    old, new = make_row(cost=5, gpu_ms=10, error=3), make_row(cost=7, gpu_ms=10, error=4, bucket=Bucket.ALLOCATED_IDLE)
    assert amounts(difference([old], [new], 1, "recomputed")) == [(-5, -10, -10, -3), (7, 10, 10, 4)]


def test_a_quantity_that_changes_is_posted():
    old, new = make_row(cost=5, gpu_ms=0, quantity=9), make_row(cost=5, gpu_ms=0, quantity=7)
    (row,) = difference([old], [new], 1, "a resize came late")
    assert (row.cost_nanos, row.quantity) == (0, -2)
    assert not same_rows([old], [new])


def test_a_price_that_comes_late_moves_the_time_from_unpriced_to_priced():
    unpriced = make_row(cost=None, gpu_ms=10, currency="", price="")
    priced = make_row(cost=70, gpu_ms=10, currency="USD", price="book/h100")
    assert amounts(difference([unpriced], [priced], 1, "price")) == [(None, -10, -10, -10), (70, 10, 10, 10)]
    assert amounts(difference([priced], [unpriced], 1, "price")) == [(-70, -10, -10, -10), (None, 10, 10, 10)]


def test_an_owner_that_is_known_late_moves_the_cost():
    unknown, known = make_row(cost=5), make_row(cost=5, holder=make_holder(team="vision"))
    moved = difference([unknown], [known], 1, "label")
    assert [(row.holder.dimensions, row.cost_nanos) for row in moved] == [({}, -5), ({"team": "vision"}, 5)]


def test_all_revisions_so_far_count_as_posted():
    first = [make_row(cost=5)]
    second = difference(first, [make_row(cost=9)], 1, "a")
    assert amounts(difference([*first, *second], [make_row(cost=6)], 2, "b")) == [(-3, 0, 0, 0)]


def test_an_error_bar_alone_posts_nothing():
    assert difference([make_row(error=3)], [make_row(error=5)], 1, "again") == ()


def test_order_of_labels_is_no_difference():
    some, other = make_holder(labels={"a": "1", "b": "2"}), make_holder(labels={"b": "2", "a": "1"})
    assert identity(make_row(holder=some)) == identity(make_row(holder=other))


def test_rows_are_the_same_in_any_order_and_not_with_another_amount():
    rows = [make_row(cost=1), make_row(cost=None)]
    assert same_rows(rows, rows[::-1])
    assert not same_rows(rows, [rows[0], replace(rows[1], measured_milliseconds=1)])
    assert not same_rows(rows, rows[:1])


def test_squares_of_error_bars_keep_their_sign():
    assert [signed_square(3), signed_square(-3)] == [9, -9]
    assert [signed_root(9), signed_root(-9), signed_root(0)] == [3, -3, 0]
