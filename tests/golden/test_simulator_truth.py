"""Each bucket of the ledger against the simulator's truth: scripted fleets through the whole pipeline.

The simulator imports nothing of the product. With gauges whose window is the scrape interval and loads that change only
at scrapes, every bucket is exact; else it lies within the row's error bar.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import pytest

from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS, Window
from aicost.domain.ledger.rows import Bucket, Quality
from aicost.domain.pricing.books import ALWAYS, NodeMatch, NodeSplit, PriceBook, PriceEntry
from fleet import kubernetes
from fleet.activity import IDLE, Program, Steady, Steps
from fleet.builders import DOLLAR, gpu_uuid, node, pod, pod_uid
from fleet.faults import Fault, FaultKind
from fleet.models import A100
from fleet.script import Collection, Fleet, Price, PriceStep, SimExporter, SimNode, SimPod, Stray, gpu_hour, node_hour
from support.bills import billed, check_bill, check_holdings, check_totals, due
from support.pipeline import STEP, Notice, Pipeline, Way

T = 1_795_600_800_000
BEGIN = T - 5 * MINUTE_MS
END = T + 15 * MINUTE_MS
SPAN = Window(BEGIN, END)
BUSY, HALF, FULL = Steady(Fraction(3, 4)), Steady(Fraction(1, 2)), Steady(Fraction(1))
ALIGNED = Collection(STEP)
"""Each scrape is a collection, and shows the mean since the scrape before."""


def at(minutes: float) -> int:
    return T + round(minutes * MINUTE_MS)


def exporter(**more) -> SimExporter:
    """An exporter that shows what cost needs, exactly, at each scrape."""
    spare = ("power", "fb_free", "fb_used", "xid")
    return SimExporter(**({"collection": ALIGNED, "quantised": False, "without": spare} | more))


def host(name: str = "gpu-a", gpus: int = 1, **more) -> SimNode:
    return node(name, gpus=gpus, **({"exporters": (exporter(),)} | more))


def lives(name: str, on: SimNode, gpus=1, since: float = -10, until: float | None = None, **more) -> SimPod:
    life = {"bound_ms": at(since), "finished_ms": None if until is None else at(until)}
    return pod(name, on, gpus, **({"activity": BUSY} | life | more))


@dataclass(frozen=True)
class Case:
    """A fleet, and how its bill is to be held against the truth."""

    fleet: Fleet
    exact: bool = True
    devices: bool = True
    known_for_ms: int = 0


CASES: dict[str, Callable[[], Case]] = {}


def case(make: Callable[[], Case]) -> Callable[[], Case]:
    CASES[make.__name__.replace("_", " ")] = make
    return make


def one_node(*pods: Callable[[SimNode], SimPod], gpus: int = 1, **more) -> Fleet:
    where = host(gpus=gpus, **more)
    return Fleet((where,), tuple(make(where) for make in pods))


@case
def a_pod_that_runs_all_the_time() -> Case:
    return Case(one_node(lambda on: lives("train", on)))


@case
def a_pod_that_comes_and_goes_at_odd_seconds() -> Case:
    return Case(one_node(lambda on: lives("train", on, since=1.2, until=9.85)))


@case
def a_pod_whose_load_changes_at_scrapes() -> Case:
    steps = Steps(((0, Fraction(1, 4)), (2 * MINUTE_MS, Fraction(1)), (5 * MINUTE_MS, Fraction(1, 8))))
    return Case(one_node(lambda on: lives("train", on, since=1, until=12, activity=steps)))


@case
def a_pod_on_several_gpus_with_a_load_of_its_own_on_each() -> Case:
    loads: tuple[Program, ...] = (BUSY, HALF, IDLE)
    return Case(one_node(lambda on: lives("train", on, (0, 1, 2), since=2, until=11, per_gpu=loads), gpus=4))


@case
def pods_that_follow_each_other_on_one_gpu_in_the_same_second() -> Case:
    return Case(
        one_node(
            lambda on: lives("first", on, until=4, activity=FULL),
            lambda on: lives("second", on, since=4, until=8, activity=IDLE),
            lambda on: lives("third", on, since=8 + 1 / 60, activity=HALF),
        )
    )


@case
def a_pod_that_is_made_again_under_its_name() -> Case:
    return Case(
        one_node(
            lambda on: lives("web-0", on, until=5, activity=FULL, deleted_ms=at(5.05)),
            lambda on: lives("web-0", on, since=5.1, activity=HALF, uid=pod_uid("team-a", "web-0", 1)),
        )
    )


@case
def a_pod_that_is_made_again_on_another_gpu() -> Case:
    return Case(
        one_node(
            lambda on: lives("web-0", on, (0,), until=5, activity=FULL, deleted_ms=at(5.05)),
            lambda on: lives("web-0", on, (1,), since=5.1, activity=HALF, uid=pod_uid("team-a", "web-0", 1)),
            gpus=2,
        )
    )


@case
def an_ended_pod_that_is_still_labelled() -> Case:
    lingers = Fault(FaultKind.LINGERING, BEGIN, END + 10 * MINUTE_MS)
    return Case(one_node(lambda on: lives("done", on, since=-20, until=-14), faults=(lingers,)))


@case
def an_ended_pod_that_is_still_labelled_while_the_next_one_pulls_its_image() -> Case:
    lingers = Fault(FaultKind.LINGERING, BEGIN, END + 10 * MINUTE_MS)
    return Case(
        one_node(
            lambda on: lives("done", on, until=3, activity=FULL),
            lambda on: lives("next", on, since=4, started_ms=at(6), activity=IDLE),
            faults=(lingers,),
        )
    )


def made_again_elsewhere(old: int, new: int) -> Case:
    """Its old GPU still wears its name, and the new one does so only after an image pull."""
    lingers = Fault(FaultKind.LINGERING, BEGIN, END + 10 * MINUTE_MS)
    again = pod_uid("team-a", "web-0", 1)
    return Case(
        one_node(
            lambda on: lives("web-0", on, (old,), until=5, activity=FULL, deleted_ms=at(5.05)),
            lambda on: lives("web-0", on, (new,), since=5.1, started_ms=at(6.1), activity=IDLE, uid=again),
            gpus=2,
            faults=(lingers,),
        )
    )


for old, new in ((0, 1), (1, 0)):
    name = f"a pod that is made again on GPU {new} while GPU {old} still wears its name"
    CASES[name] = lambda old=old, new=new: made_again_elsewhere(old, new)


@case
def labels_that_come_and_go() -> Case:
    flickers = Fault(FaultKind.LABELS_MISSING, BEGIN, END + 5 * MINUTE_MS, amount=20_000)
    return Case(
        one_node(
            lambda on: lives("train", on, (0, 1)),
            lambda on: lives("other", on, (2,), since=3, activity=HALF),
            gpus=4,
            faults=(flickers,),
        )
    )


@case
def labels_that_never_come_on_a_node_that_is_full() -> Case:
    unlabelled = Fault(FaultKind.LABELS_MISSING, 0, 2 * T, amount=T)
    where = host(gpus=4, faults=(replace(unlabelled, from_ms=T - T % 1000 - 10**9),))
    return Case(Fleet((where,), (lives("train", where, 4, since=-30),)))


@case
def two_exporters_for_each_gpu() -> Case:
    two = (exporter(dialect="4.8.2"), exporter(dialect="4.9", pod="dcgm-2", ip="127.10.0.2", namespace="monitoring"))
    return Case(one_node(lambda on: lives("train", on, since=1, until=11), gpus=2, exporters=two))


@case
def an_exporter_whose_every_row_stands_twice_with_odd_labels() -> Case:
    faults = (Fault(FaultKind.DUPLICATE_ROWS, BEGIN, END), Fault(FaultKind.ODD_LABELS, BEGIN, END))
    return Case(one_node(lambda on: lives("train", on, since=1, until=11), gpus=2, faults=faults))


@case
def energy_counters_that_jump_back() -> Case:
    resets = tuple(Fault(FaultKind.COUNTER_RESET, at(minute), END) for minute in (2, 2.1, 7))
    return Case(one_node(lambda on: lives("train", on, since=1, until=11), faults=resets))


@case
def a_gpu_without_a_profiling_field_for_a_while() -> Case:
    spoiled = Fault(FaultKind.SENTINEL, at(3), at(8), meanings=("engine",))
    return Case(one_node(lambda on: lives("train", on), faults=(spoiled,)))


@case
def a_node_that_leaves() -> Case:
    return Case(one_node(lambda on: lives("train", on, until=7, deleted_ms=at(7)), removed_ms=at(7)))


@case
def a_node_that_joins() -> Case:
    return Case(one_node(lambda on: lives("train", on, since=5), booted_ms=at(4)))


@case
def a_price_that_changes_inside_the_window() -> Case:
    price = Price((PriceStep(0, 10 * DOLLAR), PriceStep(at(7.3), 20 * DOLLAR)))
    return Case(one_node(lambda on: lives("train", on, since=2, until=12), gpus=2, price=price))


@case
def a_node_price_that_does_not_divide_among_its_gpus() -> Case:
    price = replace(node_hour(10 * DOLLAR + 1), gpu_share=Fraction(7, 10))
    return Case(one_node(lambda on: lives("train", on, (0, 1), since=2, until=12), gpus=3, price=price))


@case
def a_node_without_a_price_beside_one_with_a_price() -> Case:
    unpriced = host("lab", gpus=2, price=None, model=A100)
    priced = host("gpu-a")
    pods = (lives("free", unpriced, since=1, until=9), lives("dear", priced, since=1, until=9))
    return Case(Fleet((unpriced, priced), pods))


@case
def a_process_that_nobody_owns() -> Case:
    stray = Stray(gpu_uuid("gpu-a", 1), at(-30), at(30), Steady(Fraction(1, 4)))
    return Case(one_node(lambda on: lives("train", on, (0,)), gpus=2, strays=(stray,)))


@case
def a_diagnostic_that_holds_a_gpu() -> Case:
    image = "nvcr.example/nvidia/dcgm:4"
    return Case(one_node(lambda on: lives("diag", on, since=2, until=9, image=image, system=True), gpus=2))


@case
def pods_that_were_never_bound_or_failed() -> Case:
    return Case(
        one_node(
            lambda on: pod("waits", on, created_ms=at(1), bound_ms=None, started_ms=None),
            lambda on: lives("breaks", on, since=2, until=6, failed=True),
        )
    )


@case
def a_node_whose_clock_is_an_hour_ahead() -> Case:
    stamped = (exporter(stamped=True),)
    return Case(
        one_node(lambda on: lives("train", on, since=1, until=9), clock_skew_ms=3_600 * SECOND_MS, exporters=stamped)
    )


@case
def a_node_whose_clock_is_an_hour_behind() -> Case:
    return Case(one_node(lambda on: lives("train", on, since=1, until=9), clock_skew_ms=-3_600 * SECOND_MS))


@case
def a_gpu_that_is_lost_while_nobody_holds_it() -> Case:
    lost = Fault(FaultKind.LOST, at(4), at(10), uuids=(gpu_uuid("gpu-a", 1),))
    return Case(one_node(lambda on: lives("train", on, (0,)), gpus=2, faults=(lost,)))


@case
def a_gpu_that_is_lost_under_its_holder() -> Case:
    lost = Fault(FaultKind.LOST, at(4), at(10), uuids=(gpu_uuid("gpu-a", 1),))
    return Case(one_node(lambda on: lives("train", on, (0, 1)), gpus=3, faults=(lost,)))


@case
def the_only_gpu_of_a_node_that_is_lost() -> Case:
    lost = Fault(FaultKind.LOST, at(4), at(10))
    return Case(one_node(lambda on: lives("train", on), faults=(lost,)))


@case
def a_gpu_that_was_lost_before_anybody_looked() -> Case:
    lost = Fault(FaultKind.LOST, at(-100), at(100), uuids=(gpu_uuid("gpu-a", 0),))
    return Case(one_node(lambda on: lives("train", on, (1, 2)), gpus=4, faults=(lost,)), devices=False)


def answers(kind: FaultKind) -> Case:
    """For three minutes an exporter answers with something that is none; one interval of it is bridged."""
    broken = Fault(kind, at(4), at(7))
    return Case(one_node(lambda on: lives("train", on), gpus=2, faults=(broken,)), known_for_ms=STEP)


@case
def an_exporter_that_answers_with_half_of_its_rows() -> Case:
    """The half that came is kept: it has the coarse utilisation of both GPUs."""
    broken = Fault(FaultKind.HALF_LINE, at(4), at(7))
    every = (SimExporter(collection=ALIGNED, quantised=False),)
    return Case(
        one_node(lambda on: lives("train", on), gpus=2, faults=(broken,), exporters=every), known_for_ms=at(3) - T
    )


def values(kind: FaultKind) -> Case:
    """For three minutes a GPU's activity is no number."""
    broken = Fault(kind, at(4), at(7), meanings=("engine", "util"))
    return Case(one_node(lambda on: lives("train", on), gpus=2, faults=(broken,)), known_for_ms=STEP)


