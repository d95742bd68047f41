"""What single buckets of a bill come to: the last moments of a pod, short pods, plugins that restart, currencies."""

from fractions import Fraction

import pytest

from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.ledger.rows import Bucket, Quality
from aicost.domain.pricing.books import ALWAYS, NodeMatch, NodeSplit, PriceBook, PriceEntry
from fleet import kubernetes
from fleet.activity import IDLE, Steady
from fleet.builders import DOLLAR
from fleet.faults import Fault, FaultKind
from fleet.script import Collection, Fleet, SimExporter, gpu_hour
from fleet.sharing.builders import sliced
from support.bills import billed, check_bill, check_holdings, check_totals, due, of_gpus
from support.pipeline import Notice, Pipeline, Way
from support.scripted import (
    ALIGNED,
    BEGIN,
    BUSY,
    END,
    FULL,
    HALF,
    SPAN,
    T,
    at,
    bill_of,
    exporter,
    host,
    lives,
    minutes_of,
    one_node,
)

REAL = [Collection(30_000, 30_000, 7_000), Collection(), Collection(10_000, 10_000)]


@pytest.mark.parametrize("collection", REAL, ids=["collects each 30 s", "mean of 30 s", "collects each 10 s"])
@pytest.mark.parametrize("offset_ms", [0, 4_000, 11_000])
def test_what_a_pod_did_last_is_never_charged_to_nobody(collection, offset_ms, tmp_path):
    fleet = one_node(
        lambda on: lives("first", on, until=3, activity=FULL),
        lambda on: lives("second", on, since=5.5, until=9, activity=FULL),
        exporters=(exporter(collection=collection),),
    )
    rows = bill_of(fleet, tmp_path, offset_ms=offset_ms)
    check_bill(rows, fleet, SPAN, exact=False)
    assert minutes_of(rows, Bucket.UNATTRIBUTED) == 0


def test_a_busy_pod_does_not_make_the_idle_one_after_it_look_busy(tmp_path):
    fleet = one_node(
        lambda on: lives("busy", on, until=5, activity=FULL),
        lambda on: lives("idle", on, since=5, until=8, activity=IDLE),
        exporters=(exporter(collection=Collection()),),
    )
    rows = bill_of(fleet, tmp_path)
    check_bill(rows, fleet, SPAN)
    assert minutes_of(rows, Bucket.USED, "idle") == 0
    assert minutes_of(rows, Bucket.USED, "busy") == 10


def test_a_pod_of_two_seconds_costs_two_seconds_wherever_scrapes_fall(tmp_path):
    for offset_ms in (0, 5_000, 14_000):
        fleet = one_node(
            lambda on: lives("flash", on, since=3, until=3 + 2 / 60, activity=FULL),
            lambda on: lives("slow", on, since=6, started_ms=at(6) + 1_000, until=6 + 2 / 60, activity=FULL),
        )
        rows = bill_of(fleet, tmp_path / str(offset_ms), offset_ms=offset_ms)
        check_holdings(billed(rows), due(fleet, SPAN))
        held = [row.gpu_milliseconds for row in rows if row.holder.pod == "flash"]
        assert sum(held) == 2_000


def test_an_image_pull_is_held_idle_and_the_error_bar_knows_what_samples_cannot(tmp_path):
    fleet = one_node(
        lambda on: lives("before", on, until=2, activity=HALF),
        lambda on: lives("pulls", on, since=3, started_ms=at(3) + 45_000, until=12, activity=BUSY),
        gpus=2,
        exporters=(SimExporter(),),
    )
    check_bill(bill_of(fleet, tmp_path), fleet, SPAN)


@pytest.mark.parametrize("honor", [False, True])
@pytest.mark.parametrize("dialect", ["4.8.2", "4.9", "fake-operator"])
def test_an_idle_gpu_that_wears_the_exporters_name_is_unallocated(honor, dialect, tmp_path):
    worn = SimExporter(dialect, collection=ALIGNED, quantised=False, honor_labels=honor)
    fleet = one_node(lambda on: lives("train", on, (0,), since=1, until=9), gpus=3, exporters=(worn,))
    rows = bill_of(fleet, tmp_path, Way.PROMETHEUS)
    check_bill(rows, fleet, SPAN, exact=True)
    assert {row.holder.pod for row in rows} == {"", "train"}


def test_labels_that_never_come_leave_time_unmeasured_and_say_that_the_device_is_assumed(tmp_path):
    unlabelled = Fault(FaultKind.LABELS_MISSING, 0, 2 * T, amount=T)
    where = host(gpus=4, faults=(unlabelled,))
    fleet = Fleet((where,), (lives("train", where, 2, since=1, until=9),))
    rows = bill_of(fleet, tmp_path)
    assert minutes_of(rows, Bucket.ALLOCATED_UNMEASURED, "train") == 2 * 8
    assert {row.flags for row in rows if row.holder.pod} == {("assumed-device",)}
    assert minutes_of(rows, Bucket.UNATTRIBUTED) == 0
    check_totals(rows, fleet, SPAN)


