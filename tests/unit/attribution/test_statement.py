"""One node, one hour: who owes what, in cases that can be computed by hand."""

from collections import defaultdict
from fractions import Fraction

import pytest

from aicost.domain.attribution.stating.rows import NodeStatement, state_node, unbalanced_nanos
from aicost.domain.exact.windows import HOUR_MS
from aicost.domain.ledger.rows import Bucket, Quality
from support.nodes import (
    HOUR,
    node_input,
    price,
    record,
    seen,
    shared_record,
    span,
    tenancy,
    unpriced,
)

DOLLAR = 1_000_000_000


def amounts(statement: NodeStatement) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for row in statement.rows:
        sums[row.holder.pod, row.bucket.value] += row.cost_nanos or 0
    return dict(sums)


def state(node) -> NodeStatement:
    statement = state_node("c", HOUR, node)
    assert unbalanced_nanos([statement]) == 0
    return statement


def test_a_busy_pod_pays_for_its_hour() -> None:
    pod = tenancy(0, -60, 120)
    statement = state(node_input([pod], series=[seen("GPU-a", pod, 0, 60)], levels={"GPU-a": 1.0}))
    assert amounts(statement) == {("p0", "used"): 4 * DOLLAR}
    assert statement.rows[0].gpu_milliseconds == HOUR_MS
    assert statement.rows[0].quality is Quality.MEASURED_GAUGE


def test_utilisation_splits_used_from_allocated_idle() -> None:
    pod = tenancy(0, -60, 120)
    statement = state(node_input([pod], series=[seen("GPU-a", pod, 0, 60)], levels={"GPU-a": 0.25}))
    assert amounts(statement) == {("p0", "used"): DOLLAR, ("p0", "allocated-idle"): 3 * DOLLAR}


def test_a_device_without_samples_is_unmeasured_and_never_idle() -> None:
    statement = state(node_input([tenancy(0, -60, 120)]))
    assert amounts(statement) == {("p0", "allocated-unmeasured"): 4 * DOLLAR}
    assert statement.rows[0].error_nanos is None
    assert statement.rows[0].measured_milliseconds == 0


def test_an_unheld_device_is_unallocated_and_its_activity_unattributed() -> None:
    statement = state(node_input(series=[seen("GPU-a", None, 0, 60)], levels={"GPU-a": 0.5}))
    assert amounts(statement) == {("", "unallocated"): 2 * DOLLAR, ("", "unattributed"): 2 * DOLLAR}


def test_holders_that_change_pay_for_their_own_part() -> None:
    first, second = tenancy(0, 0, 15), tenancy(1, 30, 90)
    series = [seen("GPU-a", first, 0, 15), seen("GPU-a", second, 30, 60)]
    statement = state(node_input([first, second], series=series, levels={"GPU-a": 1.0}))
    assert amounts(statement) == {
        ("p0", "used"): DOLLAR,
        ("", "unattributed"): DOLLAR,
        ("p1", "used"): 2 * DOLLAR,
    }


def test_an_unpriced_node_counts_time_and_guesses_no_money() -> None:
    statement = state(node_input([tenancy(0, -60, 120)], prices=[unpriced()]))
    assert [row.cost_nanos for row in statement.rows] == [None]
    assert statement.rows[0].gpu_milliseconds == HOUR_MS
    assert statement.charges[0].cost_nanos is None


def test_a_lost_device_is_unhealthy_while_the_node_is_billed() -> None:
    pod = tenancy(0, -60, 120)
    life = record(gpus=2, unhealthy=((span(30, 60), 1),))
    statement = state(node_input([pod], life=life, series=[seen("GPU-a", pod, 0, 60)], levels={"GPU-a": 1.0}))
    assert amounts(statement) == {
        ("p0", "used"): 4 * DOLLAR,
        ("", "unallocated"): 2 * DOLLAR,
        ("", "unhealthy"): 2 * DOLLAR,
    }


def test_an_exporter_that_holds_a_device_is_system() -> None:
    pod = tenancy(0, -60, 120)
    statement = state(node_input([pod], series=[seen("GPU-a", pod, 0, 60)], system=frozenset({0})))
    assert amounts(statement) == {("p0", "system"): 4 * DOLLAR}


def test_time_slices_are_charged_by_reservation_as_assumed() -> None:
    tenants = [tenancy(index, -60, 120, share=Fraction(1, 4)) for index in range(3)]
    statement = state(node_input(tenants, life=shared_record(1, 4), series=[seen("GPU-a", tenants[0], 0, 60)]))
    held = {(f"p{index}", "allocated-unmeasured"): DOLLAR for index in range(3)}
    assert amounts(statement) == held | {("", "unallocated"): DOLLAR}
    assert {row.quality for row in statement.rows} == {Quality.ASSUMED}


def test_more_held_than_there_is_is_scaled_down_not_charged_as_it_is() -> None:
    tenants = [tenancy(index, -60, 120) for index in range(2)]
    series = [seen("GPU-a", one, 0, 60) for one in tenants]
    assert amounts(state(node_input(tenants, series=series))) == {
        ("p0", "allocated-unmeasured"): 2 * DOLLAR,
        ("p1", "allocated-unmeasured"): 2 * DOLLAR,
    }


def test_a_node_price_that_does_not_divide_evenly_still_sums() -> None:
    life = record(gpus=3)
    statement = state(node_input(life=life, prices=[price(0.000000001)]))
    assert sum(row.cost_nanos or 0 for row in statement.rows) == 3


def test_a_node_that_left_is_billed_until_then() -> None:
    life = record(until_ms=HOUR.start_ms + HOUR_MS // 4)
    assert amounts(state(node_input(life=life))) == {("", "unallocated"): DOLLAR}


@pytest.mark.parametrize(("gpus", "certain"), [(1, True), (2, False)])
def test_a_pod_that_no_sample_names_is_measured_only_where_its_device_is_no_guess(gpus: int, certain: bool) -> None:
    pod = tenancy(0, -60, 120)
    series = [seen(f"GPU-{index}", None, 0, 60) for index in range(gpus)]
    levels = {f"GPU-{index}": 1.0 for index in range(gpus)}
    statement = state(node_input([pod], life=record(gpus=gpus), series=series, levels=levels))
    expected = "used" if certain else "allocated-unmeasured"
    assert amounts(statement)["p0", expected] == 4 * DOLLAR
    assert ("", "unattributed") not in amounts(statement)
    held = [row for row in statement.rows if row.bucket is not Bucket.UNALLOCATED]
    assert held[0].flags == (() if certain else ("assumed-device",))


def test_a_holding_that_ended_unseen_is_flagged_and_cut_by_the_next_holder() -> None:
    gone, after = tenancy(0, -60, 40, uncertain=True), tenancy(1, 30, 90)
    series = [seen("GPU-a", gone, 0, 29), seen("GPU-a", after, 31, 60)]
    statement = state(node_input([gone, after], series=series, levels={"GPU-a": 1.0}))
    assert amounts(statement) == {("p0", "used"): 2 * DOLLAR, ("p1", "used"): 2 * DOLLAR}
    assert next(row for row in statement.rows if row.holder.pod == "p0").flags == ("gap",)