for kind in ("gap", "unavailable", "html", "huge", "empty"):
    CASES[f"an exporter that answers with {kind}"] = lambda kind=kind: answers(FaultKind(kind))
for kind in ("sentinel", "nan", "negative", "absent"):
    CASES[f"a value that is {kind}"] = lambda kind=kind: values(FaultKind(kind))

SCRAPED_ONLY = {"a node whose clock is an hour ahead", "an exporter that answers with half of its rows"}
"""A Prometheus keeps the exporter's own stamps unless it is told not to, and no half answers."""


def bill_of(fleet: Fleet, folder, way: Way = Way.SCRAPE, **options):
    with Pipeline(folder, fleet, begin_ms=BEGIN, way=way, **options) as pipeline:
        return pipeline.finish(END)


@pytest.mark.parametrize(
    ("name", "way"), [(name, way) for name in CASES for way in Way if name not in SCRAPED_ONLY or way is Way.SCRAPE]
)
def test_the_bill_is_the_truth(name: str, way: Way, tmp_path):
    found = CASES[name]()
    rows = bill_of(found.fleet, tmp_path, way)
    check_bill(rows, found.fleet, SPAN, exact=found.exact, devices=found.devices, known_for_ms=found.known_for_ms)


def minutes_of(rows, bucket: str, name: str = "") -> float:
    """Device time of a bucket, of one pod or of nobody."""
    mine = (row for row in rows if row.bucket == bucket and row.holder.pod == name)
    return sum(row.gpu_milliseconds for row in mine) / MINUTE_MS


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
    assert {(row.place.node, row.currency) for row in rows} == {("east", "USD"), ("west", "EUR")}