def plugin_restarts(since_ms: int, until_ms: int):
    """The node's object says that nothing can be allocated for a while."""

    def change(notices):
        yield from notices
        first = next(notice for notice in notices if notice.kind == "node")
        whole = first.object
        allocatable = whole["status"]["allocatable"] | {kubernetes.GPU: "0"}
        down = whole | {"status": whole["status"] | {"allocatable": allocatable}}
        yield Notice(since_ms, "node", down)
        yield Notice(until_ms, "node", whole)

    return change


@pytest.mark.parametrize("seconds", [1, 10, 60, 200])
def test_a_device_plugin_that_restarts_takes_no_device_from_its_holder(seconds, tmp_path):
    fleet = one_node(lambda on: lives("train", on, (0, 1)), gpus=2)
    begin = at(4) + 3_000
    rows = bill_of(fleet, tmp_path, notices=plugin_restarts(begin, begin + seconds * SECOND_MS))
    check_bill(rows, fleet, SPAN, exact=True)


def test_what_nobody_holds_cannot_be_allocated_while_the_plugin_restarts(tmp_path):
    fleet = one_node(lambda on: lives("train", on, (0,)), gpus=2)
    rows = bill_of(fleet, tmp_path, notices=plugin_restarts(at(4), at(5)))
    assert minutes_of(rows, Bucket.UNHEALTHY) == 1
    assert minutes_of(rows, Bucket.USED, "train") == 15


def test_nodes_of_several_currencies_are_never_added_up(tmp_path):
    where = (host("east", price=gpu_hour(4 * DOLLAR)), host("west", price=gpu_hour(3 * DOLLAR)))
    fleet = Fleet(where, tuple(lives(f"on-{one.name}", one, since=1, until=9) for one in where))
    books = [
        PriceBook(one.name, currency, (_entry(one.name, dollars),))
        for one, currency, dollars in zip(where, ("USD", "EUR"), (4, 3), strict=True)
    ]
    rows = bill_of(fleet, tmp_path, books=books)
    check_bill(rows, fleet, SPAN, exact=True)
    assert {(row.place.node, row.currency) for row in of_gpus(rows)} == {("east", "USD"), ("west", "EUR")}


def _entry(host_name: str, dollars: int) -> PriceEntry:
    match = NodeMatch(node_labels={"kubernetes.io/hostname": host_name})
    return PriceEntry("e", match, dollars * DOLLAR, None, NodeSplit.RESIDUAL, None, ALWAYS)


def test_a_sliced_gpu_whose_pods_nobody_tells_apart_is_paid_by_its_use_in_equal_parts(tmp_path):
    where = host(sharing=sliced(4), exporters=(exporter(virtual_gpus=False),))
    half, quarter = Steady(Fraction(1, 2)), Steady(Fraction(1, 4))
    one = lives("one", where, since=0, activity=half)
    two = lives("two", where, since=0, until=10, activity=quarter)
    rows = bill_of(Fleet((where,), (one, two)), tmp_path, Way.PROMETHEUS)
    assert minutes_of(rows, Bucket.USED, "two") == pytest.approx(10 * 0.75 / 2, abs=0.1)
    assert minutes_of(rows, Bucket.USED, "one") == pytest.approx(10 * 0.75 / 2 + 5 * 0.5, abs=0.1)
    assert minutes_of(rows, Bucket.ALLOCATED_IDLE, "two") == pytest.approx(10 * 0.25 / 4, abs=0.1)
    assert {row.quality for row in rows if row.holder.pod and row.bucket is Bucket.USED} == {Quality.ESTIMATED}
    check_totals(rows, Fleet((where,), (one, two)), SPAN)


def test_two_clusters_share_a_ledger_and_nothing_else(tmp_path):
    fleets = {name: one_node(lambda on: lives("train", on, since=1, until=9)) for name in ("c1", "c2")}
    for name, fleet in fleets.items():
        rows = bill_of(fleet, tmp_path / name, cluster=name, ledger=tmp_path / "ledger")
        check_bill(rows, fleet, SPAN, exact=True)
        assert {row.place.cluster for row in rows} == {name}


def test_an_activity_that_cannot_be_is_clamped_and_counted(tmp_path):
    above = Fault(FaultKind.ABOVE_ONE, at(4), at(7))
    fleet = one_node(lambda on: lives("train", on, activity=Steady(Fraction(9, 10))), faults=(above,))
    with Pipeline(tmp_path, fleet, begin_ms=BEGIN) as pipeline:
        rows = pipeline.finish(END)
        defects = pipeline.compute(Window(T, END), pipeline.now_ms, may_be_blind=False).defects
    assert defects.clamped > 0
    assert minutes_of(rows, Bucket.USED, "train") == 3 + 17 * 0.9
    check_totals(rows, fleet, SPAN)


def test_a_hanging_exporter_measures_nothing_more(tmp_path):
    frozen = Fault(FaultKind.FROZEN, at(4), at(9))
    fleet = one_node(lambda on: lives("train", on), faults=(frozen,))
    rows = bill_of(fleet, tmp_path)
    check_totals(rows, fleet, SPAN)
    assert 4 <= minutes_of(rows, Bucket.ALLOCATED_UNMEASURED, "train") <= 5
