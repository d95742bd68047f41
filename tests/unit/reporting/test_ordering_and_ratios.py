"""The order of lines, the cut below the first few, and ratios that are undefined rather than zero."""

from fractions import Fraction

import pytest

from aicost.domain.ledger.rows import Bucket
from aicost.domain.reporting import ratios
from aicost.domain.reporting.ordering import SortKey, sort_lines, top
from aicost.domain.reporting.query import Amounts, Report, ReportLine, ReportQuery
from support.ledger_rows import HOUR_0


def amounts(cost=0, idle_cost=0, used=0, idle=0, **rest) -> Amounts:
    return Amounts("USD", {"used": cost, "allocated-idle": idle_cost}, {"used": used, "allocated-idle": idle}, **rest)


def line(name: str, *, previous: int | None = None, **rest) -> ReportLine:
    return ReportLine((name, "x"), amounts(**rest), previous_nanos=previous)


def report(*lines: ReportLine) -> Report:
    return Report(ReportQuery(HOUR_0, ("team", "node")), "USD", lines, amounts(), amounts())


LINES = (
    line("a", cost=10, used=1, idle=9, previous=5),
    line("b", cost=7, used=9, idle=1, previous=14, error_nanos=3, tagged_nanos={"team": 7}),
    line("c", cost=5, previous=None, error_nanos=4, tagged_nanos={"model": 2}),
)


@pytest.mark.parametrize(
    ("key", "names"),
    [
        (SortKey.COST, "abc"),
        (SortKey.GPU_HOURS, "abc"),
        (SortKey.UTILISATION, "bac"),
        (SortKey.IDLE_SHARE, "abc"),
        (SortKey.CHANGE, "abc"),
        (SortKey.NAME, "abc"),
    ],
)
def test_lines_are_sorted_with_undefined_ones_last(key, names):
    assert "".join(found.keys[0] for found in sort_lines(report(*LINES[::-1]), key).lines) == names


def test_a_reversed_order_keeps_undefined_ones_last():
    assert [found.keys[0] for found in sort_lines(report(*LINES), SortKey.UTILISATION, reverse=True).lines] == [
        "a",
        "b",
        "c",
    ]
    assert [found.keys[0] for found in sort_lines(report(*LINES), SortKey.NAME, reverse=True).lines] == ["c", "b", "a"]


def test_what_is_below_the_cut_is_merged_to_the_nano():
    kept, other = top(report(*LINES), 1).lines
    assert kept == LINES[0]
    assert (other.keys, other.merged, other.cost_nanos, other.previous_nanos) == (("other", ""), 2, 12, 14)
    assert other.amounts.gpu_milliseconds == {"used": 9, "allocated-idle": 1}
    assert (other.amounts.error_nanos, other.amounts.tagged_nanos) == (5, {"team": 7, "model": 2})


def test_a_single_line_below_the_cut_is_shown_as_it_is():
    assert top(report(*LINES), 2).lines == LINES
    assert top(report(*LINES), 9).lines == LINES


def test_ratios_come_from_sums():
    some = amounts(
        cost=60,
        idle_cost=40,
        used=30,
        idle=10,
        measured_milliseconds=36,
        unpriced_gpu_milliseconds=4,
        tagged_nanos={"team": 25},
        list_price_nanos=50,
    )
    assert ratios.utilisation(some) == Fraction(3, 4)
    assert ratios.idle_share(some) == Fraction(1, 4)
    assert ratios.telemetry_coverage(some) == Fraction(9, 10)
    assert ratios.price_coverage(some) == Fraction(9, 10)
    assert ratios.label_coverage(some, "team") == Fraction(1, 4)
    assert ratios.label_coverage(some, "model") == 0
    assert ratios.list_price_share(some) == Fraction(1, 2)


def test_a_ratio_of_nothing_is_undefined():
    nothing = Amounts("USD", {}, {})
    assert {
        ratios.utilisation(nothing),
        ratios.idle_share(nothing),
        ratios.telemetry_coverage(nothing),
        ratios.price_coverage(nothing),
        ratios.label_coverage(nothing, "team"),
        ratios.list_price_share(nothing),
    } == {None}


def test_time_that_was_not_measured_is_no_utilisation_of_zero():
    assert ratios.utilisation(Amounts("USD", {}, {Bucket.ALLOCATED_UNMEASURED.value: 100})) is None


def test_change_is_undefined_against_nothing():
    assert ratios.change(150, 100) == Fraction(1, 2)
    assert ratios.change(50, 100) == Fraction(-1, 2)
    assert ratios.change(50, 0) is ratios.change(50, None) is None


def test_parts_per_million_round_half_up():
    assert [ratios.to_ppm(Fraction(1, 3)), ratios.to_ppm(Fraction(1, 2_000_000)), ratios.to_ppm(None)] == [
        333_333,
        1,
        None,
    ]
