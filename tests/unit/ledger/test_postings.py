"""When a posting may enter a ledger."""

import pytest

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.postings import check_posting, out_of_turn, overlapping
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_row


def test_rows_that_belong_together_pass():
    check_posting(CLUSTER, HOUR_0, 0, [make_row(), make_row()])


def test_a_window_without_length_is_refused():
    with pytest.raises(ValueError, match="no length"):
        check_posting(CLUSTER, Window(5, 5), 0, [])


def test_the_first_posting_is_revision_0_and_each_next_one_higher():
    assert out_of_turn(HOUR_0, 0, None) == out_of_turn(HOUR_0, 3, 2) == ""
    assert "next one is 0" in out_of_turn(HOUR_0, 1, None)
    assert "next one is 3" in out_of_turn(HOUR_0, 4, 2)


def test_neighbours_do_not_overlap():
    assert overlapping(hour(1), [hour(0), hour(1), hour(2)]) == ""
    assert "shares time" in overlapping(Window(HOUR_0.start_ms, hour(1).end_ms), [hour(1)])
