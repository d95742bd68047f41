"""Receipts: what is told of a figure, and when it can be computed again."""

from dataclasses import replace

import pytest

from aicost.domain.attribution.window import state_window
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.tags.precedence import Tagger
from aicost.domain.ledger.rows import Bucket
from aicost.domain.policy.policies import AttributionRule, RuleMatch
from aicost.domain.receipts.subjects import SubjectKind
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import Posting
from aicost.usecases.retag import Retag
from support.admission.policies import policy
from support.builders import T0
from support.receipts import (
    CLUSTER,
    WINDOW,
    Kept,
    a_node,
    a_pod,
    at,
    busy,
    hours,
    inputs,
    prices,
)

RULE = AttributionRule("r", RuleMatch(namespaces=("team-*",)), {Dimension.TEAM: "assistants"}, override=True)


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path / "ledger")


def only(receipt):
    (window,) = receipt.windows
    return window


def test_a_receipt_tells_the_rows_the_price_the_samples_and_how_the_device_was_divided(kept):
    posted = kept.post(inputs())
    window = only(kept.explain())
    assert not window.differs
    mine = [row for row in posted if row.holder.pod == "train-0"]
    assert sum(row.cost_nanos for row in window.rows) == sum(row.cost_nanos for row in mine) == 2_490_000_000
    trace = window.trace
    (priced,) = trace.prices
    assert [decision.chosen.entry for decision in priced.decisions] == ["h100"]
    assert [(one.device, one.signal, one.count) for one in trace.samples] == [("GPU-1", "engine-active", 120)]
    (device,) = trace.devices
    assert (device.devices, device.charge_nanos, device.cost_nanos) == (2, 4_980_000_000, 2_490_000_000)
    assert sum(one.cost_nanos for one in device.divisions) == device.cost_nanos
    assert {one.bucket for one in device.divisions} == {Bucket.USED, Bucket.ALLOCATED_IDLE}
    assert [one.gaps for one in device.stretches] == [()]
    assert window.basis.samples == 280


def test_rounding_is_told_part_by_part(kept):
    kept.post(inputs(nodes=[a_node(gpus=3).record()], books=[prices(1.000000001)]))
    (device,) = only(kept.explain()).trace.devices
    for one in device.divisions:
        down = one.exact_nanos.numerator // one.exact_nanos.denominator
        assert one.cost_nanos == down + one.rounded_up
    assert any(one.rounded_up for one in device.divisions)


def test_gaps_in_the_samples_are_named(kept):
    kept.post(inputs(series=[busy("GPU-1", gap=Window(at(10), at(20)))]))
    (device,) = only(kept.explain()).trace.devices
    assert device.stretches[0].gaps == (Window(at(10), at(19.5)),)
    assert Bucket.ALLOCATED_UNMEASURED in {one.bucket for one in device.divisions}


def test_a_price_that_changes_inside_the_window_makes_two_segments(kept):
    kept.post(inputs(books=[prices(cut=20)]))
    window = only(kept.explain())
    assert not window.differs
    assert [(one.span, one.charge_nanos) for one in window.trace.devices] == [
        (Window(at(0), at(20)), 1_660_000_000),
        (Window(at(20), at(60)), 4_000_000_000),
    ]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (SubjectKind.NODE, "gpu-1"),
        (SubjectKind.DEVICE, "GPU-1"),
        (SubjectKind.WORKLOAD, "team-a/train"),
        (SubjectKind.WORKLOAD, "team-a/Deployment/train"),
    ],
)
def test_nodes_devices_and_workloads_have_receipts_too(kept, kind, name):
    kept.post(inputs())
    receipt = kept.explain(name, kind)
    assert only(receipt).rows
    assert not receipt.differs


def test_several_windows_are_told_and_the_one_that_cost_most_is_shown(kept):
    for count, price in enumerate((1.0, 3.0, 2.0)):
        window = hours(count)
        kept.post(inputs(window=window, books=[prices(price)]))
    receipt = kept.explain()
    assert [one.window for one in receipt.windows] == [hours(0), hours(1), hours(2)]
    assert receipt.detail.window == hours(1)
    assert kept.explain(detail=hours(2)).detail.window == hours(2)
    assert len(kept.explain(span=Window(T0 + HOUR_MS, T0 + 2 * HOUR_MS)).windows) == 1