def _entry(host_name: str, dollars: int) -> PriceEntry:
    match = NodeMatch(node_labels={"kubernetes.io/hostname": host_name})
    return PriceEntry("e", match, dollars * DOLLAR, None, NodeSplit.RESIDUAL, None, ALWAYS)


def test_a_time_sliced_gpu_is_paid_by_what_each_pod_reserved(tmp_path):
    labels = (("nvidia.com/gpu.replicas", "4"), ("nvidia.com/gpu.sharing-strategy", "time-slicing"))
    where = host(gpus=1, labels=(*labels, ("nvidia.com/gpu.product", "NVIDIA-H100-80GB-HBM3-SHARED")))
    one, two = (lives(name, where, since=0, until=until) for name, until in (("one", None), ("two", 10)))
    fleet = Fleet((where,), (one, two))
    rows = bill_of(fleet, tmp_path, Way.PROMETHEUS, notices=_four_slots)
    assert minutes_of(rows, Bucket.ALLOCATED_UNMEASURED, "one") == 15 / 4
    assert minutes_of(rows, Bucket.ALLOCATED_UNMEASURED, "two") == 10 / 4
    assert minutes_of(rows, Bucket.UNALLOCATED) == 20 - 25 / 4
    assert {row.quality for row in rows if row.holder.pod} == {Quality.ASSUMED}
    check_totals(rows, fleet, SPAN)


def _four_slots(notices):
    for notice in notices:
        if notice.kind == "node":
            offered = {kubernetes.GPU: "4"}
            status = notice.object["status"]
            changed = {key: status[key] | offered for key in ("capacity", "allocatable")}
            yield replace(notice, object=notice.object | {"status": status | changed})
        else:
            yield notice


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
