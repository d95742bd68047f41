"""Each bucket of the ledger against the simulator's truth: scripted fleets through the whole pipeline.

The simulator imports nothing of the product. With gauges whose window is the scrape interval and loads that change only
at scrapes, every bucket is exact; else it lies within the row's error bar.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import pytest

from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS
from fleet.activity import IDLE, Program, Steady, Steps
from fleet.builders import DOLLAR, gpu_uuid, pod, pod_uid
from fleet.faults import Fault, FaultKind
from fleet.models import A100
from fleet.script import Fleet, Price, PriceStep, SimExporter, Stray, node_hour
from support.bills import check_bill
from support.pipeline import STEP, Way
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
    one_node,
)


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


@pytest.mark.parametrize(
    ("name", "way"), [(name, way) for name in CASES for way in Way if name not in SCRAPED_ONLY or way is Way.SCRAPE]
)
def test_the_bill_is_the_truth(name: str, way: Way, tmp_path):
    found = CASES[name]()
    rows = bill_of(found.fleet, tmp_path, way)
    check_bill(rows, found.fleet, SPAN, exact=found.exact, devices=found.devices, known_for_ms=found.known_for_ms)
