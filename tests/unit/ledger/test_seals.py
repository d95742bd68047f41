"""Seals depend on what rows say, and on nothing else."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.postings import Postings
from aicost.adapters.ledger.schema import from_table, to_table
from aicost.domain.ledger.rows import Bucket, Component, Method, Quality
from aicost.domain.ledger.seals import Seal, canonical_line, seal, seal_of, surplus
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_holder, make_posting, make_row

ROW = make_row(
    7, holder=make_holder(labels={"b": "2", "a": "1"}, team="vision", cost_center="4711"),
    price="list/h100", flags=("late", "gap"), quantity=9, component=Component.CPU,
)  # fmt: skip


def test_the_canonical_form_is_what_the_reference_says():
    assert canonical_line(make_row(0, error=None, holder=make_holder("a", "é-0"), measured_ms=0)).decode() == (
        '{"bucket":"used","capacity_type":"on-demand","cluster":"cluster-1","component":"gpu","controller":"é",'
        '"controller_kind":"Deployment","cost_nanos":0,"currency":"USD","device":"GPU-1","gpu_milliseconds":600000,'
        '"gpu_model":"nvidia-h100","instance_type":"p5.48xlarge","measured_milliseconds":0,"method":"exclusive",'
        '"namespace":"a","node":"node-1","pod":"é-0","pod_uid":"uid-é-0","provider":"aws","quality":"measured-gauge",'
        '"region":"us-east-1","revision":0,"signal":"sm-active","window_end":1795604400000,'
        '"window_start":1795600800000,"zone":"us-east-1a"}'
    )
    begins = int("e3b0c44298fc1c149afbf4c8996fb924", 16) >> 2  # how SHA-256 of nothing begins, by any tool
    assert seal_of([]) == Seal(0, begins >> 63, begins % 2**63)


@given(st.permutations([make_row(cost, device=f"GPU-{cost}") for cost in range(5)]))
def test_the_order_of_rows_is_no_matter(rows):
    assert seal_of(rows) == seal_of(make_row(cost, device=f"GPU-{cost}") for cost in range(5))


@pytest.mark.parametrize(
    "changed",
    [
        replace(ROW, cost_nanos=8),
        replace(ROW, cost_nanos=None),
        replace(ROW, error_nanos=None),
        replace(ROW, gpu_milliseconds=1),
        replace(ROW, measured_milliseconds=1),
        replace(ROW, quantity=0),
        replace(ROW, revision=1),
        replace(ROW, window=hour(1)),
        replace(ROW, bucket=Bucket.SYSTEM),
        replace(ROW, component=Component.GPU),
        replace(ROW, method=Method.TWO_PART),
        replace(ROW, quality=Quality.ASSUMED),
        replace(ROW, signal="x"),
        replace(ROW, currency="EUR"),
        replace(ROW, price=""),
        replace(ROW, list_price=True),
        replace(ROW, reason="late"),
        replace(ROW, flags=("gap", "late")),
        replace(ROW, place=replace(ROW.place, node="other")),
        replace(ROW, holder=replace(ROW.holder, namespace="other")),
        replace(ROW, holder=replace(ROW.holder, dimensions={"team": "vision"})),
        replace(ROW, holder=replace(ROW.holder, labels={"a": "1", "b": "3"})),
        replace(ROW, holder=replace(ROW.holder, provenance={})),
        replace(ROW, holder=replace(ROW.holder, evidence={"image": "x"})),
    ],
)
def test_each_thing_that_a_row_says_is_sealed(changed):
    assert seal_of([changed]) != seal_of([ROW])


def test_a_row_reads_back_from_the_table_with_its_seal():
    assert seal_of(from_table(to_table([ROW]))) == seal_of([ROW])


def test_lines_that_stand_twice_are_counted_where_they_alone_are_wrong():
    lines = [canonical_line(make_row(cost)) for cost in (1, 2, 3)]
    assert surplus([*lines, *lines[:2]], seal(lines)) == 2
    assert surplus(lines, seal(lines)) == 0
    assert surplus([*lines, *lines[:2]], seal(lines[:2])) == 0


def test_a_posting_seals_its_rows_even_odd_ones(tmp_path):
    ledger = DeltaLedger(str(tmp_path))
    odd = make_row(5, holder=make_holder("team-\udc80", "p-0"))
    ledger.post(make_posting(odd))
    ledger.post(make_posting(window=hour(1)))
    table = ledger.snapshot()._table
    assert Postings(table, CLUSTER).seal(HOUR_0, 0) == seal_of(ledger.rows(HOUR_0))
    assert Postings(table, CLUSTER).seal(hour(1), 0) == seal_of([])
    assert Postings(table, CLUSTER).seal(hour(1), 1) is None


def test_any_mapping_is_sealed_as_its_items():
    given = replace(ROW, holder=replace(ROW.holder, labels=MappingProxyType(dict(ROW.holder.labels))))
    assert seal_of([given]) == seal_of([ROW])