def test_revisions_are_told_and_the_last_one_is_computed_again(kept):
    kept.post(inputs(series=[busy("GPU-1", gap=Window(at(10), at(20)))]))
    kept.post(inputs(), 1)
    window = only(kept.explain())
    assert not window.differs
    assert [(one.revision, one.reason) for one in window.posted] == [(0, ""), (1, "late-data")]
    assert set(window.basis.revisions.values()) == {1}
    assert {row.bucket for row in window.rows} == {Bucket.USED, Bucket.ALLOCATED_IDLE}


def test_tags_that_were_given_anew_change_no_amount(kept):
    kept.post(inputs())
    list(Retag(CLUSTER, kept.ledger, kept.ledger)(WINDOW, Tagger([policy(name="p", rules=(RULE,))])))
    window = only(kept.explain())
    assert not window.differs
    assert {row.holder.dimensions["team"] for row in window.rows} == {"assistants"}
    assert [one.with_inputs for one in window.posted] == [True, False]


def test_a_node_that_was_kept_as_it_was_rests_on_the_inputs_of_before(kept):
    nodes = [a_node().record(), a_node("gpu-2").record()]
    pods = [a_pod().record(), a_pod("train-1", "gpu-2").record()]
    whole = [busy("GPU-1"), busy("GPU-8", "gpu-2", ("team-a", "train-1"))]
    kept.post(inputs(pods, nodes, [busy("GPU-1", gap=Window(at(5), at(9))), whole[1]]))
    kept.post(inputs(pods, nodes, [whole[0]]), 1, lost=["gpu-2"])
    for name, revision in (("team-a/train-0", 1), ("team-a/train-1", 0)):
        window = only(kept.explain(name))
        assert not window.differs, window.unequal
        assert set(window.basis.revisions.values()) == {revision}
    both = kept.explain("team-a/train", SubjectKind.WORKLOAD)
    assert only(both).basis.revisions == {"gpu-1": 1, "gpu-2": 0}
    assert not both.differs


def test_without_inputs_it_says_so_and_how_to_keep_them(kept):
    kept.post(inputs(), keep=False)
    window = only(kept.explain())
    assert "no inputs were kept" in window.not_replayed
    assert "ledger.inputs.keep" in window.not_replayed
    assert window.trace is None
    assert window.rows


def test_inputs_that_were_forgotten_are_gone_and_the_setting_is_named(kept):
    kept.post(inputs())
    assert kept.inputs.prune(T0 + 3 * 24 * HOUR_MS) == 1
    assert "ledger.inputs.retentionDays" in only(kept.explain()).not_replayed


def test_a_correction_of_amounts_without_inputs_is_not_passed_over(kept):
    kept.post(inputs(series=[busy("GPU-1", gap=Window(at(10), at(20)))]))
    kept.post(inputs(), 1, keep=False)
    assert "revision 1" in only(kept.explain()).not_replayed


def test_the_open_window_is_provisional(kept):
    rows = state_window(inputs()).rows
    kept.ledger.replace_provisional(CLUSTER, WINDOW, rows)
    receipt = kept.explain()
    assert receipt.windows == ()
    (window,) = receipt.open
    assert window.revision is None
    assert sum(row.cost_nanos for row in window.rows) == 2_490_000_000


def test_who_is_not_there_is_answered_with_who_is(kept):
    kept.post(inputs())
    with pytest.raises(InvalidRequest, match="team-a/train-0"):
        kept.explain("team-a/train-9")
    with pytest.raises(InvalidRequest, match="--window"):
        kept.explain("gpu-9", SubjectKind.NODE)


def test_a_window_without_a_price_is_computed_again_as_well(kept):
    kept.post(replace(inputs(), books=()))
    window = only(kept.explain())
    assert not window.differs
    assert {row.cost_nanos for row in window.rows} == {None}
    assert window.trace.devices[0].charge_nanos is None


def test_what_was_kept_for_a_posting_that_never_came_is_not_taken_for_it(kept):
    kept.inputs.keep(inputs(series=[busy("GPU-1", level=0.1)]), 0)
    kept.post(inputs())
    kept.inputs.keep(inputs(series=[busy("GPU-1", level=0.2)]), 0)
    assert not kept.explain().differs


def test_a_row_that_was_altered_in_the_ledger_differs(kept):
    given = inputs()
    rows = [replace(row, cost_nanos=row.cost_nanos + 1) for row in state_window(given).rows]
    kept.ledger.post(Posting(CLUSTER, WINDOW, 0, rows, kept.inputs.keep(given, 0)))
    window = only(kept.explain())
    assert window.differs
    assert not window.altered
    assert {one.stored.cost_nanos - one.recomputed.cost_nanos for one in window.unequal} == {1}
