"""The picture of a budget: nothing that is there is drawn as nothing, and nothing overlaps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.budgets.plans import PPM
from aicost.entrypoints.cli.output.budget.bar import bar, mark, picture
from aicost.entrypoints.cli.output.budget.figures import Money
from aicost.entrypoints.cli.output.table import display_width
from aicost.entrypoints.cli.terminal import Terminal

UNIT = 10**9
AMOUNTS = st.integers(0, 10**7).map(lambda units: units * UNIT)


@pytest.mark.parametrize(
    ("ppm", "drawn"),
    [
        (0, "··········"),
        (1, "█·········"),
        (PPM // 2, "█████·····"),
        (PPM - 1, "█████████·"),
        (PPM, "██████████"),
        (3 * PPM, "██████████"),
    ],
)
def test_a_little_is_never_nothing_and_less_than_all_is_never_full(ppm, drawn):
    assert bar(ppm) == drawn


def test_the_parts_stand_in_their_order_and_the_limit_goes_through_them():
    amounts = Money(100 * UNIT, 40 * UNIT, 10 * UNIT, 0, 120 * UNIT, None)
    drawn, marks, *legend = picture(amounts, [50 * UNIT, None, 100 * UNIT], "USD", Terminal(62))
    assert drawn == "├" + "█" * 19 + "▓" * 4 + "░" * 24 + "┃" + "░" * 9 + "···" + "┤"
    assert (drawn.index("┃"), marks.index("3"), marks.index("1")) == (48, 48, 24)
    assert "2" not in marks, "a rung that is about no amount has no place"
    assert " ".join(legend) == "█ settled $40.00   ▓ provisional $10.00   ░ forecast $120.00 ┃ limit $100.00"


def test_two_rungs_at_one_place_stand_side_by_side():
    amounts = Money(100 * UNIT, 0, 0, 0, None, None)
    _, marks, *_ = picture(amounts, [50 * UNIT, 50 * UNIT, 105 * UNIT, 105 * UNIT], "USD", Terminal(60))
    assert marks.split() == ["12", "34"]


def test_a_rung_far_away_does_not_press_the_rest_together():
    amounts = Money(100 * UNIT, 50 * UNIT, 0, 0, None, None)
    drawn, marks, *_ = picture(amounts, [100 * UNIT, 1000 * UNIT], "USD", Terminal(60))
    assert drawn.index("┃") > 40
    assert marks.strip() == "1"


@given(AMOUNTS, AMOUNTS, AMOUNTS, st.none() | AMOUNTS, st.lists(AMOUNTS, max_size=16), st.integers(20, 200))
def test_it_fits_whatever_the_amounts_are(limit, settled, provisional, forecast, rungs, width):
    amounts = Money(limit + 1, settled, provisional, 0, forecast, None)
    drawn, *rest = picture(amounts, rungs, "USD", Terminal(width))
    assert display_width(drawn) == min(102, max(32, width))
    assert drawn.count("┃") == 1
    assert all(display_width(line) <= max(34, width) for line in rest)
    assert "█" in drawn or not settled or drawn[1] == "┃"


def test_each_rung_of_the_longest_ladder_has_a_mark_of_its_own():
    assert len({mark(index) for index in range(16)}) == 16
